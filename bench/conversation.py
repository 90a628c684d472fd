"""A conversation that is written to the database without a single turn being run."""

import json
from typing import Any

ANSWER = """The most popular song on **WZPZ** is *Elemental Hotel* by 8 Storey Hike, number {number} of the list.

1. A turntable turns a record at a steady speed.
2. A needle follows its groove, `{number}` times.

```python
def minutes(seconds: int) -> float:
    return seconds / 60
```
"""


def fill(turns: int) -> str:
    """The id of a conversation of the site's owner with so many turns."""
    import django

    django.setup()
    from django.contrib.auth.models import User
    from django.db import transaction

    from conversations.models import Conversation

    owner = User.objects.get()
    conversation = Conversation.objects.create(owner=owner, model="bench", title=f"{turns} turns")
    with transaction.atomic():
        _add_turns(conversation, turns)
    return str(conversation.pk)


def _add_turns(conversation: Any, turns: int) -> None:
    from conversations.journal.recordings import squeeze, summary
    from conversations.models import Recording, Turn

    seq, turn = 0, None
    for number in range(1, turns + 1):
        columns = {"conversation": conversation, "parent": turn, "number": number, "user": conversation.owner}
        turn = Turn.objects.create(**columns, model="bench", status=Turn.Status.COMPLETED)
        lines = _lines(str(turn.pk), number, seq)
        Recording.objects.create(
            turn=turn,
            conversation=conversation,
            first_seq=seq + 1,
            last_seq=seq + len(lines),
            body=squeeze("\n".join(f"{line}\t" for line in lines)),
            snapshot=squeeze(json.dumps(summary(turn.pk, lines))),
        )
        seq += len(lines)


def _lines(turn: str, number: int, seq: int) -> list[str]:
    """A turn's frames as JSON, numbered from after `seq`."""
    frames = enumerate(_frames(turn, number), seq + 1)
    return [
        json.dumps(
            frame | {"timestamp": 1_700_000_000_000, "metadata": frame.get("metadata", {}) | {"seq": at}}
        )
        for at, frame in frames
    ]


def _frames(turn: str, number: int) -> list[dict[str, Any]]:
    """A turn: a question, and its answer."""
    question, answer = f"{turn}:q", f"{turn}:1:0"
    return [
        {"type": "RUN_STARTED", "threadId": "bench", "runId": turn},
        {"type": "TEXT_MESSAGE_START", "messageId": question, "role": "user"},
        {
            "type": "TEXT_MESSAGE_CONTENT",
            "messageId": question,
            "delta": "What is the most popular song on WZPZ?",
        },
        {"type": "TEXT_MESSAGE_END", "messageId": question},
        {"type": "STEP_STARTED", "stepName": "round 1"},
        {"type": "TEXT_MESSAGE_START", "messageId": answer, "role": "assistant"},
        {"type": "TEXT_MESSAGE_CONTENT", "messageId": answer, "delta": ANSWER.format(number=number)},
        {"type": "TEXT_MESSAGE_END", "messageId": answer},
        {"type": "STEP_FINISHED", "stepName": "round 1", "metadata": {"stopReason": "end_turn"}},
        {"type": "RUN_FINISHED", "threadId": "bench", "runId": turn},
    ]
