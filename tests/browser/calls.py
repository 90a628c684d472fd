"""Tool calls on a staged page: rounds of them, decisions about them, and their results."""

import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any

from playwright.sync_api import Locator, Page, expect

from conversations.protocol.agui import events, interrupts
from tests.browser.chat import Chat
from tests.browser.stage import Stage
from tests.files import picture
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

    def round(self, *calls: tuple[str, Any]) -> list[str]:
        """Writes a round that asks for these calls: a name and arguments, as a value or as JSON, for each.

        A question comes before it if no turn runs.
        """
        if not self.record.running:
            self.record.ask("Please look it up.")
        self.record.step()
        ids = [self.request(name, arguments) for name, arguments in calls]
        self.record.finish_step()
        return ids

    def request(self, name: str, arguments: Any) -> str:
        """Writes a call, and returns its id."""
        self.record.call(name=name)
        self.ids.append(self.record.events[-1]["toolCallId"])
        self.record.part(
            arguments if isinstance(arguments, str) else json.dumps(arguments, ensure_ascii=False)
        )
        self.record.end()
        return self.ids[-1]

    def answer(self, call: str, result: Any, error: str = "", ms: int = 7, cut: bool = False) -> None:
        """Writes a call's result, a value or a text."""
        text = result if isinstance(result, str) else json.dumps(result, ensure_ascii=False)
        status = "error" if error else "success"
        event = events.tool_call_result(call, text, status=status, duration_ms=ms, error=error)
        self.record.write(event | {"metadata": event["metadata"] | ({"cut": True} if cut else {})})
        if call in self.record._calls:
            self.record._calls.remove(call)

    def one(self, arguments: Any, result: Any, error: str = "", name: str = "top_song", ms: int = 7) -> None:
        """Writes a round of one call, and its result."""
        [call] = self.round((name, arguments))
        self.answer(call, result, error, ms)

    def waits(self, *calls: str, hours: float = 24, whole_tool: bool = False) -> None:
        """Makes the turn wait for a decision on these calls."""
        names = {
            event["toolCallId"]: event.get("toolCallName", "")
            for event in self.record.events
            if "toolCallId" in event
        }
        for event in self.record.events:
            if event["type"] == "TOOL_CALL_START":
                names[event["toolCallId"]] = event["toolCallName"]
        expires = (datetime.now(UTC) + timedelta(hours=hours)).isoformat()
        pending = [
            interrupts.interrupt(call, names[call], expires, allows_whole_tool=whole_tool) for call in calls
        ]
        self.record._waits = True
        self.record.write(interrupts.run_interrupted(CONVERSATION, self.record.turn, pending, []))

    def decide(self, call: str, decision: str, by: str = "owner", **detail: Any) -> None:
        """Writes a decision, with which the turn goes on."""
        if self.record._waits:
            self.record._waits = False
            self.record.write(events.run_started(CONVERSATION, f"{self.record.turn}:2"))
        self.record.write(interrupts.decision(call, decision, by, detail))

    def finish(self) -> None:
        """Ends the turn with a text of the model's."""
        self.record.step()
        self.record.text()
        self.record.part("There you are.")
        self.record.end()
        self.record.finish_step()
        self.record.finish()

    def live(self) -> Chat:
        """The page, which gets everything event by event."""
        return self.stage.live()

    def frame(self, kind: str) -> dict[str, Any]:
        """The one frame of a type that the page has sent."""
        [frame] = self.stage.frames(kind)
        return frame

    def refuses(self, frame: dict[str, Any], why: str) -> None:
        """Refuses a frame of the page."""
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


def card_of(calls: Calls, result: object, arguments: object = "{}") -> Locator:
    """The unfolded card of a call."""
    calls.one(arguments, result)
    card = calls.live().tool("top_song")
    expect(card.locator(".tool-state")).to_have_text("Succeeded")
    return opened(card)


def cards_of(calls: Calls, *results: object) -> list[Locator]:
    """The unfolded cards of calls, one after the other, with these results."""
    for result in results:
        calls.one("{}", result)
    cards = calls.live().tool("top_song")
    expect(cards.locator(".tool-state")).to_have_text(["Succeeded"] * len(results))
    return [opened(card) for card in cards.all()]


def picture_in_base64(width: int = 96, height: int = 48) -> str:
    """A PNG, as results of tools have it."""
    return base64.b64encode(picture(size=(width, height))).decode()
