"""AG-UI events -> the AG-UI messages that they add up to at any moment of a record."""

from collections.abc import Callable, Iterable
from typing import Any

from .events import Event

Message = dict[str, Any]

STATUS_BY_OUTCOME = {"cancelled": "stopped", "interrupt": "waiting"}
ACTIVITIES = ("turntable.image", "turntable.citation", "turntable.server_tool")
"""The custom events that become messages: pictures, citations and server-side tools of a model."""

CALL_METADATA = {"turntable.approval": "approval", "turntable.progress": "progress"}
"""The custom events about a tool call, and the member of its metadata that they become."""

INTERRUPT_MEMBERS = ("id", "message", "toolCallId", "expiresAt", "metadata")
QUESTION_MEMBERS = (*INTERRUPT_MEMBERS, "reason", "responseSchema")
ROUND_MEMBERS = ("stopReason", "usage", "latencyMs", "firstTokenMs", "model", "damaged", "interrupted")
"""The members kept of an interrupt, of an interrupt that asks a question, and of a round's end."""


def _members(interrupt: Event) -> tuple[str, ...]:
    return QUESTION_MEMBERS if interrupt.get("reason") == "input_required" else INTERRUPT_MEMBERS


class Snapshot:
    """The messages and the state of one turn, event by event."""

    def __init__(self, turn: str) -> None:
        self.turn = turn
        self.messages: dict[str, Message] = {}
        self._texts: dict[str, list[str]] = {}
        self.state: dict[str, Any] = {
            "id": turn,
            "status": "queued",
            "error": None,
            "stopReason": None,
            "steps": 0,
            "retrying": None,
            "interrupts": [],
            "rounds": [],
            "startedAt": None,
            "endedAt": None,
        }
        self._step_messages: list[str] = []

    def apply(self, events: Iterable[Event]) -> "Snapshot":
        """Applies further events, in order."""
        for event in events:
            self.state["retrying"] = None
            if change := CHANGES.get(event["type"]):
                change(self, event)
        return self

    def as_list(self) -> list[Message]:
        """The messages, in the order in which they began."""
        return [self._whole(message) for message in self.messages.values()]

    def _whole(self, message: Message) -> Message:
        text = "".join(self._texts.get(message["id"], ()))
        if "toolCalls" in message:
            call = message["toolCalls"][0]
            return message | {"toolCalls": [call | {"function": call["function"] | {"arguments": text}}]}
        return message if message["role"] in ("tool", "activity") else message | {"content": text}

    def _begin(self, message_id: str, message: Message) -> None:
        self.messages[message_id] = (
            {"id": message_id} | message | {"metadata": {"turn": self.turn, "open": True}}
        )
        self._texts[message_id] = []
        self._step_messages.append(message_id)

    def _text_start(self, event: Event) -> None:
        self._begin(event["messageId"], {"role": event.get("role", "assistant"), "content": ""})
        if files := event.get("metadata", {}).get("attachments"):
            self.messages[event["messageId"]]["metadata"]["attachments"] = files

    def _reasoning_start(self, event: Event) -> None:
        self._begin(event["messageId"], {"role": "reasoning", "content": ""})

    def _content(self, event: Event) -> None:
        self._texts[event["messageId"]].append(event["delta"])

    def _end(self, event: Event) -> None:
        self._settle(self.messages[event["messageId"]])

    def _call_start(self, event: Event) -> None:
        if event.get("metadata", {}).get("repeated"):
            return
        function = {"name": event["toolCallName"], "arguments": ""}
        call = {"id": event["toolCallId"], "type": "function", "function": function}
        self._begin(f"call:{event['toolCallId']}", {"role": "assistant", "toolCalls": [call]})

    def _call_args(self, event: Event) -> None:
        self._texts[f"call:{event['toolCallId']}"].append(event["delta"])

    def _call_end(self, event: Event) -> None:
        self._settle(self.messages[f"call:{event['toolCallId']}"])

    def _result(self, event: Event) -> None:
        metadata = {key: value for key, value in event["metadata"].items() if key != "seq"}
        message = {key: event[key] for key in ("toolCallId", "content")}
        failed = {"error": event["content"][:200]} if metadata["status"] == "error" else {}
        self.messages[event["messageId"]] = {
            "id": event["messageId"],
            "role": "tool",
            **message,
            **failed,
            "metadata": {"turn": self.turn, **metadata},
        }
        call = self.messages.get(f"call:{event['toolCallId']}")
        if call and call["metadata"].get("interrupted"):
            self.messages[event["messageId"]]["metadata"]["interrupted"] = True

    def _run_started(self, event: Event) -> None:
        at, rounds = event.get("timestamp"), self.state["rounds"]
        if settings := event.get("metadata", {}).get("settings"):
            self.state["settings"] = settings
        self.state |= {"status": "running", "interrupts": [], "endedAt": None}
        if rounds:
            rounds[-1]["calledAt"] = at
        else:
            self.state["startedAt"] = at

    def _step_started(self, event: Event) -> None:
        self.state["steps"] += 1
        self.state["rounds"].append({"name": event["stepName"], "startedAt": event.get("timestamp")})
        self._step_messages.clear()

    def _step_finished(self, event: Event) -> None:
        metadata, at = event.get("metadata", {}), event.get("timestamp")
        self.state |= {key: metadata[key] for key in ("stopReason", "model", "usage") if key in metadata}
        members = {key: metadata[key] for key in ROUND_MEMBERS if key in metadata}
        if rounds := self.state["rounds"]:
            rounds[-1] |= members | {"endedAt": at, "calledAt": at}
        for message in self._step_messages:
            self._settle(self.messages[message])
        if metadata.get("interrupted"):
            for message in self._step_messages:
                self.messages[message]["metadata"]["interrupted"] = True

    def _run_finished(self, event: Event) -> None:
        outcome = event.get("outcome", {})
        status = STATUS_BY_OUTCOME.get(outcome.get("type"), "completed")
        interrupts = [
            {key: interrupt[key] for key in _members(interrupt) if key in interrupt}
            for interrupt in outcome.get("interrupts", ())
        ]
        self.state |= {"status": status, "interrupts": interrupts, "endedAt": event.get("timestamp")}
        self._settle_all()

    def _run_error(self, event: Event) -> None:
        code, request = event.get("code"), event.get("metadata", {}).get("requestId")
        error = {"code": code, "message": event["message"]} | ({"requestId": request} if request else {})
        if event.get("metadata", {}).get("leftOut"):
            self._leave_out()
        status = "interrupted" if code == "interrupted" else "failed"
        self.state |= {"status": status, "error": error, "endedAt": event.get("timestamp")}
        self._settle_all()

    def _leave_out(self) -> None:
        for message in self.messages.values():
            if message["role"] == "user":
                message["metadata"]["leftOut"] = True

    def _settle_all(self) -> None:
        for message in self.messages.values():
            self._settle(message)

    def _custom(self, event: Event) -> None:
        if event["name"] == "turntable.retrying":
            self.state["retrying"] = event["value"] | {"at": event.get("timestamp")}
        elif event["name"] == "turntable.adjusted":
            value = {key: event["value"][key] for key in ("what", "why")}
            self.state["adjusted"] = [*self.state.get("adjusted", ()), value]
        elif member := CALL_METADATA.get(event["name"]):
            call = self.messages.get(f"call:{event['value']['toolCallId']}")
            if call:
                call["metadata"][member] = event["value"]
        elif event["name"] in ACTIVITIES:
            self._activity(event["name"], event["value"])

    def _activity(self, name: str, value: dict[str, Any]) -> None:
        """Adds a message that is open until its round ends: a picture can be fetched only then."""
        message_id = value["messageId"]
        if name == "turntable.citation":  # its text's message has the id already
            message_id += f":citation:{sum(key.startswith(message_id + ':') for key in self.messages)}"
        self._begin(message_id, {"role": "activity", "activityType": name, "content": value})

    @staticmethod
    def _settle(message: Message) -> None:
        message["metadata"] = {key: value for key, value in message["metadata"].items() if key != "open"}


CHANGES: dict[str, Callable[[Snapshot, Event], None]] = {
    "RUN_STARTED": Snapshot._run_started,
    "TEXT_MESSAGE_START": Snapshot._text_start,
    "TEXT_MESSAGE_CONTENT": Snapshot._content,
    "TEXT_MESSAGE_END": Snapshot._end,
    "REASONING_START": Snapshot._reasoning_start,
    "REASONING_MESSAGE_CONTENT": Snapshot._content,
    "REASONING_END": Snapshot._end,
    "TOOL_CALL_START": Snapshot._call_start,
    "TOOL_CALL_ARGS": Snapshot._call_args,
    "TOOL_CALL_END": Snapshot._call_end,
    "TOOL_CALL_RESULT": Snapshot._result,
    "STEP_STARTED": Snapshot._step_started,
    "STEP_FINISHED": Snapshot._step_finished,
    "RUN_FINISHED": Snapshot._run_finished,
    "RUN_ERROR": Snapshot._run_error,
    "CUSTOM": Snapshot._custom,
}
