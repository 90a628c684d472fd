"""Tool calls on a staged page: rounds of them, what they wait for, what came of them."""

import base64
import json
import struct
import zlib
from datetime import UTC, datetime, timedelta
from typing import Any

from playwright.sync_api import Locator, Page, expect

from conversations.protocol.agui import events, interrupts
from tests.browser.conversing import Chat
from tests.browser.staging import Stage
from tests.reducing.record import CONVERSATION

SONGS = [
    {"song": "Elemental Hotel", "artist": "8 Storey Hike", "plays": 12},
    {"song": "Brick Lane", "artist": "Ada", "plays": 9007199254740993},
    {"song": "Cold Tea", "artist": "Zoë", "plays": 9007199254740992},
]


class Calls:
    """A staged conversation that calls tools."""

    def __init__(self, page: Page) -> None:
        self.stage = Stage(page)
        self.record = self.stage.record
        self.ids: list[str] = []

    def asked(self, *calls: tuple[str, Any]) -> list[str]:
        """A question, and a round that asks for these: each a name and its arguments, as a value or as JSON."""
        if not self.record.running:
            self.record.ask("Please look it up.")
        self.record.step()
        begun = [self.begun(name, given) for name, given in calls]
        self.record.finish_step()
        return begun

    def begun(self, name: str, given: Any) -> str:
        """A call is written."""
        self.record.call(name=name)
        self.ids.append(self.record.events[-1]["toolCallId"])
        self.record.part(given if isinstance(given, str) else json.dumps(given, ensure_ascii=False))
        self.record.end()
        return self.ids[-1]

    def answered(self, call: str, result: Any, error: str = "", ms: int = 7, cut: bool = False) -> None:
        """A call has its result, as a value or as text."""
        text = result if isinstance(result, str) else json.dumps(result, ensure_ascii=False)
        status = "error" if error else "success"
        told = events.tool_call_result(call, text, status=status, duration_ms=ms, error=error)
        self.record.write(told | {"metadata": told["metadata"] | ({"cut": True} if cut else {})})
        if call in self.record._calls:
            self.record._calls.remove(call)

    def one(self, given: Any, result: Any, error: str = "", name: str = "top_song", ms: int = 7) -> None:
        """A round of one call."""
        [call] = self.asked((name, given))
        self.answered(call, result, error, ms)

    def waits(self, *calls: str, hours: float = 24) -> None:
        """The turn waits for a decision on these."""
        names = {
            each["toolCallId"]: each.get("toolCallName", "")
            for each in self.record.events
            if "toolCallId" in each
        }
        for event in self.record.events:
            if event["type"] == "TOOL_CALL_START":
                names[event["toolCallId"]] = event["toolCallName"]
        expires = (datetime.now(UTC) + timedelta(hours=hours)).isoformat()
        asked = [interrupts.interrupt(call, names[call], expires) for call in calls]
        self.record._waits = True
        self.record.write(interrupts.run_interrupted(CONVERSATION, self.record.turn, asked, []))

    def decided(self, call: str, decision: str, by: str = "owner", **detail: Any) -> None:
        """The turn goes on after a decision."""
        if self.record._waits:
            self.record._waits = False
            self.record.write(events.run_started(CONVERSATION, f"{self.record.turn}:2"))
        self.record.write(interrupts.decision(call, decision, by, detail))

    def finished(self) -> None:
        """The turn ends with a word of the model's."""
        self.record.step()
        self.record.text()
        self.record.part("There you are.")
        self.record.end()
        self.record.finish_step()
        self.record.finish()

    def live(self) -> Chat:
        """The page, told event by event."""
        return self.stage.live()

    def frame(self, kind: str) -> dict[str, Any]:
        """The one frame of a type that the page has sent."""
        [frame] = self.stage.sent(kind)
        return frame

    def refuses(self, frame: dict[str, Any], why: str) -> None:
        """The server refuses a frame."""
        self.stage.tell("refused", {"id": frame["id"], "code": "invalid_request", "message": why})


def opened(card: Locator) -> Locator:
    """The card, unfolded."""
    if card.get_attribute("open") is None:
        card.locator("summary").first.click()
    expect(card).to_have_attribute("open", "")
    return card


def press(card: Locator, name: str) -> None:
    """Presses a button by keyboard."""
    card.get_by_role("button", name=name, exact=True).press("Enter")


def shown(calls: Calls, result: object, given: object = "{}") -> Locator:
    """The unfolded card of a call."""
    calls.one(given, result)
    card = calls.live().tool("top_song")
    expect(card.locator(".tool-state")).to_have_text("Succeeded")
    return opened(card)


def picture(width: int = 96, height: int = 48) -> str:
    """A PNG with a slope of colours, in base64."""
    rows = b"".join(
        b"\0" + bytes(value for x in range(width) for value in (165, 66 + x % 128, 15 + y % 128))
        for y in range(height)
    )
    parts = [
        (b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)),
        (b"IDAT", zlib.compress(rows)),
        (b"IEND", b""),
    ]
    chunks = (
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in parts
    )
    return base64.b64encode(b"\x89PNG\r\n\x1a\n" + b"".join(chunks)).decode()
