"""Settings of an answer: a form's texts -> Converse's inferenceConfig, within a model's limits."""

from collections.abc import Mapping
from typing import Any

from .capabilities import Capabilities
from .remedies import SETTINGS
from .request import LEAST_BUDGET

Texts = Mapping[str, str]
Faults = dict[str, str]
"""A sentence for each text that is not taken, by its name."""

NAMES = ("temperature", "topP", "maxTokens", "stopSequences")
TITLES = {"temperature": "temperature", "topP": "topP", "stopSequences": "stop sequences"}
MOST_SEQUENCES = 2_500
"""Converse's own limit."""

MOST_TOKENS = 10_000_000
USUAL_BUDGET = 2_048
NOT_BOTH = "This model takes a temperature or topP, not both."
NO_ROOM = "The most tokens of an answer leave no room for reasoning: allow more of them first."


class InvalidSetting(ValueError):
    """A text is no value of its setting; the message is a sentence for the person."""


def as_texts(inference: Mapping[str, Any]) -> dict[str, str]:
    """The settings as texts of a form, blank for those that are not set."""
    return {name: _as_text(inference.get(name, "")) for name in NAMES}


def changed(
    inference: Mapping[str, Any], texts: Texts, capabilities: Capabilities
) -> tuple[dict[str, Any], Faults]:
    """The settings after a change to the texts, and its faults. A blank text unsets a setting."""
    settings, faults = dict(inference), Faults()
    for name in NAMES:
        if name in texts:
            settings.pop(name, None)
            try:
                settings |= _setting(name, texts[name], capabilities)
            except InvalidSetting as error:
                faults[name] = str(error)
    one_of_two = [name for name in ("topP", "temperature") if texts.get(name, "").strip()]
    if (
        one_of_two
        and capabilities.takes_temperature_with_top_p is False
        and {"topP", "temperature"} <= {*settings}
    ):
        faults[one_of_two[0]] = NOT_BOTH
    return settings, faults


def reasoning_budget(text: str, capabilities: Capabilities, max_tokens: int) -> int:
    """The budget that a text names, the usual one for a blank text; raises InvalidSetting."""
    if capabilities.reasons is not True:
        raise InvalidSetting("This model is not known to reason.")
    most = min(max_tokens, capabilities.most_output_tokens or max_tokens) - 1
    if most < LEAST_BUDGET:
        raise InvalidSetting(NO_ROOM)
    if not text:
        return max(LEAST_BUDGET, min(capabilities.reasoning_budget or USUAL_BUDGET, most))
    return _whole_number(text, LEAST_BUDGET, most)


def _as_text(value: Any) -> str:
    return "\n".join(map(str, value)) if isinstance(value, list) else str(value)


def _setting(name: str, text: str, capabilities: Capabilities) -> dict[str, Any]:
    if not text.strip():
        return {}
    if name in SETTINGS and getattr(capabilities, SETTINGS[name]) is False:
        raise InvalidSetting(f"This model takes no {TITLES[name]}.")
    match name:
        case "maxTokens":
            return {name: _whole_number(text.strip(), 1, capabilities.most_output_tokens or MOST_TOKENS)}
        case "stopSequences":
            return {name: _sequences(text)}
        case _:
            return {name: _number(text, 1.0 if name == "topP" else capabilities.highest_temperature)}


def _number(text: str, most: float) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= most:
        raise InvalidSetting(f"This is a number from 0 to {most:g}.")
    return value


def _whole_number(text: str, least: int, most: int) -> int:
    value = int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else -1
    if not least <= value <= most:
        raise InvalidSetting(f"This is a whole number from {least:,} to {most:,}.")
    return value


def _sequences(text: str) -> list[str]:
    lines = [line for line in text.split("\n") if line.strip()]
    if len(lines) > MOST_SEQUENCES:
        raise InvalidSetting(f"There are {MOST_SEQUENCES:,} at most, one a line.")
    return lines
