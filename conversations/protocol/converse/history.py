"""Stored turns -> the messages of a request, valid for Converse whatever happened before.

Bedrock refuses anything else: roles alternate and a user begins and ends; all tool uses of a message are answered in the next one; no
text is blank; inputs and JSON results are objects; reasoning goes back unchanged with its signature, to the model that made it, or not at
all. Repairing is deterministic, and repairing twice changes nothing.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from conversations.protocol.steps import BLOCKED

from .content import (
    Block,
    Message,
    cited_texts,
    decode_base64,
    is_blank,
    is_client_tool_use,
    text,
    tool_result,
)
from .identifiers import legal_id, legal_name, unused_id

NO_OUTPUT = "(no output)"
NO_RESULT = "Interrupted: the call may or may not have happened, and has no result."
INTERRUPTED = "(interrupted)"
CONTINUE = "Continue."
USER_MEDIA = ("image", "document", "video")


@dataclass(frozen=True, slots=True)
class PastRound:
    """A stored round: the blocks of its message, and its toolResult blocks so far, by their ids."""

    content: Sequence[Block]
    model: str
    is_complete: bool = True
    stop_reason: str = ""
    results: Mapping[str, Block] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PastTurn:
    """A stored turn: the blocks of the user's message, and its rounds in order."""

    user: Sequence[Block]
    rounds: Sequence[PastRound] = ()
    is_left_out: bool = False
    """Whether its request was refused for its content."""

    @property
    def is_blocked(self) -> bool:
        """Whether it stays out of later requests, which would be refused or blocked for it again."""
        return self.is_left_out or any(round_.stop_reason in BLOCKED for round_ in self.rounds)


def messages(turns: Sequence[PastTurn], model: str) -> list[Message]:
    """The messages that ask `model` for the next round of the last turn."""
    return repair(_unrepaired(turns, lambda round_: _sendable_blocks(round_, model)))


def export_messages(turns: Sequence[PastTurn]) -> list[Message]:
    """The conversation's messages as an export holds them: valid, and ready to be sent again.

    They end where the conversation ends, and have no calls that wait for a result.
    """
    valid = _ValidMessages()
    valid.take(_unrepaired(turns, _answered_blocks))
    return valid.messages


def _unrepaired(turns: Sequence[PastTurn], content: Callable[[PastRound], list[Block]]) -> list[Message]:
    messages: list[Message] = []
    for turn in turns:
        if turn.is_blocked and turn is not turns[-1]:
            continue
        messages.append({"role": "user", "content": list(turn.user)})
        for round_ in turn.rounds:
            messages.append({"role": "assistant", "content": content(round_)})
            messages.append({"role": "user", "content": list(round_.results.values())})
    return messages


def _answered_blocks(round_: PastRound) -> list[Block]:
    return [
        block
        for block in _sendable_blocks(round_, round_.model)
        if not is_client_tool_use(block) or block["toolUse"].get("toolUseId") in round_.results
    ]


def _sendable_blocks(round_: PastRound, model: str) -> list[Block]:
    if not round_.is_complete:
        return [block for block in round_.content if "text" in block or "citationsContent" in block]
    if round_.model != model:
        return [block for block in round_.content if _is_portable(block)]
    return list(round_.content)


def _is_portable(block: Block) -> bool:
    """Whether another model takes the block: reasoning and server-side tools are for their own alone."""
    return is_client_tool_use(block) or "text" in block or "citationsContent" in block


def repair(messages: Sequence[Message]) -> list[Message]:
    """The same conversation in a form that Converse accepts."""
    valid = _ValidMessages()
    valid.take(messages)
    return valid.finish()


class _ValidMessages:
    """The valid messages that are made of any messages, one after the other."""

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self.used: set[str] = set()
        self.unanswered: list[tuple[str, str]] = []

    def take(self, messages: Sequence[Message]) -> None:
        for message in messages:
            if message["role"] == "assistant":
                self.assistant(message["content"])
            else:
                self.user(message["content"])

    def assistant(self, content: Sequence[Block]) -> None:
        self._answer({})
        if not self.messages:
            return
        blocks = [block for block in map(_assistant_block, content) if block]
        blocks = _without_trailing_reasoning(_paired_server_tools(blocks))
        if blocks:
            self._add("assistant", [self._with_unused_id(block) for block in blocks])

    def user(self, content: Sequence[Block]) -> None:
        results: dict[str, list[Block]] = {}
        for block in content:
            if "toolResult" in block:
                results.setdefault(block["toolResult"].get("toolUseId", ""), []).append(block["toolResult"])
        self._answer(results)
        blocks = [block for block in map(_user_block, content) if block]
        if not blocks:
            return
        if self.messages and self.messages[-1]["role"] == "user":
            self._add("assistant", [text(INTERRUPTED)])
        self._add("user", blocks)

    def finish(self) -> list[Message]:
        self._answer({})
        if not self.messages or self.messages[-1]["role"] == "assistant":
            self._add("user", [text(CONTINUE)])
        return self.messages

    def _with_unused_id(self, block: Block) -> Block:
        if not is_client_tool_use(block):
            return block
        original = block["toolUse"]["toolUseId"]
        unique = unused_id(legal_id(original) or "tooluse", self.used)
        self.used.add(unique)
        self.unanswered.append((original, unique))
        return {"toolUse": block["toolUse"] | {"toolUseId": unique}}

    def _answer(self, results: dict[str, list[Block]]) -> None:
        if not self.unanswered:
            return
        answers = []
        for original, unique in self.unanswered:
            stored = results.get(original)
            no_result = tool_result(unique, [text(NO_RESULT)], is_error=True)
            answers.append(_result(unique, stored.pop(0)) if stored else no_result)
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
        plain = text("".join(part.get("text", "") for part in cited_texts(block)))
        return None if is_blank(plain) else plain
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
    arguments = use.get("input")
    legal = {
        "toolUseId": use.get("toolUseId", ""),
        "name": legal_name(use.get("name", "")),
        "input": arguments if isinstance(arguments, dict) else {},
    }
    if is_client_tool_use({"toolUse": use}):
        return {"toolUse": legal}
    return {"toolUse": legal | {"toolUseId": legal_id(legal["toolUseId"]), "type": "server_tool_use"}}


def _server_result(result: Block) -> Block:
    legal = _result(legal_id(result.get("toolUseId", "")), result)["toolResult"]
    return {"toolResult": legal | ({"type": result["type"]} if "type" in result else {})}


def _result(tool_use_id: str, result: Block) -> Block:
    content = [block for block in map(_result_block, result.get("content", ())) if block]
    return tool_result(tool_use_id, content or [text(NO_OUTPUT)], is_error=result.get("status") == "error")


def _result_block(block: Block) -> Block | None:
    if "json" in block:
        return block if isinstance(block["json"], dict) else text(json.dumps(block["json"]))
    return _user_block(block)


def _paired_server_tools(content: list[Block]) -> list[Block]:
    """The blocks without server-side calls and results that lack each other in the message."""
    calls = {_server_id(block) for block in content if "toolUse" in block}
    results = {_server_id(block) for block in content if "toolResult" in block}
    pairs = (calls & results) - {""} | {None}
    return [block for block in content if _server_id(block) in pairs]


def _server_id(block: Block) -> str | None:
    """The id of a server-side call or of its result; None for any other block."""
    part = {} if is_client_tool_use(block) else block.get("toolUse") or block.get("toolResult") or {}
    tool_use_id: str | None = part.get("toolUseId")
    return tool_use_id


def _without_trailing_reasoning(content: list[Block]) -> list[Block]:
    while content and "reasoningContent" in content[-1]:
        content = content[:-1]
    return content
