"""Labels of a call in HTTP headers: `{user}`, `{conversation}` and `{turn}` in a header's value."""

import re
from collections.abc import Mapping
from urllib.parse import quote

LABELS = ("user", "conversation", "turn")
LABEL = re.compile(rf"\{{({'|'.join(LABELS)})\}}")
HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")

# The characters of a label that a header may hold as they are; line ends and all that is not ASCII are percent-encoded.
_PLAIN = "".join(chr(code) for code in range(0x20, 0x7F) if chr(code) != "%")


def filled(value: str, labels: Mapping[str, str]) -> str:
    """A header's value with the labels filled in, blank for those that are missing."""
    return LABEL.sub(lambda match: quote(labels.get(match[1], ""), safe=_PLAIN), value)
