"""What gateways and models say when they refuse, and what is understood of it.

`refusals.txt` has real wordings, from public issues: `CAUSE:NUMBER:NAME|words` in each line.
"""

from pathlib import Path

import pytest

from conversations.protocol.converse.refusals import hint, is_overflow, refusal

LINES = Path(__file__).with_name("refusals.txt").read_text(encoding="utf-8").splitlines()


@pytest.mark.parametrize(("meaning", "words"), [line.split("|", 1) for line in LINES])
def test_a_refusal_is_known_by_its_words(meaning: str, words: str) -> None:
    known = refusal(words)
    number = [] if known.number is None else [str(known.number)]
    assert ":".join([known.cause, *number, *known.names]) == meaning
    assert is_overflow(words) == (known.cause in ("overflow", "room"))


@pytest.mark.parametrize(
    ("words", "is_permanent"),
    [
        ("This model doesn't support the image field for user messages.", True),
        ("This model doesn\N{RIGHT SINGLE QUOTATION MARK}t support documents.", True),
        ("image exceeds 5 MB maximum", False),
        ("The provided image does not match the specified image format.", False),
    ],
)
def test_a_picture_that_is_no_good_says_nothing_of_the_model(words: str, *, is_permanent: bool) -> None:
    assert refusal(words).is_permanent == is_permanent


def test_a_hint_names_the_setting_where_only_the_operator_can_help() -> None:
    assert "GATEWAY_MODELS" in hint("The provided model identifier is invalid.")
    assert hint("An unexpected error occurred") == ""
