"""The reasons why a file is not taken. A class's docstring is the sentence for its sender."""

from conversations.errors import Refused


class NotTaken(Refused):
    """This file is not taken."""

    status = 400


class NoFile(NotTaken):
    """No file came. Choose it again."""


class Empty(NotTaken):
    """This file is empty."""

    code = "empty"


class Damaged(NotTaken):
    """This file is damaged: it cannot be read to its end."""

    code = "damaged"


class TooLarge(NotTaken):
    """This file is too large: 32 MB at most."""

    code = "too_large"
    status = 413


class Unsupported(NotTaken):
    """This kind of file is not taken. Pictures (PNG, JPEG, GIF, WebP) and documents (PDF, DOCX, DOC, XLSX, XLS, CSV, HTML, MD, TXT)
    are.
    """

    code = "unsupported"
    status = 415
