"""Past conversations in few words, and Bedrock's refusal of a request that is made of them."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from conversations.demo_gateway.refusals import refusal
from conversations.protocol.converse import history, request
from conversations.protocol.converse.history import PastRound, PastTurn

Block = dict[str, Any]
Message = dict[str, Any]

MODEL = "anthropic.claude-opus-4-1"
SIGNED = {"reasoningContent": {"reasoningText": {"text": "hm", "signature": "c2ln"}}}
REDACTED = {"reasoningContent": {"redactedContent": "AAEC"}}
IMAGE = {"image": {"format": "png", "source": {"bytes": "iVBORw0KGgo="}}}
SERVED = {"toolUse": {"toolUseId": "s1", "name": "search", "input": {}, "type": "server_tool_use"}}
SERVED_RESULT = {"toolResult": {"toolUseId": "s1", "content": [{"text": "found"}], "type": "search_result"}}


def user(*contents: str | Block) -> Message:
    return {"role": "user", "content": blocks(contents)}


def assistant(*contents: str | Block) -> Message:
    return {"role": "assistant", "content": blocks(contents)}


def blocks(contents: Iterable[str | Block]) -> list[Block]:
    return [{"text": content} if isinstance(content, str) else content for content in contents]


def use(tool_use_id: str = "t1", **more: Any) -> Block:
    return {"toolUse": {"toolUseId": tool_use_id, "name": "top_song", "input": {"sign": "WZPZ"}} | more}


def result(tool_use_id: str = "t1", *content: str | Block, **more: Any) -> Block:
    return {"toolResult": {"toolUseId": tool_use_id, "content": blocks(content or ["8 Storey Hike"])} | more}


def interrupted(tool_use_id: str = "t1") -> Block:
    return result(tool_use_id, history.NO_RESULT, status="error")


def round_(*contents: str | Block, results: Sequence[Block] = (), **options: Any) -> PastRound:
    answers: Mapping[str, Block] = {answer["toolResult"]["toolUseId"]: answer for answer in results}
    return PastRound(blocks(contents), **({"model": MODEL, "results": answers} | options))


def turn(question: str, *rounds: PastRound) -> PastTurn:
    return PastTurn(blocks([question]), rounds)


def next_messages(*turns: PastTurn, model: str = MODEL) -> list[Message]:
    """The messages of the request for the next round, which Bedrock accepts."""
    messages = history.messages(turns, model)
    assert refusal_of(messages) is None
    return messages


def repaired(*messages: Message) -> list[Message]:
    """The repaired messages, which Bedrock accepts."""
    valid = history.repair(messages)
    assert refusal_of(valid) is None
    return valid


def refusal_of(messages: Sequence[Message]) -> str | None:
    """Why Bedrock refuses a request with these messages; None if it does not."""
    return refusal(request.body(messages, request.base("", {}, 4096, [], messages)))
