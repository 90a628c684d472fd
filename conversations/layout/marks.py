"""Characters that reorder the text around them (<https://trojansource.codes>), as marks that can be read."""

import re

BIDI = re.compile("[\u202a-\u202e\u2066-\u2069]")


def visible(text: str) -> str:
    """The text with each such character as its number, `[U+202E]`."""
    return BIDI.sub(lambda found: f"[U+{ord(found[0]):X}]", text)
