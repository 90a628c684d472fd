"""Values for a tool's arguments in a question: quoted words, names, call signs, numbers."""

import re
from collections.abc import Iterable
from typing import Any

DATE = r"\b\d{4}-\d{2}-\d{2}\b"
DATE_TIME = DATE[:-2] + r"[T ]\d{2}:\d{2}(?::\d{2})?(?:Z|[+-]\d{2}:?\d{2})?"
EMAIL = r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+"
URL = r"https?://[^\s\"'<>)]+"
UUID = r"\b[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\b"
# A North American station: K or W and two or three letters.
SIGN = r"\b[KW][A-Z]{2,3}(?:-(?:AM|FM|TV))?\b"
QUOTED = r"\"([^\"]+)\"|“([^”]+)”|`([^`]+)`|(?<!\w)'([^']+)'(?!\w)"
NAME = r"[^\W\d_a-z][\w'\u2019-]*(?:[ ]+[^\W\d_a-z][\w'\u2019-]*)*"
NUMBER = r"(?<![\w.-])-?\d[\d,]*(?:\.\d+)?(?![\w-])"
SEARCHED = 2000
"""How far a text is searched: some of these patterns take the square of its length."""
ORDINARY = "WHAT WHEN WITH WANT WELL WILL WERE WHO WHY WAS KNOW KEEP KIND WAY WAIT WEEK KEY"
NOT_SIGNS = frozenset(ORDINARY.split())


class Cues:
    """The candidates of a text, kind by kind; each is taken once."""

    def __init__(self, text: str) -> None:
        self.text = text
        text = text[:SEARCHED]
        plain = re.sub(f"{EMAIL}|{URL}|{UUID}|{DATE_TIME}|{DATE}", " ", text)
        self.candidates: dict[str, list[Any]] = {
            "date-time": re.findall(DATE_TIME, text),
            "date": re.findall(DATE, text),
            "time": re.findall(r"\b\d{1,2}:\d{2}(?::\d{2})?\b", text),
            "email": re.findall(EMAIL, text),
            "uri": re.findall(URL, text),
            "uuid": re.findall(UUID, text),
            "quoted": ["".join(groups) for groups in re.findall(QUOTED, plain)],
            "sign": _signs(plain),
            "name": list(_names(re.sub(f"{QUOTED}|{SIGN}", _unless_ordinary, plain))),
            "number": [_number(digits) for digits in re.findall(NUMBER, plain)],
        }

    def all(self, *kinds: str) -> list[Any]:
        """What is left of the first of these kinds that has anything left."""
        return next((self.candidates[kind] for kind in kinds if self.candidates.get(kind)), [])

    def take(self, *kinds: str) -> Any:
        """The next candidate of these kinds, or nothing."""
        left = self.all(*kinds)
        return left.pop(0) if left else None


def _unless_ordinary(match: re.Match[str]) -> str:
    return match.group() if match.group() in NOT_SIGNS else " "


def _signs(text: str) -> list[str]:
    """Call signs in capitals, or else what reads like one after a preposition."""
    signs = [sign for sign in re.findall(SIGN, text) if sign not in NOT_SIGNS]
    if not signs:
        spoken = re.findall(r"\b(?:on|at|of|for|station)\s+([kw][a-z]{2,3})\b", text)
        signs = [word.upper() for word in spoken if word.upper() not in NOT_SIGNS]
    return list(dict.fromkeys(signs))


def _names(text: str) -> Iterable[str]:
    """Capitalised words, runs of them as one name.

    The first word of a longer sentence is no sign of a name.
    """
    alone = text.strip(" .!?")
    for match in re.finditer(NAME, text):
        name, before = match.group(), text[: match.start()].rstrip(" ")
        if (name != alone or " " in name) and (not before or before[-1] in ".!?:\n"):
            name = name.partition(" ")[2]
        if name[:1].isupper() and name != "I" and not name.startswith("I'"):
            yield name


def _number(digits: str) -> int | float:
    plain = digits.replace(",", "")
    return float(plain) if "." in plain else int(plain)
