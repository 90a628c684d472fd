"""The requests that we would make of recorded rounds are the requests that were recorded.

The clients that recorded them did a few things otherwise; what each did is written here, and nothing else may differ.
"""

from typing import Any, NamedTuple

import pytest

from conversations.protocol.converse import history
from conversations.protocol.converse.history import PastRound, PastTurn
from tests.protocol.messages import refusal_of
from tests.protocol.recorded import SETS, Stream, params
from tests.protocol.texts import assembled

Message = dict[str, Any]


class Otherwise(NamedTuple):
    """The ways in which a recording client differs from us."""

    drops_text_beside_tool_uses: bool = False
    splits_what_the_user_says: bool = False
    tells_success: bool = False


OTHERWISE = {
    "claude-3-5-haiku--multi4--text+tool+empty-input__text__tool+empty-input__text": Otherwise(
        drops_text_beside_tool_uses=True, splits_what_the_user_says=True
    ),
    "claude-3-5-haiku--multi4--text+tool__text__tool__text": Otherwise(drops_text_beside_tool_uses=True),
    "nova-micro--multi2--text+tool__text": Otherwise(tells_success=True),
    "nova-micro--multi3--text+tool__text+tool__text": Otherwise(tells_success=True),
}
MANY_ROUNDS = params([rounds for rounds in SETS.values() if len(rounds) > 1])


@pytest.mark.parametrize("rounds", MANY_ROUNDS)
def test_each_recorded_request_is_the_one_that_we_would_make(rounds: list[Stream]) -> None:
    client = OTHERWISE.get(rounds[0].name.split("/")[0], Otherwise())
    for number, stream in enumerate(rounds):
        ours = history.messages(past_turns(rounds[:number], stream.request["messages"]), stream.model)
        assert refusal_of(ours) is None
        assert as_recorded_by(client, ours) == as_sent_by_us(client, stream.request["messages"])


@pytest.mark.parametrize("name", OTHERWISE)
def test_each_thing_that_a_client_did_otherwise_is_needed(name: str) -> None:
    if name not in SETS:
        pytest.skip("not among the recorded streams here")
    last, before = SETS[name][-1], SETS[name][:-1]
    ours = history.messages(past_turns(before, last.request["messages"]), last.model)
    for field in [field for field, is_so in OTHERWISE[name]._asdict().items() if is_so]:
        client = OTHERWISE[name]._replace(**{field: False})
        assert as_recorded_by(client, ours) != as_sent_by_us(client, last.request["messages"])


def past_turns(before: list[Stream], messages: list[Message]) -> list[PastTurn]:
    """The turns that would have been stored before the request with these messages.

    Rounds are reassembled, the user's blocks come from the messages.
    """
    answers = {
        block["toolResult"]["toolUseId"]: block
        for message in messages
        for block in message["content"]
        if "toolResult" in block
    }
    turns = [PastTurn(blocks) for blocks in user_blocks(messages)]
    current = 0
    for stream in before:
        past = past_round(stream, answers)
        turns[current] = PastTurn(turns[current].user, [*turns[current].rounds, past])
        current += not past.results
    return turns


def past_round(stream: Stream, answers: dict[str, Any]) -> PastRound:
    assembly = assembled(stream.events)
    results = {call.tool_use_id: answers[call.tool_use_id] for call in assembly.calls()}
    return PastRound(
        assembly.content(), stream.model, assembly.is_complete, assembly.stop_reason or "", results
    )


def user_blocks(messages: list[Message]) -> list[list[Any]]:
    """What the user said, a list of blocks a turn."""
    turn_blocks: list[list[Any]] = [[]]
    for message in messages:
        texts = [block for block in message["content"] if "text" in block]
        if message["role"] == "user":
            turn_blocks[-1] += texts
        elif turn_blocks[-1] and not any("toolUse" in block for block in message["content"]):
            turn_blocks.append([])
    return turn_blocks


def as_recorded_by(client: Otherwise, ours: list[Message]) -> list[Message]:
    """Our messages without what that client drops."""
    if not client.drops_text_beside_tool_uses:
        return ours
    return [message | {"content": without_text_beside_tool_uses(message["content"])} for message in ours]


def without_text_beside_tool_uses(content: list[Any]) -> list[Any]:
    uses = [block for block in content if "toolUse" in block]
    return uses or content


def as_sent_by_us(client: Otherwise, recorded: list[Message]) -> list[Message]:
    """The recorded messages without what that client adds."""
    messages: list[Message] = []
    for message in recorded:
        if client.splits_what_the_user_says and messages and messages[-1]["role"] == message["role"]:
            messages[-1] = messages[-1] | {"content": messages[-1]["content"] + message["content"]}
        else:
            messages.append(message)
    if client.tells_success:
        messages = [
            message | {"content": [without_success(block) for block in message["content"]]}
            for message in messages
        ]
    return messages


def without_success(block: dict[str, Any]) -> dict[str, Any]:
    if block.get("toolResult", {}).get("status") != "success":
        return block
    return {"toolResult": {name: value for name, value in block["toolResult"].items() if name != "status"}}
