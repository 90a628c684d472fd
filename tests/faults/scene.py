"""A conversation in which something goes wrong, and the checks that hold whatever it was."""

import json
import uuid
from datetime import timedelta
from typing import Any

from ag_ui_validate.pytest_plugin import assert_valid_agui
from django.utils import timezone

from conversations import engine
from conversations.demo_gateway.refusals import refusal
from conversations.gateway.frames import encode
from conversations.journal import page
from conversations.models import Conversation, Message, Round, ToolCall, Turn
from tests.gateway.wire import Answer, WireServer, answer_frames
from tests.turns import Event, answer, ask, news, record

BROKEN_ARGUMENTS = {"AGUI204": "off"}  # tool input is shown as the model sent it
HEALTHY = Answer.stream(*answer_frames("All is ", "well."))
SOON = 5.0
STOPS_IN = timedelta(seconds=1)
HELLO = answer_frames("Hello", " world")
PART = HELLO[:3]
"""The frames up to `Hello world`, with the block still open."""


class Scene:
    """A conversation and the gateway it talks to."""

    def __init__(self, conversation: Conversation, server: WireServer) -> None:
        self.conversation, self.server = conversation, server

    def ask(self, *answers: Any, text: str = "Hello?") -> Turn:
        """Runs a turn to its end; the gateway gives these answers, the last one again and again."""
        self.server.play(*answers)
        return ask(self.conversation, text)

    def begin(self, *answers: Any, text: str = "Hello?") -> Turn:
        """Begins a turn to which the gateway gives these answers."""
        self.server.play(*answers)
        return engine.start(self.conversation.pk, str(uuid.uuid4()), text).turn

    def stop(self) -> None:
        """Stops the turn, which ends within the second that is promised."""
        requested = timezone.now()
        assert engine.stop(self.conversation.pk)
        assert engine.WORKER.wait(SOON), "the turn did not end"
        turn = self.conversation.turns.latest("number")
        assert turn.finished_at
        assert turn.finished_at - requested < STOPS_IN

    def events(self, turn: Turn | None = None) -> list[Event]:
        """The record, or a turn's part of it, which is empty until its beginning is stored."""
        events = record(self.conversation)
        if turn is None:
            return events
        starts = [n for n, event in enumerate(events) if event["type"] == "RUN_STARTED"]
        begin = next((n for n in starts if events[n]["runId"] == str(turn.pk)), len(events))
        return events[begin : next((n for n in starts if n > begin), None)]

    def calls(self) -> int:
        """Requests that reached the gateway since its script began."""
        return len(self.server.requests)

    def check_failed(self, turn: Turn, code: str, text: str = "") -> Event:
        """Checks that the turn failed with this code and kept this text; returns its last event."""
        last = self.events(turn)[-1]
        assert (last["type"], last.get("code")) == ("RUN_ERROR", code), last
        assert (turn.status, turn.error_code, turn.error_text) == (Turn.Status.FAILED, code, last["message"])
        self.check(turn, text)
        return last

    def check_completed(self, turn: Turn, text: str) -> None:
        """Checks that the turn ended well, with this answer."""
        last = self.events(turn)[-1]
        assert (last["type"], turn.status) == ("RUN_FINISHED", Turn.Status.COMPLETED), last
        self.check(turn, text)

    def check_stopped(self, turn: Turn, text: str) -> None:
        """Checks that the turn was stopped, with this text kept."""
        turn.refresh_from_db()
        last = self.events(turn)[-1]
        assert (last["type"], last["outcome"]) == ("RUN_FINISHED", {"type": "cancelled"})
        assert turn.status == Turn.Status.STOPPED
        self.check(turn, text)

    def check(self, turn: Turn, text: str) -> None:
        """Checks that the record, the rows and the snapshot hold the same text.

        The record is valid, nothing is left open, and Bedrock would have taken each request.
        """
        events = self.events()
        assert_valid_agui(events, severity_overrides=BROKEN_ARGUMENTS)
        assert [e["metadata"]["seq"] for e in events] == list(range(1, len(events) + 1))
        assert answer(self.events(turn)) == text
        assert stored_text(turn) == text
        assert self.snapshot_text(turn) == text
        assert not ToolCall.objects.filter(turn=turn, result__isnull=True).exists()
        assert not Round.objects.filter(turn=turn, status=Round.Status.RUNNING).exists()
        assert [refusal(json.loads(request.body)) for request in self.server.requests] == [
            None
        ] * self.calls()

    def snapshot_text(self, turn: Turn) -> str:
        """The turn's answer in a page that is opened now."""
        messages = page(self.conversation).messages
        ours = [m for m in messages if m["role"] == "assistant" and m["id"].startswith(str(turn.pk))]
        return "".join(message.get("content") or "" for message in ours)

    def check_alive(self) -> None:
        """Checks that the next message is answered, with a request that Bedrock takes."""
        turn = self.ask(HEALTHY, text="And now?")
        self.check_completed(turn, "All is well.")


def stored_text(turn: Turn) -> str:
    """The text of the turn's assistant messages."""
    messages = Message.objects.filter(turn=turn, role=Message.Role.ASSISTANT).order_by("round")
    return "".join(block.get("text", "") for message in messages for block in message.content)


def retries(events: list[Event]) -> list[dict[str, Any]]:
    """The values of the events that announce a retry."""
    return news(events, "retrying")


def asking_for(*calls: tuple[str, str, str], stop: str = "tool_use", before: str = "") -> list[bytes]:
    """The frames of a round that asks for tools, with `before` as text in front of them.

    A call is its id, its name and its input's text.
    """
    payloads: list[tuple[str, dict[str, Any]]] = [("messageStart", {"role": "assistant"})]
    if before:
        payloads += [
            ("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"text": before}}),
            ("contentBlockStop", {"contentBlockIndex": 0}),
        ]
    for index, (call, name, text) in enumerate(calls, bool(before)):
        start = {"toolUse": {"toolUseId": call, "name": name}}
        payloads += [
            ("contentBlockStart", {"contentBlockIndex": index, "start": start}),
            ("contentBlockDelta", {"contentBlockIndex": index, "delta": {"toolUse": {"input": text}}}),
            ("contentBlockStop", {"contentBlockIndex": index}),
        ]
    payloads += [("messageStop", {"stopReason": stop})]
    return [encode(name, payload) for name, payload in payloads]
