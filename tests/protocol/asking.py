"""Past conversations in few words, and what Bedrock would say of a request that is made of them."""

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


def user(*said: str | Block) -> Message:
    return {"role": "user", "content": blocks(said)}


def assistant(*said: str | Block) -> Message:
    return {"role": "assistant", "content": blocks(said)}


def blocks(said: Iterable[str | Block]) -> list[Block]:
    return [{"text": each} if isinstance(each, str) else each for each in said]


def use(tool_use_id: str = "t1", **more: Any) -> Block:
    return {"toolUse": {"toolUseId": tool_use_id, "name": "top_song", "input": {"sign": "WZPZ"}} | more}


def result(tool_use_id: str = "t1", *content: str | Block, **more: Any) -> Block:
    return {"toolResult": {"toolUseId": tool_use_id, "content": blocks(content or ["8 Storey Hike"])} | more}


def interrupted(tool_use_id: str = "t1") -> Block:
    return result(tool_use_id, history.NO_RESULT, status="error")


def round_(*said: str | Block, results: Sequence[Block] = (), **told: Any) -> PastRound:
    answers: Mapping[str, Block] = {answer["toolResult"]["toolUseId"]: answer for answer in results}
    return PastRound(blocks(said), **({"model": MODEL, "results": answers} | told))


def turn(said: str, *rounds: PastRound) -> PastTurn:
    return PastTurn(blocks([said]), rounds)


def asked(*turns: PastTurn, model: str = MODEL) -> list[Message]:
    """The messages that ask for the next round, which Bedrock accepts."""
    told = history.messages(turns, model)
    assert refused(told) is None
    return told


def repaired(*told: Message) -> list[Message]:
    """The messages put right, which Bedrock accepts."""
    right = history.repair(told)
    assert refused(right) is None
    return right


def refused(messages: Sequence[Message]) -> str | None:
    """What Bedrock says against a request of these messages."""
    return refusal(request.body(messages, request.base("", {}, 4096, [], messages)))
