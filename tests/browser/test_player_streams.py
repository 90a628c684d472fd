"""Bedrock's own streams, recorded by a server and played in the page.

At the end, in the middle and at the beginning the player shows what the reducer comes to by then, drawn anew.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from conversations.gateway.frames import encode
from tests.gateway.wire import Answer, WireServer, answer_frames
from tests.protocol.own_streams import OWN
from tests.protocol.recorded import NONE_HERE, SETS, Stream
from tests.recorded_streams import questions, response_of
from tests.servers import serving, site

ASK = """async (questions) => {
    const body = new URLSearchParams({csrfmiddlewaretoken: document.querySelector("[name=csrfmiddlewaretoken]").value});
    const {url} = await fetch("/conversations/", {method: "POST", body});
    const address = url.replace("http", "ws").replace("/conversations/", "/ws/conversations/");
    const socket = new WebSocket(`${address}?after=0`);
    const arrival = (types) => new Promise((resolve) => {
        socket.onmessage = ({data}) => {
            const {type, metadata} = JSON.parse(data);
            if (metadata?.seq) socket.send(JSON.stringify({type: "ack", seq: metadata.seq}));
            if (types.includes(type)) resolve();
        };
    });
    await new Promise((resolve) => (socket.onopen = resolve));
    for (const text of questions) {
        socket.send(JSON.stringify({type: "message", id: crypto.randomUUID(), text}));
        await arrival(["RUN_FINISHED", "RUN_ERROR"]);
    }
    socket.close();
    return url;
}"""
# Where it has been and what it showed there, beside what is to be shown: all that is on record till then, reduced and drawn at once.
SEEK = """async () => {
    const load = (name) => import(document.querySelector(`[rel=modulepreload][href*="/${name}."]`).href);
    const {momentsOf} = await load("player/moments");
    const {EMPTY, reduce} = await load("transcript/reducer");
    const {View} = await load("transcript/view");
    const {turns} = await (await fetch("outline/")).json();
    const all = [];
    for (const {id, begin} of turns) all.push(...momentsOf(await (await fetch(`turns/${id}/`)).text(), begin));
    const page = document.getElementById("conversation"), log = document.getElementById("transcript");
    const frame = () => new Promise(requestAnimationFrame);
    const loadPictures = async (root) => {  // words take the place of one that cannot be shown, once it has been tried
        while ([...root.querySelectorAll(".picture > img")].some((image) => !image.naturalWidth)) await frame();
    };
    const markup = (node) => node.nodeType === Node.TEXT_NODE ? node.data : `<${node.tagName}${
        node.getAttributeNames().filter((name) => !["data-since", "data-waited"].includes(name)).sort()
            .map((name) => ` ${name}="${node.getAttribute(name)}"`).join("")
    }>${node.className === "elapsed" ? "" : [...node.childNodes].map(markup).join("")}</>`;
    const transcriptAfter = async (go) => {
        const moved = new Promise((resolve) => page.addEventListener("moved", resolve, {once: true}));
        go();
        await moved;
        while (log.ariaBusy === "true") await frame();
        await loadPictures(log);
        return [...log.children].map(markup).join("");
    };
    const reducedAt = async (time) => {
        const view = new View(document.createElement("div"));
        const events = all.filter(({at}) => at <= time).map(({event}, at) => ({...event, metadata: {...event.metadata, seq: at + 1}}));
        const state = {...events.reduce(reduce, EMPTY), queue: [], played: true};
        while (!view.render(state, [])) await frame();
        await loadPictures(view.log);
        return [...view.log.children].map(markup).join("");
    };
    const times = [...new Set(all.map(({at}) => at))];
    const range = document.querySelector("#track input");
    const slide = (value) => () => {
        range.value = value;
        range.dispatchEvent(new Event("input"));
    };
    const middle = times[times.length >> 1];
    const ways = {
        end: [slide(range.max), times.at(-1)],
        middle: [() => (location.hash = `#at-${middle}`), middle],
        beginning: [slide(0), times[0]],
    };
    const places = [];
    for (const [name, [go, time]] of Object.entries(ways)) places.push([name, await transcriptAfter(go), await reducedAt(time)]);
    return places;
}"""
Played = tuple[list[Answer], list[str]]
"""The gateway's answers, and the questions."""


def own_streams() -> Mapping[str, Played]:
    """The project's own streams."""
    return {stream.name: ([answer_of(stream)], ["Go on."]) for stream in OWN}


def answer_of(stream: Stream) -> Answer:
    frames = (encode(name, json.dumps(payload).encode()) for name, payload in stream.events)
    return Answer.stream(*frames)


def recorded_streams() -> Mapping[str, Played]:
    """The recorded ones, several rounds of a set one after the other."""
    return {
        name: (
            [response_of(stream) for stream in rounds],
            questions(rounds[-1].request["messages"]) if len(rounds) > 1 else ["Go on."],
        )
        for name, rounds in SETS.items()
    }


class Studio:
    """A tab at a server whose gateway answers with what it is given."""

    def __init__(self, page: Page, gateway: WireServer) -> None:
        self.page, self.gateway = page, gateway

    def record(self, streams: Mapping[str, Played]) -> dict[str, str]:
        """The address of a conversation for each, recorded by the server."""
        self.page.goto("/")
        return {name: self._recorded(*played) for name, played in streams.items()}

    def _recorded(self, answers: list[Answer], questions: list[str]) -> str:
        self.gateway.play(*answers, Answer.stream(*answer_frames("Done.")))
        return str(self.page.evaluate(ASK, questions))

    def places(self, address: str) -> list[list[str]]:
        """The player at the end, the middle and the beginning: the place, what it shows, what it should show."""
        self.page.goto(f"{address}replay/")
        self.page.get_by_role("button", name="Play", exact=True).wait_for()
        places: list[list[str]] = self.page.evaluate(SEEK)
        return places


@pytest.fixture(scope="module")
def studio(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    """One server and one tab for all streams."""
    variables = {"GATEWAY_RETRIES": "1", "USER_TURNS_PER_MINUTE": "0"}
    with WireServer([]) as gateway:
        environment = site(tmp_path_factory.mktemp("site"), GATEWAY_URL=gateway.url, **variables)
        with serving(environment) as server:
            context = browser.new_context(base_url=server.url, reduced_motion="reduce")
            page = context.new_page()
            failures: list[str] = []
            page.on("pageerror", lambda error: failures.append(str(error)))
            page.goto(server.url + server.path)
            yield Studio(page, gateway)
            context.close()
            assert failures == []


@pytest.mark.parametrize(
    "streams",
    [own_streams, pytest.param(recorded_streams, marks=() if SETS else NONE_HERE)],
    ids=["own", "recorded"],
)
def test_the_player_shows_of_every_stream_what_the_reducer_comes_to(studio: Studio, streams: Any) -> None:
    moving = 0
    for name, address in studio.record(streams()).items():
        places = studio.places(address)
        assert [place for place, transcript, reduced in places if transcript != reduced] == [], name
        moving += len({transcript for _, transcript, _ in places}) > 1
    assert moving, "a whole turn may take no millisecond, but not all of them"
