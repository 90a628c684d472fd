"""Settings of an answer as people write them, held to what a model takes."""

from typing import Any

import pytest

from conversations.protocol.converse.capabilities import Capabilities
from conversations.protocol.converse.inference import (
    NO_ROOM,
    NOT_BOTH,
    InvalidSetting,
    as_texts,
    changed,
    reasoning_budget,
)

ALL = {"temperature": 0.3, "topP": 0.9, "maxTokens": 99, "stopSequences": ["END", " STOP"]}
TEXTS = {"temperature": "0.3", "topP": "0.9", "maxTokens": "99", "stopSequences": "END\n STOP"}
BLANK = dict.fromkeys(TEXTS, "")


def settings_after(
    texts: dict[str, str], inference: dict[str, Any] | None = None, **facts: Any
) -> dict[str, Any]:
    """The settings after a change in which nothing is wrong."""
    settings, faults = changed(inference or {}, texts, Capabilities(**facts))
    assert faults == {}
    return settings


def faults(texts: dict[str, str], inference: dict[str, Any] | None = None, **facts: Any) -> dict[str, str]:
    return changed(inference or {}, texts, Capabilities(**facts))[1]


def test_settings_are_texts_and_settings_again() -> None:
    assert (as_texts(ALL), as_texts({})) == (TEXTS, BLANK)
    assert settings_after(TEXTS) == ALL
    assert settings_after(BLANK, ALL) == {}


def test_what_is_not_written_stays() -> None:
    assert settings_after({"topP": "1"}, ALL) == ALL | {"topP": 1}


@pytest.mark.parametrize(
    "texts",
    [
        {"temperature": text} for text in ("1.1", "-0.1", "warm", "nan", "inf", "0,5")
    ] + [{"topP": "2"}] + [{"maxTokens": text} for text in ("0", "-5", "1.5", "x", "9" * 30, "²")]
    + [{"stopSequences": "x\n" * 2_501}],
)  # fmt: skip
def test_what_no_model_takes_is_a_fault_of_its_field(texts: dict[str, str]) -> None:
    assert faults(texts).keys() == texts.keys()


def test_the_bounds_are_the_models() -> None:
    facts = {"most_temperature": 2.0, "most_output_tokens": 500}
    assert settings_after({"temperature": "2", "maxTokens": " 500 "}, **facts) == {
        "temperature": 2,
        "maxTokens": 500,
    }
    assert faults({"temperature": "2.1", "maxTokens": "501"}, **facts) == {
        "temperature": "This is a number from 0 to 2.",
        "maxTokens": "This is a whole number from 1 to 500.",
    }


def test_a_setting_that_a_model_does_not_take_can_be_unset_alone() -> None:
    facts = {"takes_temperature": False, "takes_stop_sequences": False}
    assert faults({"temperature": "0", "stopSequences": "END"}, **facts) == {
        "temperature": "This model takes no temperature.",
        "stopSequences": "This model takes no stop sequences.",
    }
    assert settings_after(BLANK, ALL, **facts) == {}


def test_of_two_that_exclude_each_other_the_one_that_is_written_is_at_fault() -> None:
    one_of_two = {"takes_temperature_with_top_p": False}
    assert faults({"topP": "0.5"}, {"temperature": 0.5}, **one_of_two) == {"topP": NOT_BOTH}
    assert faults({"temperature": "0.5"}, {"topP": 0.5}, **one_of_two) == {"temperature": NOT_BOTH}
    assert settings_after({"maxTokens": "5"}, ALL, **one_of_two)["maxTokens"] == 5
    assert settings_after({"temperature": "0.5", "topP": ""}, {"topP": 0.5}, **one_of_two) == {
        "temperature": 0.5
    }


@pytest.mark.parametrize(
    ("text", "facts", "max_tokens", "tokens"),
    [
        ("1500", {}, 4_096, 1_500),
        ("", {}, 4_096, 2_048),
        ("", {"reasoning_budget": 3_000}, 4_096, 3_000),
        ("", {"reasoning_budget": 8_000}, 4_096, 4_095),
        ("", {"most_output_tokens": 1_500}, 4_096, 1_499),
    ],
)
def test_a_budget_of_reasoning_is_as_it_is_written_or_the_usual_one(
    text: str, facts: dict[str, Any], max_tokens: int, tokens: int
) -> None:
    assert reasoning_budget(text, Capabilities(reasons=True, **facts), max_tokens) == tokens


@pytest.mark.parametrize(
    ("text", "reasons", "max_tokens", "sentence"),
    [
        ("1500", None, 4_096, "not known to reason"),
        ("1023", True, 4_096, "from 1,024 to 4,095"),
        ("4096", True, 4_096, "from 1,024 to 4,095"),
        ("1024", True, 1_024, NO_ROOM),
    ],
)
def test_a_budget_that_cannot_be_is_refused(
    text: str, reasons: bool | None, max_tokens: int, sentence: str
) -> None:
    with pytest.raises(InvalidSetting, match=sentence):
        reasoning_budget(text, Capabilities(reasons=reasons), max_tokens)
