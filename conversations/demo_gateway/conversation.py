"""A request read as a conversation: what is asked, with which tools, and what the tools answered."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from conversations.protocol.converse.content import decode_base64

STOPPED = """
    a an the is are was were be do does did have has had will would can could should may i you he she it we they me my
    your our its of on in at to for from by with about and or not no if then than that this these those there what
    which who whom when where why how get give tell show find look let make use using please want know need most more
    some any all also as so up out into over per such
"""
STOP_WORDS = frozenset(STOPPED.split())


@dataclass(frozen=True)
class Tool:
    """A tool on offer."""

    name: str
    description: str
    schema: Mapping[str, Any]

    @cached_property
    def name_words(self) -> frozenset[str]:
        """The words of its name."""
        return words(re.sub(r"(?<=[a-z])(?=[A-Z])|[_-]", " ", self.name))

    @cached_property
    def other_words(self) -> frozenset[str]:
        """The words of its description that its name does not have."""
        return words(self.description) - self.name_words


@dataclass(frozen=True)
class Result:
    """A tool's answer: what was called, with which arguments, and the content that came back."""

    tool: str
    arguments: Mapping[str, Any]
    content: list[Mapping[str, Any]]
    failed: bool

    @property
    def text(self) -> str:
        """Its texts, in one line each."""
        return "\n".join(part["text"] for part in self.content if part.get("text"))

    @property
    def values(self) -> Mapping[str, Any] | None:
        """Its first JSON object."""
        return next((part["json"] for part in self.content if isinstance(part.get("json"), dict)), None)


@dataclass(frozen=True)
class File:
    """A picture or document of the newest message."""

    kind: str
    format: str
    data: bytes

    @property
    def size(self) -> str:
        """Its size, as people say it."""
        size = len(self.data)
        if size < 1024:
            return f"{size} bytes"
        return f"{size / 1024:.1f} KB" if size < 1024**2 else f"{size / 1024**2:.1f} MB"


def words(text: str) -> frozenset[str]:
    """The telling words of a text, lower case, singular."""
    every = re.findall(r"[a-z0-9]+", text.lower())
    return frozenset(_singular(word) for word in every if word not in STOP_WORDS and len(word) > 1)


def _singular(word: str) -> str:
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word


class Conversation:
    """What a valid request says; everything is read from the body, nothing is remembered."""

    def __init__(self, model: str, body: Mapping[str, Any]) -> None:
        self.model = model
        self.body = body
        self.messages: list[Any] = body.get("messages") or []

    @cached_property
    def questions(self) -> list[str]:
        """What the user wrote, message by message; messages that hold only tool results are left out."""
        texts = [_text(message["content"]) for message in self.messages if message["role"] == "user"]
        return [text for text in texts if text]

    @property
    def question(self) -> str:
        """The user's newest text; none where the newest message brings files alone."""
        if self.files and not _text(self.messages[-1]["content"]):
            return ""
        return self.questions[-1] if self.questions else ""

    @cached_property
    def system(self) -> str:
        """The system prompt."""
        return _text(self.body.get("system") or [])

    @cached_property
    def tools(self) -> list[Tool]:
        """The tools on offer, in the request's order."""
        specs = [tool.get("toolSpec") for tool in self._tool_config.get("tools", [])]
        return [
            Tool(spec["name"], spec.get("description") or "", spec["inputSchema"]["json"])
            for spec in specs
            if spec
        ]

    @cached_property
    def forced(self) -> str | None:
        """The tool that has to be called: its name, `` for any, nothing if the choice is free."""
        choice = self._tool_config.get("toolChoice") or {}
        if choice.get("tool"):
            return str(choice["tool"]["name"])
        return "" if choice.get("any") is not None else None

    @cached_property
    def results(self) -> list[Result]:
        """The tool results that the newest message brings."""
        before, last = ([[], []] + [message["content"] for message in self.messages])[-2:]
        uses = [block["toolUse"] for block in before if block.get("toolUse")]
        calls = {use["toolUseId"]: use for use in uses}
        return [_result(block["toolResult"], calls) for block in last if block.get("toolResult")]

    @cached_property
    def files(self) -> list[File]:
        """The pictures and documents that the newest message brings."""
        content = self.messages[-1]["content"] if self.messages else []
        return [
            _file(kind, block[kind]) for block in content for kind in ("image", "document") if kind in block
        ]

    @property
    def _tool_config(self) -> Mapping[str, Any]:
        return self.body.get("toolConfig") or {}

    @property
    def most(self) -> int | None:
        """`maxTokens`, if given."""
        return (self.body.get("inferenceConfig") or {}).get("maxTokens")


def _text(content: list[Any]) -> str:
    return "\n".join(block["text"] for block in content if block.get("text")).strip()


def _file(kind: str, block: Mapping[str, Any]) -> File:
    data = decode_base64(block.get("source", {}).get("bytes")) or b""
    return File("picture" if kind == "image" else "document", block["format"], data)


def _result(block: Mapping[str, Any], calls: Mapping[str, Any]) -> Result:
    use = calls.get(block["toolUseId"], {"name": "a tool", "input": {}})
    return Result(use["name"], use["input"], block["content"], block.get("status") == "error")
