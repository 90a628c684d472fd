"""Content blocks of a stream that still runs: their deltas for pages, and their form in Converse."""

import json
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

from conversations.protocol.text import clean_text, parse_json_object

from . import content

Kind = Literal["text", "reasoning", "redacted", "tool", "server_tool", "server_result", "citation", "image"]
Phase = Literal["start", "part", "stop", "whole"]
Fault = Literal["", "cut", "damaged"]

WHOLE_KINDS = ("server_tool", "server_result", "image")


class Delta(NamedTuple):
    """A step of a block for pages: `text` is new, `detail` holds the block's head or the whole of it."""

    phase: Phase
    kind: Kind
    block: int
    text: str = ""
    detail: dict[str, Any] | None = None


class CallRequest(NamedTuple):
    """A tool call that the model asked for.

    `input` is None where the arguments may not be run: they are no JSON object, or have a `fault`.
    """

    tool_use_id: str
    name: str
    arguments: str
    input: dict[str, Any] | None
    fault: Fault = ""


@dataclass
class OpenBlock:
    """A content block of a stream.

    `index` is the stream's, `number` counts blocks as they begin, `head` holds the members of the start event.
    """

    index: int
    number: int
    kind: Kind
    head: dict[str, Any] = field(default_factory=dict)
    fragments: list[str] = field(default_factory=list)
    signature: str = ""
    data: bytes = b""
    parts: list[dict[str, Any]] = field(default_factory=list)
    half: str = ""
    """Half a surrogate pair that waits for its other half."""

    has_begun: bool = False
    is_closed: bool = False
    is_damaged: bool = False
    """Whether a frame of it was damaged on the way."""

    @property
    def text(self) -> str:
        """All fragments so far, as received."""
        return "".join(self.fragments)

    def takes(self, kind: Kind) -> bool:
        """Whether a delta of this kind goes on with the block."""
        return kind == self.kind or (kind == "tool" and self.kind == "server_tool")

    def add(self, fragment: str) -> list[Delta]:
        """Takes a fragment; half a surrogate pair waits for its other half before it is shown."""
        self.fragments.append(fragment)
        fragment, self.half = self.half + fragment, ""
        if fragment and "\ud800" <= fragment[-1] <= "\udbff":
            fragment, self.half = fragment[:-1], fragment[-1]
        return self.show(clean_text(fragment)) if fragment else []

    def show(self, text: str = "") -> list[Delta]:
        """The text as a delta, after the block's start if that was not shown yet."""
        if self.kind in WHOLE_KINDS:
            return []
        part = [Delta("part", self.kind, self.number, text, self.head)] if text else []
        if self.has_begun:
            return part
        self.has_begun = True
        return [Delta("start", self.kind, self.number, detail=self.head), *part]

    def end(self) -> list[Delta]:
        """The last deltas, and the block's end."""
        last = self.show(clean_text(self.half)) if self.half else []
        if self.kind in WHOLE_KINDS:
            return [Delta("whole", self.kind, self.number, detail=self.as_converse())]
        return [*last, Delta("stop", self.kind, self.number, detail=self.head)] if self.has_begun else last

    def arguments(self) -> dict[str, Any] | None:
        """The JSON object of a tool use's fragments, `{}` for no fragments, None for anything else."""
        return parse_json_object(self.text)

    def request(self, fault: Fault) -> CallRequest:
        """The call that a tool use asks for."""
        arguments = None if fault else self.arguments()
        return CallRequest(self.head["toolUseId"], self.head["name"], clean_text(self.text), arguments, fault)

    def as_converse(self) -> content.Block:
        """The block in Converse's shape."""
        match self.kind:
            case "text":
                return _text(self)
            case "reasoning":
                return _reasoning(self)
            case "redacted":
                return _redacted(self)
            case "tool" | "server_tool":
                return _tool(self)
            case "server_result":
                return _server_result(self)
        return _image(self)


def _text(block: OpenBlock) -> content.Block:
    text = content.text(clean_text(block.text))
    return {"citationsContent": {"content": [text], "citations": block.parts}} if block.parts else text


def _reasoning(block: OpenBlock) -> content.Block:
    text = clean_text(block.text)
    is_unchanged = json.dumps(text) == json.dumps(block.text)  # as on the wire, which escapes surrogate pairs
    is_signed = block.signature and is_unchanged and not block.is_damaged
    signature = {"signature": block.signature} if is_signed else {}
    return {"reasoningContent": {"reasoningText": {"text": text} | signature}}


def _redacted(block: OpenBlock) -> content.Block:
    data = b"" if block.is_damaged else block.data
    return {"reasoningContent": {"redactedContent": content.encode_base64(data)}}


def _tool(block: OpenBlock) -> content.Block:
    arguments = block.arguments()
    return {"toolUse": block.head | {"input": clean_text(block.text) if arguments is None else arguments}}


def _server_result(block: OpenBlock) -> content.Block:
    return {"toolResult": block.head | {"content": block.parts}}


def _image(block: OpenBlock) -> content.Block:
    source = {"source": {"bytes": content.encode_base64(block.data)}} if block.data else {}
    return {"image": block.head | source}
