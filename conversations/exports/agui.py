"""A conversation's record as AG-UI JSON Lines: an event a line, as sockets got it."""

import json
from collections.abc import Iterator
from typing import Any
from uuid import UUID

from conversations.journal import read
from conversations.journal.lines import encode
from conversations.models import Conversation, Tree
from conversations.protocol.agui.snapshot import Snapshot


def as_lines(conversation: Conversation) -> Iterator[str]:
    """The record from its beginning, a line an event.

    A run that goes on after a wait begins with a MESSAGES_SNAPSHOT of what came before it: readers forget a run's calls when it ends.
    """
    tree, snapshots = Tree.of(conversation.pk), dict[str, Snapshot]()
    reached, turn = 0, ""
    while frames := read(conversation.pk, reached):
        reached = frames[-1][0]
        for _, data in frames:
            event = json.loads(data)
            turn, _, run = event.get("runId", turn).partition(":")
            snapshots.setdefault(turn, Snapshot(turn)).apply([event])
            yield data + "\n"
            if run and event["type"] == "RUN_STARTED":
                turns = [snapshots[str(pk)] for pk in tree.line(UUID(turn))]
                yield encode(_messages_snapshot(turns, event)) + "\n"


def _messages_snapshot(turns: list[Snapshot], event: dict[str, Any]) -> dict[str, Any]:
    messages = [message for turn in turns for message in turn.as_list()]
    return {"type": "MESSAGES_SNAPSHOT", "messages": messages, "timestamp": event["timestamp"]}
