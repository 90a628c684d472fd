"""Cache points: where they stand in a request, and that nothing else of it changes."""

import copy
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversations.demo_gateway.refusals import refusal as refused
from conversations.protocol.converse import remedies, request
from conversations.protocol.converse.cache import MOST, PARTS, POINT, with_points, without_points
from conversations.protocol.converse.capabilities import Capabilities, capabilities_of
from conversations.protocol.converse.refusals import refusal
from conversations.protocol.converse.remedies import Remedy
from tests.protocol.histories import valid_conversations
from tests.protocol.messages import IMAGE, assistant, result, use, user

Body = dict[str, Any]
DOCUMENT = {"document": {"format": "pdf", "name": "Doc", "source": {"bytes": "JVBERi0="}}}
TOOL = {
    "toolSpec": {
        "name": "top_song",
        "description": "A song. " * 500,
        "inputSchema": {"json": {"type": "object"}},
    }
}
SHORT = {"toolSpec": TOOL["toolSpec"] | {"description": "A song."}}
LONG = "Be brief. " * 400
CLAUDE = "us.anthropic.claude-sonnet-4-5-20250929-v1:0"
NOVA = "amazon.nova-pro-v1:0"
UNSUPPORTED = "You invoked an unsupported model or your request did not allow prompt caching. See the documentation for more information."


def body_of(*messages: Any, system: str = "Be brief.", tools: Any = (TOOL,)) -> Body:
    return request.body(messages, request.base(system, {}, 4096, tools, messages))


CALLED = body_of(
    user("Which song?"), assistant("Let me see.", use()), user(result()), assistant("That."), user("And now?")
)


def places(body: Body) -> list[str]:
    """Where a request has cache points: `tools`, `system`, or the number of a message."""
    parts = {"tools": body.get("toolConfig", {}).get("tools", []), "system": body.get("system", [])}
    parts |= {str(at): message["content"] for at, message in enumerate(body["messages"])}
    return [name for name, part in parts.items() for block in part if block == POINT]


def test_they_end_the_tools_the_system_prompt_and_the_users_two_newest_messages() -> None:
    body = with_points(CALLED, "all")
    assert places(body) == ["tools", "system", "2", "4"]
    assert [message["content"][-1] for message in body["messages"][2::2]] == [POINT, POINT]


def test_without_tools_or_a_system_prompt_there_are_none_of_those() -> None:
    assert places(with_points(body_of(user(LONG), system="", tools=()), "all")) == ["0"]


def test_where_too_little_stands_for_any_model_to_keep_it_there_is_none() -> None:
    short = body_of(user("Hi"), assistant("Yes?"), user("Which?"), tools=[SHORT])
    assert with_points(short, "all") == short
    body = body_of(user("Hi"), assistant(LONG), user("Which?"), tools=[SHORT])
    assert places(with_points(body, "all")) == ["2"]
    body = body_of(user("Hi"), tools=[SHORT], system=LONG)
    assert places(with_points(body, "all")) == ["system", "0"]
    assert remedies.for_model(capabilities_of(CLAUDE), short) == ()


def test_none_follows_on_a_document_or_stands_in_a_message_of_documents_alone() -> None:
    body = with_points(body_of(user("Hi"), assistant("Yes?"), user("Read", DOCUMENT)), "untooled")
    assert body["messages"][2]["content"] == [{"text": "Read"}, POINT, DOCUMENT]
    body = with_points(body_of(user("Hi"), assistant("Yes?"), user(DOCUMENT)), "untooled")
    assert places(body) == ["system", "0"]


@pytest.mark.large
@given(valid_conversations(), st.booleans(), st.booleans(), st.lists(st.sampled_from([IMAGE, DOCUMENT])))
def test_whatever_the_request_converse_takes_it_and_it_is_the_same_but_for_at_most_four_points(
    messages: list[Any], has_system: bool, has_tools: bool, media: list[Any]
) -> None:
    messages = [*messages, user("Look", *media)] if messages[-1]["role"] == "assistant" else messages
    body = body_of(*messages, system=LONG * has_system, tools=[TOOL] * has_tools)
    before = copy.deepcopy(body)
    for value in PARTS:
        pointed = with_points(body, value)
        assert refused(pointed) is None
        assert body == before == without_points(pointed)
        assert list(pointed) == list(body)
        assert len(places(pointed)) <= MOST
        assert with_points(pointed, value) == pointed
    assert with_points(body, "none") == body


@pytest.mark.large
@given(valid_conversations())
def test_the_next_request_has_a_point_where_this_one_ended(messages: list[Any]) -> None:
    now = [*messages, user("Hi")] if messages[-1]["role"] == "assistant" else messages
    later = [*now, assistant("Yes."), user("And?")]
    first, second = (with_points(body_of(*part), "all")["messages"] for part in (now, later))
    assert second[len(now) - 1] == first[-1]


# -- which models get them


@pytest.mark.parametrize(
    ("model", "change"),
    [
        (CLAUDE, "all"),
        ("anthropic.claude-3-7-sonnet-20250219-v1:0", "all"),
        ("anthropic.claude-3-sonnet-20240229-v1:0", None),
        (NOVA, "untooled"),
        ("cohere.command-r-v1:0", None),
        ("anything", None),
    ],
)
def test_only_models_that_are_known_to_take_them_get_them(model: str, change: str | None) -> None:
    active = {one.kind: one.value for one in remedies.for_model(capabilities_of(model), CALLED)}
    assert active.get("cache") == change


def test_a_model_that_staff_say_takes_them_gets_them() -> None:
    (one,) = remedies.for_model(Capabilities(takes_cache_points=True), CALLED)
    assert (one, one.what) == (Remedy("cache", "all"), "Asked with cache points.")


def test_the_bytes_are_made_again_from_a_stored_base_and_the_stored_remedies() -> None:
    active = remedies.for_model(capabilities_of(CLAUDE), CALLED)
    adjusted = remedies.adjusted(CALLED, active)
    base = {name: part for name, part in adjusted.items() if name != "messages"}
    stored = json.loads(json.dumps(remedies.as_json(active)))
    again = request.body(CALLED["messages"], request.with_system(base, "Be brief."))
    assert request.encoded(remedies.adjusted(again, remedies.from_json(stored))) == request.encoded(adjusted)


# -- where they are refused


@pytest.mark.parametrize(
    ("words", "value", "fact"),
    [
        (UNSUPPORTED, "none", "takes_cache_points"),
        ("Malformed input request: extraneous key [cachePoint] is not permitted", "none", "takes_cache_points"),
        (
            "Malformed input request: #/toolConfig/tools/1: extraneous key [cachePoint] is not permitted",
            "untooled", "takes_cache_point_after_tools",
        ),
    ],
)  # fmt: skip
def test_refused_ones_are_left_out_and_the_model_is_remembered(words: str, value: str, fact: str) -> None:
    body = with_points(CALLED, "all")
    cause = refusal(words)
    one = remedies.remedy(cause, body, why=words)
    assert one == Remedy("cache", value, words)
    assert places(remedies.adjusted(body, [one])) == ["system", "2", "4"] * (value == "untooled")
    assert remedies.capability_facts(cause, one) == {fact: False}
    assert one.change.startswith("with")


def test_where_none_were_sent_there_is_nothing_to_leave_out() -> None:
    assert remedies.remedy(refusal(UNSUPPORTED), CALLED, why=UNSUPPORTED) is None


def test_other_remedies_work_on_a_request_that_has_them() -> None:
    body = with_points(CALLED, "all")
    results = with_points(body_of(user("Which?"), assistant(use()), user(result())), "all")
    for words in ("This model doesn't support tool use.", "This model doesn't support system messages."):
        one = remedies.remedy(refusal(words), body)
        assert one is not None
        assert refused(remedies.adjusted(body, [one])) is None
    withheld = remedies.remedy(refusal("Input is too long for requested model."), results)
    assert withheld == Remedy("results", ["t1"])


@pytest.mark.parametrize("value", ["some", None, 1, []])
def test_what_is_no_choice_of_points_is_no_sound_remedy(value: object) -> None:
    assert not remedies.are_sound([{"kind": "cache", "value": value}])
    assert remedies.are_sound([{"kind": "cache", "value": "all"}])
