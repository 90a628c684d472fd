"""A conversation's settings: what goes to the model beside the messages.

Its owner changes them at any time. A page's form has each as a text, under the name of its field; a tool's is `tool-NAME`, `on` or `off`.
"""

from collections.abc import Mapping
from typing import Any

from conversations.conf import settings
from conversations.models import Model, ModelSettings, Turn
from conversations.protocol.converse import inference
from conversations.protocol.converse.inference import Faults, InvalidSetting
from conversations.protocol.converse.request import budget_of
from conversations.protocol.text import beginning, clean_text
from conversations.tools import registry

from .messages import LONGEST_TEXT

Fields = Mapping[str, str]
TOOL = "tool-"
SHOWN_INSTRUCTIONS = 300
"""Characters of a turn's instructions in its record: the row has all of them."""

NOT_OFFERED = "This model is not offered. Choose one of the list."
LONGEST = LONGEST_TEXT
TOO_LONG = f"Instructions have {LONGEST:,} characters at most."


def fields_of(row: ModelSettings) -> dict[str, str]:
    """The settings as a page's fields have them."""
    budget = budget_of(Model.of(row.model).capabilities, _max_tokens(row.inference), row.reasoning_budget)
    tools = {f"{TOOL}{name}": "off" if name in row.tools_off else "on" for name in registry.names()}
    reasoning = {"reasoning": "on" if budget else "off", "budget": str(budget or "")}
    return {"model": row.model, "system": row.system} | inference.as_texts(row.inference) | reasoning | tools


def record_of(turn: Turn) -> dict[str, Any]:
    """The settings that a turn's record shows, without those that are not set."""
    budget = budget_of(Model.of(turn.model).capabilities, _max_tokens(turn.inference), turn.reasoning_budget)
    in_force = {
        "model": turn.model,
        "inference": turn.inference,
        "reasoning": budget,
        "toolsOff": [name for name in turn.tools_off if registry.get(name)],
        "instructions": beginning(" ".join(turn.system.split()), SHOWN_INSTRUCTIONS),
    }
    return {name: value for name, value in in_force.items() if value}


def apply(row: ModelSettings, fields: Fields) -> Faults:
    """Sets a row's columns, which stay unsaved, and returns a sentence for each field that is wrong.

    Missing fields leave their settings as they are.
    """
    before, texts = fields_of(row), {name: _text(value) for name, value in fields.items()}
    news = {name: text for name, text in texts.items() if text != before.get(name, "")}
    if "model" in news and not Model.is_offered(news["model"]):
        return {"model": NOT_OFFERED}
    row.model = news.get("model", row.model)
    capabilities = Model.of(row.model).capabilities
    row.inference, faults = inference.changed(row.inference, news, capabilities)
    row.tools_off = _tools_off(row.tools_off, news)
    row.system = news.get("system", row.system)
    if len(row.system) > LONGEST:
        faults["system"] = TOO_LONG
    if {"reasoning", "budget"} & news.keys():
        faults |= _set_budget(row, before | news)
    return faults


def _text(value: str) -> str:
    return clean_text(value).replace("\r\n", "\n")


def _tools_off(before: list[str], news: Fields) -> list[str]:
    changed = {name.removeprefix(TOOL): text for name, text in news.items() if name.startswith(TOOL)}
    others = {name for name in before if name not in changed}
    return sorted(others | {name for name, text in changed.items() if text == "off" and registry.get(name)})


def _set_budget(row: ModelSettings, fields: Fields) -> Faults:
    if fields["reasoning"] != "on":
        row.reasoning_budget = 0
        return {}
    capabilities = Model.of(row.model).capabilities
    try:
        row.reasoning_budget = inference.reasoning_budget(
            fields["budget"].strip(), capabilities, _max_tokens(row.inference)
        )
    except InvalidSetting as error:
        return {"budget": str(error)}
    return {}


def _max_tokens(values: Mapping[str, Any]) -> int:
    tokens = values.get("maxTokens")
    return tokens if isinstance(tokens, int) else int(settings.MAX_TOKENS)
