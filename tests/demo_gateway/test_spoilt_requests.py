"""Bedrock's validation of requests that nobody would write: it judges each, and ends in no error."""

import copy
from collections.abc import Callable, Iterator
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from conversations.demo_gateway import refusal
from tests.demo_gateway.valid_requests import VALID

LEAVES = st.sampled_from([None, True, 0, -1, 2.5, "", " ", "hi", "t1", "user", "assistant"])
NAMES = (
    "role content text toolUse toolResult toolUseId name input json messages toolConfig tools toolSpec system"
)
KEYS = st.sampled_from(NAMES.split())
TREES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=12,
)


@given(st.dictionaries(KEYS, TREES, max_size=4))
def test_any_json_object_is_judged_without_an_error(body: dict[str, Any]) -> None:
    assert refusal(body) is None or isinstance(refusal(body), str)


@st.composite
def spoilt(draw: Callable[..., Any]) -> dict[str, Any]:
    """A valid request with one value somewhere put in the place of another."""
    body = copy.deepcopy(draw(st.sampled_from(list(VALID.values()))))
    places = list(_places(body))
    holder, key = draw(st.sampled_from(places))
    holder[key] = draw(TREES)
    return body


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    for key, member in value.items() if isinstance(value, dict) else enumerate(value):
        yield value, key
        if isinstance(member, dict | list):
            yield from _places(member)


@given(spoilt())
def test_a_spoilt_request_is_judged_without_an_error(body: dict[str, Any]) -> None:
    assert refusal(body) is None or isinstance(refusal(body), str)
