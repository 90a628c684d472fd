"""Hypothesis strategies: a stream's events cut, woven, shuffled and damaged."""

from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any

from hypothesis import strategies as st

from tests.protocol.own_streams import OWN

Event = tuple[str, Any]
Wrap = Callable[[str], dict[str, Any]]

any_text = st.text(st.characters(exclude_categories=()), max_size=12)
any_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | any_text,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(any_text, inner, max_size=3),
    max_leaves=6,
)


@st.composite
def recut(draw: st.DrawFn, events: list[Event]) -> list[Event]:
    """The same events, each fragment cut into several at any UTF-16 unit, as JSON's escapes allow."""
    return [(name, part) for name, payload in events for part in draw(_pieces(payload))]


@st.composite
def _pieces(draw: st.DrawFn, payload: Any) -> list[Any]:
    wrap, fragment = _fragment(payload.get("delta", {}))
    if wrap is None:
        return [payload]
    units = _code_units(fragment)
    cuts = [0, *sorted(draw(st.lists(st.integers(0, len(units)), max_size=4))), len(units)]
    texts = ["".join(units[first:last]) for first, last in pairwise(cuts)]
    return [payload | {"delta": wrap(text)} for text in texts]


def _fragment(delta: dict[str, Any]) -> tuple[Wrap | None, str]:
    if "text" in delta:
        return lambda part: {"text": part}, delta["text"]
    if "toolUse" in delta:
        return lambda part: {"toolUse": {"input": part}}, delta["toolUse"]["input"]
    if "text" in delta.get("reasoningContent", {}):
        return lambda part: {"reasoningContent": {"text": part}}, delta["reasoningContent"]["text"]
    return None, ""


def _code_units(text: str) -> list[str]:
    encoded = text.encode("utf-16-le", "surrogatepass")
    return [encoded[at : at + 2].decode("utf-16-le", "surrogatepass") for at in range(0, len(encoded), 2)]


@st.composite
def woven(draw: st.DrawFn, events: list[Event]) -> list[Event]:
    """The same events with their blocks interleaved; the order within a block stays."""
    of_blocks = [event for event in events if "contentBlockIndex" in event[1]]
    order = draw(st.permutations([payload["contentBlockIndex"] for _, payload in of_blocks]))
    queues = {index: iter([e for e in of_blocks if e[1]["contentBlockIndex"] == index]) for index in order}
    first = [event for event in events if event[0] == "messageStart"]
    last = [event for event in events if event[0] in ("messageStop", "metadata")]
    return [*first, *(next(queues[index]) for index in order), *last]


@st.composite
def _perhaps_damaged(draw: st.DrawFn, event: Event) -> Event:
    """The event, a fourth of the time with something of it replaced by any JSON."""
    name, payload = event
    places = list(_places(payload))
    place = draw(st.sampled_from([*[None] * 3 * len(places), *places]))
    return (name, payload) if place is None else (name, _replaced(payload, place, draw(any_json)))


def _places(value: Any) -> Iterator[tuple[str, ...]]:
    yield ()
    if isinstance(value, dict):
        yield from ((key, *place) for key, item in value.items() for place in _places(item))


def _replaced(value: Any, place: tuple[str, ...], by: Any) -> Any:
    if not place:
        return by
    return value | {place[0]: _replaced(value[place[0]], place[1:], by)}


pool = {str(event): event for stream in OWN for event in stream.events}.values()
ends = [event for event in pool if event[0] == "messageStop"]
others = st.sampled_from([event for event in pool if event not in ends]).flatmap(_perhaps_damaged)
wild = st.builds(
    lambda events, end: [*events, *end],
    st.integers(0, 30).flatmap(lambda size: st.lists(others, min_size=size, max_size=size)),
    st.lists(st.sampled_from(ends).flatmap(_perhaps_damaged), max_size=1),
)
"""Events of any streams in any order, some of them damaged, most with an end."""
