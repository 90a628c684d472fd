"""The player's page with a recording that the test writes, and the server's answers about it."""

import json
import re
from typing import Any
from urllib.parse import parse_qs, urlsplit

from playwright.sync_api import Page, Route, expect

from conversations.journal.recordings import summary
from conversations.playback.outline import outline
from tests.browser.chat import new_conversation
from tests.reducing.record import Record

BEGUN = 1_700_000_000_000
DOM = """async () => {
    const log = document.getElementById("transcript");
    while (log.ariaBusy === "true") await new Promise(requestAnimationFrame);
    const markup = (node) => node.nodeType === Node.TEXT_NODE ? node.data : `<${node.tagName}${
        node.getAttributeNames().sort().map((name) => ` ${name}="${node.getAttribute(name)}"`).join("")
    }>${[...node.childNodes].map(markup).join("")}</>`;
    return markup(log);
}"""
AFTER = """([act, value]) => new Promise((resolve) => {
    const page = document.getElementById("conversation");
    page.addEventListener("moved", () => resolve(), {once: true});
    const key = () => new KeyboardEvent("keydown", {key: value, shiftKey: /[A-Z]/.test(value), bubbles: true});
    if (act === "key") document.body.dispatchEvent(key());
    if (act === "hash") location.hash = value;
})"""


class Tape:
    """A recording, an event every `pace` ms but where `waits` has another time for its number.

    Turns follow on one another but where `parents` has another one's number for a turn's, or 0 for none.
    """

    def __init__(
        self,
        record: Record,
        pace: int = 100,
        waits: dict[int, int] | None = None,
        parents: dict[int, int] | None = None,
    ) -> None:
        self.parents = parents or {}
        self.turns: list[list[dict[str, Any]]] = []
        self.times: list[int] = []
        self.pending: list[Route] | None = None  # requests for turns that wait for `release`
        at = BEGUN
        for turn in record.turns:
            self.turns.append([])
            for event in turn:
                at += (waits or {}).get(event["metadata"]["seq"], pace)
                self.turns[-1].append(event | {"timestamp": at})
                self.times.append(at)

    def lines(self, turn: int) -> list[str]:
        """A turn's stored lines."""
        return [json.dumps(event, separators=(",", ":")) + "\t" for event in self.turns[turn]]

    def outline(self) -> dict[str, Any]:
        """The player's first answer: an outline of each turn."""
        turns = []
        ids = [None, *(turn[0]["runId"] for turn in self.turns)]
        for number, turn in enumerate(self.turns):
            parent = ids[self.parents.get(number + 1, number)]
            place = {"id": turn[0]["runId"], "number": number + 1, "parent": parent}
            span = {"first": turn[0]["metadata"]["seq"], "last": turn[-1]["metadata"]["seq"]}
            turns.append(place | span | outline(self.lines(number)).as_json())
        return {"turns": turns, "running": []}

    def ends(self, first: int, last: int) -> list[dict[str, Any]]:
        """The summaries of the turns in a range."""
        inside = [turn for turn in self.turns if first <= turn[0]["metadata"]["seq"] <= last]
        return [summary(turn[0]["runId"], map(json.dumps, turn)) for turn in inside]

    def open(self, page: Page, anchor: str = "", query: str = "") -> "Playing":
        """The page that plays it."""
        page.route(re.compile("/replay/(outline|turns|ends)/"), self._fulfil)
        page.goto(f"{new_conversation(page)}replay/{query}{anchor}")
        playing = Playing(page)
        expect(playing.play).to_be_visible()
        return playing

    def release(self) -> None:
        """Answers the pending requests, and from now on each at once."""
        routes, self.pending = self.pending or [], None
        for route in routes:
            self._fulfil(route)

    def _fulfil(self, route: Route) -> None:
        url = urlsplit(route.request.url)
        if url.path.endswith("/outline/"):
            route.fulfill(json=self.outline())
        elif url.path.endswith("/ends/"):
            query = parse_qs(url.query)
            route.fulfill(json=self.ends(int(query["first"][0]), int(query["last"][0])))
        elif self.pending is not None:
            self.pending.append(route)
        else:
            ids = [turn[0]["runId"] for turn in self.turns]
            route.fulfill(
                body="\n".join(self.lines(ids.index(url.path.split("/")[-2]))), content_type="text/plain"
            )


class Playing:
    """The player as its users know it."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.player = page.get_by_role("region", name="Player")
        self.play = self.player.get_by_role("button", name="Play", exact=True)
        self.pause = self.player.get_by_role("button", name="Pause", exact=True)
        self.slider = self.player.get_by_role("slider", name="Position")
        self.skipping = self.player.get_by_role("checkbox", name="Skip waiting")
        self.times = self.player.locator(".times")
        """Elapsed and total time."""

        self.log = page.get_by_role("log", name="Conversation")

    @property
    def position(self) -> int:
        """The place of the slider, in ms."""
        return int(self.slider.input_value())

    def dom(self) -> str:
        """The transcript, once all of it is drawn: its elements, their attributes in order, its text."""
        return str(self.page.evaluate(DOM))

    def step(self, key: str = "e") -> None:
        """Presses a key that goes elsewhere, and waits until it is there."""
        self.page.evaluate(AFTER, ["key", key])

    def at(self, time: int) -> None:
        """Goes to a recorded time by its address."""
        self.page.evaluate(AFTER, ["hash", f"#at-{time}"])


def three_turns() -> Record:
    """Three turns: a call that succeeds, a crash in the middle, a failure."""
    record = Record()
    record.ask("first question")
    record.step()
    record.reasoning()
    for word in ("Let ", "me ", "see."):
        record.part(word)
    record.end()
    record.call()
    record.part('{"sign": ')
    record.part('"WZPZ"}')
    record.end()
    record.finish_step()
    record.answer('{"song": "Elemental Hotel"}', "success")
    record.step()
    record.text()
    for word in ("A *list*:\n\n", "- one\n", "- two\n\n", "and `code`", " at the end."):
        record.part(word)
    record.end()
    record.finish_step()
    record.finish()
    record.ask("second question")
    record.step()
    record.text()
    record.part("This is ")
    record.crash()
    record.step()
    record.text()
    record.part("This is whole.")
    record.end()
    record.call(name="other")
    record.end()
    record.finish_step()
    record.answer("broken", "error")
    record.step()
    record.retry()
    record.text()
    record.part("Done.")
    record.stop()
    record.ask("third question")
    record.step()
    record.text()
    record.part("It breaks")
    record.fail()
    return record
