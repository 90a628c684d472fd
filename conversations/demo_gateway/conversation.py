"""A request read as a conversation: what it asks, with which tools, and what the tools answered."""

import re
from collections.abc import Mapping
from functools import cached_property
from typing import Any, NamedTuple

STOPPED = """
    a an the is are was were be do does did have has had will would can could should may i you he she it we they me my
    your our its of on in at to for from by with about and or not no if then than that this these those there what
    which who whom when where why how get give tell show find look let make use using please want know need most more
    some any all also as so up out into over per such
"""
STOP_WORDS = frozenset(STOPPED.split())


def words(text: str) -> frozenset[str]:
    """The telling words of a text, lower case, singular."""
    telling = (word for word in re.findall(r"[a-z0-9]{2,}", text.lower()) if word not in STOP_WORDS)
    return frozenset(re.sub(r"(?<=..[^s])s$", "", word) for word in telling)


def readable(name: str) -> str:
    """The words of a name in camelCase, snake_case or kebab-case."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])|[_-]", " ", name).lower()


class Tool(NamedTuple):
    """A tool on offer."""

    name: str
    description: str
    schema: Mapping[str, Any]

    def score(self, text: str) -> int:
        """How much a text is about it: a word of its name counts two, of its description one."""
        wording, name = words(text), words(readable(self.name))
        return 2 * len(name & wording) + len((words(self.description) - name) & wording)


class Result(NamedTuple):
    """A tool's answer: the tool, its arguments, the texts and the first JSON object in the answer."""

    tool: str
    arguments: Mapping[str, Any]
    text: str
    values: Mapping[str, Any] | None
    is_error: bool


class Conversation:
    """What a valid request says; everything is read from the body, nothing is remembered."""

    def __init__(self, model: str, body: Mapping[str, Any]) -> None:
        self.model = model
        self.body = body
        self.messages: list[Any] = body.get("messages") or []
        self.system = _text(body.get("system") or []).strip()
        self._tool_config: Mapping[str, Any] = body.get("toolConfig") or {}
        self.limit: int | None = (body.get("inferenceConfig") or {}).get("maxTokens")

    @property
    def newest(self) -> list[Mapping[str, Any]]:
        """The content of the newest message."""
        return self.messages[-1]["content"] if self.messages else []

    @cached_property
    def questions(self) -> list[str]:
        """The user's texts, one a message, without messages of tool results; blank for files alone."""
        contents = [message["content"] for message in self.messages if message["role"] == "user"]
        own = [content for content in contents if not any(block.get("toolResult") for block in content)]
        return [_text(content).strip() for content in own]

    @property
    def question(self) -> str:
        """The user's newest text."""
        return self.questions[-1] if self.questions else ""

    @cached_property
    def tools(self) -> list[Tool]:
        """The tools on offer, in the request's order."""
        specs = (tool.get("toolSpec") for tool in self._tool_config.get("tools", []))
        return [
            Tool(spec["name"], spec.get("description") or "", spec["inputSchema"]["json"])
            for spec in filter(None, specs)
        ]

    @property
    def forced(self) -> str | None:
        """The tool that has to be called: its name, `` for any, nothing if the choice is free."""
        choice = self._tool_config.get("toolChoice") or {}
        if choice.get("tool"):
            return str(choice["tool"]["name"])
        return "" if choice.get("any") is not None else None

    @cached_property
    def results(self) -> list[Result]:
        """The tool results that the newest message brings."""
        before = self.messages[-2]["content"] if len(self.messages) > 1 else []
        uses = {block["toolUse"]["toolUseId"]: block["toolUse"] for block in before if block.get("toolUse")}
        return [_result(block["toolResult"], uses) for block in self.newest if block.get("toolResult")]


def _text(content: list[Any]) -> str:
    return "\n".join(block["text"] for block in content if block.get("text"))


def _result(block: Mapping[str, Any], uses: Mapping[str, Any]) -> Result:
    use, content = uses.get(block["toolUseId"], {"name": "a tool", "input": {}}), block["content"]
    values = next((part["json"] for part in content if isinstance(part.get("json"), dict)), None)
    return Result(use["name"], use["input"], _text(content), values, block.get("status") == "error")
