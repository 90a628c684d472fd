"""Stored turns -> the messages of a request, valid for Converse whatever happened before.

The rules are Bedrock's own refusals: roles alternate and a user begins and ends; each tool use is answered in the very next user message,
one message for all of them; no blank text; inputs and JSON results are objects; reasoning goes back unchanged with its signature, to the
model that made it, or not at all. Repairing is deterministic, and repairing twice changes nothing.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from conversations.protocol.steps import BLOCKED

from .content import Block, Message, cited, decode_base64, is_blank, is_client_tool_use, text, tool_result
from .identifiers import legal_id, legal_name, unused_id

NO_OUTPUT = "(no output)"
NO_RESULT = "Interrupted: the call may or may not have happened, and has no result."
INTERRUPTED = "(interrupted)"
CONTINUE = "Continue."
USER_MEDIA = ("image", "document", "video")


@dataclass(frozen=True, slots=True)
class PastRound:
    """A stored round: its message's blocks, and by tool use id the results that there are, as toolResult blocks."""

    content: Sequence[Block]
    model: str
    complete: bool = True
    stop_reason: str = ""
    results: Mapping[str, Block] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PastTurn:
    """A stored turn: what the user said, and its rounds in order."""

    user: Sequence[Block]
    rounds: Sequence[PastRound] = ()

    @property
    def blocked(self) -> bool:
        """Whether a guardrail stopped it, and would stop it again."""
        return any(round_.stop_reason in BLOCKED for round_ in self.rounds)


def messages(turns: Sequence[PastTurn], model: str) -> list[Message]:
    """The messages that ask `model` for the next round of the last turn."""
    return repair(_told(turns, lambda past: _sendable(past, model)))


def conversed(turns: Sequence[PastTurn]) -> list[Message]:
    """The conversation as an export holds it: valid, ready to be sent again, ending where it ends, without calls that wait for a result."""
    repaired = _Repair()
    repaired.take(_told(turns, _answered))
    return repaired.messages


def _told(turns: Sequence[PastTurn], content: Callable[[PastRound], list[Block]]) -> list[Message]:
    told: list[Message] = []
    for turn in turns:
        if turn.blocked and turn is not turns[-1]:
            continue
        told.append({"role": "user", "content": list(turn.user)})
        for past in turn.rounds:
            told.append({"role": "assistant", "content": content(past)})
            told.append({"role": "user", "content": list(past.results.values())})
    return told


def _answered(past: PastRound) -> list[Block]:
    return [
        block
        for block in _sendable(past, past.model)
        if not is_client_tool_use(block) or block["toolUse"].get("toolUseId") in past.results
    ]


def _sendable(past: PastRound, model: str) -> list[Block]:
    if not past.complete:
        return [block for block in past.content if "text" in block or "citationsContent" in block]
    if past.model != model:
        return [block for block in past.content if _is_portable(block)]
    return list(past.content)


def _is_portable(block: Block) -> bool:
    """Reasoning and server-side tools mean something to the model that made them alone."""
    return is_client_tool_use(block) or "text" in block or "citationsContent" in block


def repair(told: Sequence[Message]) -> list[Message]:
    """The same conversation in a form that Converse accepts."""
    repaired = _Repair()
    repaired.take(told)
    return repaired.finish()


class _Repair:
    """Messages as they are put right, one after the other."""

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self.used: set[str] = set()
        self.unanswered: list[tuple[str, str]] = []

    def take(self, told: Sequence[Message]) -> None:
        for message in told:
            if message["role"] == "assistant":
                self.assistant(message["content"])
            else:
                self.user(message["content"])

    def assistant(self, content: Sequence[Block]) -> None:
        self._answer({})
        if not self.messages:
            return
        known = [block for block in map(_assistant_block, content) if block]
        kept = _without_trailing_reasoning(_paired_server_tools(known))
        if kept:
            self._add("assistant", [self._with_unused_id(block) for block in kept])

    def user(self, content: Sequence[Block]) -> None:
        results: dict[str, list[Block]] = {}
        for block in content:
            if "toolResult" in block:
                results.setdefault(block["toolResult"].get("toolUseId", ""), []).append(block["toolResult"])
        self._answer(results)
        said = [kept for kept in map(_user_block, content) if kept]
        if not said:
            return
        if self.messages and self.messages[-1]["role"] == "user":
            self._add("assistant", [text(INTERRUPTED)])
        self._add("user", said)

    def finish(self) -> list[Message]:
        self._answer({})
        if not self.messages or self.messages[-1]["role"] == "assistant":
            self._add("user", [text(CONTINUE)])
        return self.messages

    def _with_unused_id(self, block: Block) -> Block:
        if not is_client_tool_use(block):
            return block
        received = block["toolUse"]["toolUseId"]
        unique = unused_id(legal_id(received) or "tooluse", self.used)
        self.used.add(unique)
        self.unanswered.append((received, unique))
        return {"toolUse": block["toolUse"] | {"toolUseId": unique}}

    def _answer(self, results: dict[str, list[Block]]) -> None:
        if not self.unanswered:
            return
        answers = []
        for received, unique in self.unanswered:
            given = results.get(received)
            answers.append(
                _result(unique, given.pop(0)) if given else tool_result(unique, [text(NO_RESULT)], error=True)
            )
        self.unanswered = []
        self._add("user", answers)

    def _add(self, role: str, content: list[Block]) -> None:
        if self.messages and self.messages[-1]["role"] == role:
            self.messages[-1]["content"] += content
        else:
            self.messages.append({"role": role, "content": content})


def _user_block(block: Block) -> Block | None:
    if isinstance(block.get("text"), str):
        return None if is_blank(block) else text(block["text"])
    return next(({kind: block[kind]} for kind in USER_MEDIA if kind in block), None)


def _assistant_block(block: Block) -> Block | None:
    if isinstance(block.get("text"), str):
        return None if is_blank(block) else text(block["text"])
    if "citationsContent" in block:
        said = text("".join(part.get("text", "") for part in cited(block)))
        return None if is_blank(said) else said
    if "reasoningContent" in block:
        return block if _is_signed(block["reasoningContent"]) else None
    if "toolUse" in block:
        return _tool_use(block["toolUse"])
    return _server_result(block["toolResult"]) if "toolResult" in block else None


def _is_signed(reasoning: Block) -> bool:
    if "redactedContent" in reasoning:
        return bool(decode_base64(reasoning["redactedContent"]))
    return bool(reasoning.get("reasoningText", {}).get("signature"))


def _tool_use(use: Block) -> Block:
    given = use.get("input")
    kept = {
        "toolUseId": use.get("toolUseId", ""),
        "name": legal_name(use.get("name", "")),
        "input": given if isinstance(given, dict) else {},
    }
    if is_client_tool_use({"toolUse": use}):
        return {"toolUse": kept}
    return {"toolUse": kept | {"toolUseId": legal_id(kept["toolUseId"]), "type": "server_tool_use"}}


def _server_result(result: Block) -> Block:
    answered = _result(legal_id(result.get("toolUseId", "")), result)["toolResult"]
    return {"toolResult": answered | ({"type": result["type"]} if "type" in result else {})}


def _result(tool_use_id: str, result: Block) -> Block:
    content = [kept for kept in map(_result_block, result.get("content", ())) if kept]
    return tool_result(tool_use_id, content or [text(NO_OUTPUT)], error=result.get("status") == "error")


def _result_block(block: Block) -> Block | None:
    if "json" in block:
        return block if isinstance(block["json"], dict) else text(json.dumps(block["json"]))
    return _user_block(block)


def _paired_server_tools(content: list[Block]) -> list[Block]:
    """Without the server-side calls that have no result in the message, and the results that have no call."""
    calls = {_server_id(block) for block in content if "toolUse" in block}
    results = {_server_id(block) for block in content if "toolResult" in block}
    kept = (calls & results) - {""} | {None}
    return [block for block in content if _server_id(block) in kept]


def _server_id(block: Block) -> str | None:
    """The id of a server-side call or of its result; None for any other block."""
    part = {} if is_client_tool_use(block) else block.get("toolUse") or block.get("toolResult") or {}
    tool_use_id: str | None = part.get("toolUseId")
    return tool_use_id


def _without_trailing_reasoning(content: list[Block]) -> list[Block]:
    while content and "reasoningContent" in content[-1]:
        content = content[:-1]
    return content
