"""A refused request, its remedy and the adjusted request, which is valid and reproducible."""

import copy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conversations.protocol.converse import adjustments, history, remedies, request
from conversations.protocol.converse.capabilities import Capabilities
from conversations.protocol.converse.refusals import Refusal, refusal
from conversations.protocol.converse.remedies import (
    Remedy,
    adjusted,
    capability_facts,
    carried,
    combined,
    for_model,
    remedy,
    within_turn,
)
from tests.protocol.histories import valid_conversations
from tests.protocol.messages import (
    IMAGE,
    REDACTED,
    SIGNED,
    assistant,
    blocks,
    refusal_of,
    result,
    round_,
    turn,
    use,
    user,
)

Body = dict[str, Any]
DOCUMENT = {"document": {"format": "pdf", "name": "Doc", "source": {"bytes": "JVBERi0="}}}
TOOL = {
    "toolSpec": {"name": "top_song", "description": "A song.", "inputSchema": {"json": {"type": "object"}}}
}
BIG = 2**70


def body_of(*messages: Any, system: str = "", tools: Any = (), **inference: Any) -> Body:
    """A request of these messages."""
    return request.body(messages, request.base(system, inference, 4096, tools, messages))


def remedied(body: Body, words: str, **known: Any) -> Body:
    """The request after its remedy for a refusal in these words, checked for what holds of all of them."""
    one = remedy(refusal(words), body, **known)
    assert one is not None
    before = copy.deepcopy(body)
    again = adjusted(body, [one])
    assert body == before
    assert adjusted(again, [one]) == again != body
    return again


def contents(body: Body) -> list[Any]:
    return [message["content"] for message in body["messages"]]


CALLED = (user("Which song?"), assistant("Let me see.", use("t1")))


def test_a_refused_signature_is_left_out_of_finished_turns_and_then_everywhere() -> None:
    body = body_of(
        user("Hi"),
        assistant(SIGNED, "Hello."),
        user("And?"),
        assistant(REDACTED, use("t1")),
        user(result("t1")),
    )
    words = "messages.1.content.0: Invalid `signature` in `thinking` block"
    again = remedied(body, words)
    assert contents(again)[1] == blocks(["Hello."])
    assert contents(again)[3] == contents(body)[3]
    assert contents(remedied(again, words))[3] == [use("t1")]


def test_a_message_of_nothing_but_reasoning_leaves_a_mark() -> None:
    body = body_of(user("Hi"), assistant(SIGNED), user("And?"))
    assert contents(remedied(body, "signature: field required"))[1] == blocks([history.INTERRUPTED])


def test_text_beside_a_call_becomes_a_message_of_its_own() -> None:
    body = body_of(*CALLED, user(result("t1")))
    again = remedied(body, "Conversation blocks and tool use blocks cannot be provided in the same turn.")
    assert again["messages"] == [
        user("Which song?"), assistant("Let me see."), user(history.CONTINUE), assistant(use("t1")), user(result("t1"))
    ]  # fmt: skip
    assert refusal_of(again["messages"]) is None


def test_a_line_of_text_stands_for_a_picture_wherever_it_is() -> None:
    body = body_of(user(IMAGE, "Look"), assistant(use("t1")), user(result("t1", "There:", IMAGE)))
    again = remedied(body, "This model doesn't support the image field for user messages.")
    assert contents(again)[0] == blocks([adjustments.NO_PICTURE, "Look"])
    assert contents(again)[2] == [result("t1", "There:", adjustments.NO_PICTURE)]


def test_a_line_of_text_stands_for_a_document() -> None:
    body = body_of(user(DOCUMENT, IMAGE, "Read"))
    again = remedied(body, "This model doesn't support documents.")
    assert contents(again)[0] == blocks([adjustments.NO_DOCUMENT, IMAGE, "Read"])


def test_whole_numbers_beyond_64_bits_are_text_and_bounds_that_bound_nothing_are_dropped() -> None:
    schema = {
        "type": "object",
        "properties": {
            "id": {"type": "integer", "minimum": -(2**63), "maximum": 2**63 - 1, "enum": [1, BIG]},
            "ratio": {"type": "number", "maximum": 1.7e308, "minimum": 0, "title": True},
        },
    }
    tool = {"toolSpec": {"name": "find", "inputSchema": {"json": schema}}}
    answer = {"json": {"id": BIG, "small": 5, "yes": True, "list": [-BIG, 1.5]}}
    body = body_of(
        user("Hi"), assistant(use("t1", input={"id": BIG})), user(result("t1", answer)), tools=[tool]
    )
    again = remedied(body, "litellm.APIConnectionError: int too big to convert")
    narrow = {"json": {"id": str(BIG), "small": 5, "yes": True, "list": [str(-BIG), 1.5]}}
    assert contents(again)[1:] == [[use("t1", input={"id": str(BIG)})], [result("t1", narrow)]]
    assert again["toolConfig"]["tools"][0]["toolSpec"]["inputSchema"]["json"]["properties"] == {
        "id": {"type": "integer", "enum": [1, str(BIG)]},
        "ratio": {"type": "number", "minimum": 0, "title": True},
    }


def test_numbers_are_tried_where_a_refusal_names_no_cause() -> None:
    body = body_of(user("Hi"), assistant(use("t1")), user(result("t1", {"json": {"id": BIG}})))
    again = remedied(body, "Internal error", has_gone_well=True)
    assert contents(again)[2] == [result("t1", {"json": {"id": str(BIG)}})]


def test_without_tools_calls_and_results_are_text() -> None:
    song = {"json": {"song": "Elemental Hotel"}}
    body = body_of(
        *CALLED, user(result("t1", song, "loud", IMAGE)), assistant("It is."), user("And?"), tools=[TOOL]
    )
    again = remedied(body, "This model doesn't support tool use in streaming mode.")
    assert "toolConfig" not in again
    assert contents(again)[1:3] == [
        blocks(["Let me see.", '(Tool call top_song: {"sign": "WZPZ"})']),
        blocks(['(Result of top_song: {"song": "Elemental Hotel"} loud)', IMAGE]),
    ]


def test_without_a_system_prompt_the_instructions_are_in_the_first_message() -> None:
    body = body_of(user("Hi"), system="Be brief.")
    again = remedied(body, "This model doesn't support system messages.")
    assert "system" not in again
    assert contents(again) == [blocks(["Be brief.", "Hi"])]


def test_the_status_of_results_is_left_out() -> None:
    body = body_of(*CALLED, user(result("t1", "No.", status="error")))
    again = remedied(body, "This model doesn't support the status field. Remove status and try again.")
    assert contents(again)[2] == [result("t1", "No.")]


@pytest.mark.parametrize(
    ("words", "most"),
    [
        ("The maximum tokens you requested exceeds the model limit of 1500.", 1500),
        ("max_output_tokens exceeds the limit", 2048),
        ("The maximum tokens you requested exceeds the model limit of 9000.", 2048),
        ("input length and `max_tokens` exceed context limit: 197000 + 4096 > 200000", 3000),
    ],
)
def test_fewer_tokens_are_asked_for_as_many_as_the_words_name_or_half(words: str, most: int) -> None:
    assert remedied(body_of(user("Hi")), words)["inferenceConfig"]["maxTokens"] == most


@pytest.mark.parametrize(
    "words",
    [
        "input length and `max_tokens` exceed context limit: 199999 + 4096 > 200000",
        "input length and `max_tokens` exceed context limit: 190000 + 4096 > 200000",
        "Input is too long for requested model.",
        "You don't have access to the model with the specified model ID.",
        "Malformed input request",
    ],
)
def test_there_is_not_a_remedy_for_everything(words: str) -> None:
    assert (
        remedy(refusal(words), body_of(user("Hi"), assistant("Hello."), user("And?")), has_gone_well=True)
        is None
    )


def test_settings_that_a_model_refuses_are_left_out_and_the_rest_stays() -> None:
    body = body_of(user("Hi"), temperature=0.2, topP=0.9)
    again = remedied(body, "`temperature` and `top_p` cannot both be specified for this model.")
    assert again["inferenceConfig"] == {"maxTokens": 4096, "temperature": 0.2}
    again = remedied(again, "`temperature` is deprecated for this model.")
    assert again["inferenceConfig"] == {"maxTokens": 4096}


TWICE = (*CALLED, user(result("t1")), assistant(use("t2")), user(result("t2")))


@pytest.mark.parametrize(
    ("words", "has_gone_well"),
    [
        ("Input is too long for requested model.", False),
        ("Content blocked: violates usage policy", False),
        ("Request size limit exceeded", False),
        ("Malformed input request", True),
        ("this model does not support image input", True),
    ],
)
def test_results_that_are_refused_are_withheld_the_newest_first(words: str, has_gone_well: bool) -> None:
    again = remedied(body_of(*TWICE), words, has_gone_well=has_gone_well)
    assert contents(again)[2::2] == [[result("t1")], [result("t2", adjustments.WITHHELD)]]
    once_more = remedied(again, words, has_gone_well=has_gone_well)
    assert contents(once_more)[2] == [result("t1", adjustments.WITHHELD)]
    assert remedy(refusal(words), once_more, has_gone_well=has_gone_well) is None


def test_messages_without_an_answer_are_left_out_where_nothing_says_what_is_refused() -> None:
    turns = [turn("Bad"), turn("Hi", round_("Hello.")), turn("Worse"), turn("And?")]
    body = body_of(*history.messages(turns, "m"))
    assert remedied(body, "Malformed input request")["messages"] == [
        user("Hi"),
        assistant("Hello."),
        user("And?"),
    ]


def test_results_without_an_answer_stay_as_their_calls_do() -> None:
    turns = [turn("Hi", round_(use("t1"), results=[result("t1")])), turn("And?")]
    body = body_of(*history.messages(turns, "m"))
    assert remedy(Refusal(), body) is None


@pytest.mark.parametrize(
    ("words", "has_gone_well", "is_adjusted", "out"),
    [
        ("Content blocked: violates usage policy", False, False, True),
        ("Input is too long for requested model.", False, False, True),
        ("Malformed input request", True, False, True),
        ("Malformed input request", False, False, False),
        ("this model does not support image input", True, False, True),
        ("this model does not support image input", True, True, False),
        ("The provided model identifier is invalid.", True, False, False),
    ],
)
def test_a_question_stays_out_if_it_was_refused_itself(
    words: str, has_gone_well: bool, is_adjusted: bool, out: bool
) -> None:
    known = refusal(words)
    assert remedies.is_left_out(known, has_gone_well=has_gone_well, is_adjusted=is_adjusted) == out


def test_what_lies_in_the_conversation_goes_on_with_its_next_turn() -> None:
    results, status, bad = Remedy("results", ["t1"]), Remedy("status", True), Remedy("pictures", "refused")
    active = (results, Remedy("tools", True), status, bad, Remedy("room", 3000))
    assert carried(active, is_same_model=True) == (results, status, bad)
    assert carried(active, is_same_model=False) == (results,)
    assert within_turn(active) == active[:-1]


CAPABILITIES = [
    ({"takes_tools_streaming": False}, [Remedy("tools", True)]),
    ({"takes_tools": False, "takes_system": False}, [Remedy("tools", True), Remedy("system", True)]),
    ({"takes_text_beside_tools": False}, [Remedy("split", True)]),
    ({"takes_pictures": False, "takes_documents": False}, []),
    ({"takes_temperature": False, "takes_top_p": True}, [Remedy("sampling", ["temperature"])]),
    ({"takes_temperature_with_top_p": False}, [Remedy("sampling", ["topP"])]),
    ({"takes_temperature_with_top_p": False, "takes_top_p": False}, [Remedy("sampling", ["topP"])]),
    ({"most_temperature": 0.4}, [Remedy("sampling", ["temperature"])]),
    ({"most_temperature": 0.5}, []),
    ({"takes_stop_sequences": False, "most_output_tokens": 64_000}, []),
    ({"most_output_tokens": 1500}, [Remedy("max_tokens", 1500)]),
    ({}, []),
]  # fmt: skip


@pytest.mark.parametrize(("known", "needs"), CAPABILITIES)
def test_what_is_known_of_a_model_is_heeded_where_the_request_has_it(
    known: dict[str, Any], needs: list[Remedy]
) -> None:
    body = body_of(*CALLED, user(result("t1")), system="Be brief.", tools=[TOOL], temperature=0.5, topP=0.5)
    assert list(for_model(Capabilities(**known), body)) == needs


LEARNED = [
    ("This model doesn't support tool use in streaming mode.", "tools", True, {"takes_tools_streaming": False}),
    ("This model doesn't support tool use.", "tools", True, {"takes_tools": False}),
    ("This model doesn't support system messages.", "system", True, {"takes_system": False}),
    ("this model does not support image input", "pictures", True, {"takes_pictures": False}),
    ("image exceeds 5 MB maximum", "pictures", "refused", {}),
    ("`temperature` is deprecated for this model.", "sampling", ["temperature"], {"takes_temperature": False}),
    ("`temperature` and `top_p` cannot both be specified", "sampling", ["topP"], {"takes_temperature_with_top_p": False}),
    ("inferenceConfig.temperature failed to satisfy constraint", "sampling", ["temperature"], {}),
    ("exceeds the model limit of 1500", "max_tokens", 1500, {"most_output_tokens": 1500}),
    ("int too big to convert", "numbers", True, {}),
]  # fmt: skip


@pytest.mark.parametrize(("words", "kind", "value", "learned"), LEARNED)
def test_a_refusal_teaches_what_a_model_never_takes(
    words: str, kind: str, value: Any, learned: dict[str, Any]
) -> None:
    assert capability_facts(refusal(words), Remedy(kind, value, words)) == learned
    Capabilities(**learned)


def test_a_further_remedy_takes_in_an_earlier_one_of_its_kind() -> None:
    active = combined((Remedy("results", ["t1"]), Remedy("pictures", True)), Remedy("results", ["t1", "t2"]))
    assert active == (Remedy("pictures", True), Remedy("results", ["t1", "t2"]))
    assert combined(active, Remedy("max_tokens", 5))[-1] == Remedy("max_tokens", 5)
    assert combined((Remedy("reasoning", "finished"),), Remedy("reasoning", "all")) == (
        Remedy("reasoning", "all"),
    )


@pytest.mark.parametrize(
    ("one", "what"),
    [
        (Remedy("max_tokens", 1500, "no"), "Asked again for at most 1,500 tokens, this model's limit."),
        (
            Remedy("sampling", ["temperature", "topP"], "no"),
            "Asked again without temperature and topP, which",
        ),
        (Remedy("reasoning", "finished", "no"), "Asked again without the reasoning of earlier turns."),
        (Remedy("reasoning", "all", "no"), "Asked again without reasoning."),
        (Remedy("documents", "refused", "no"), "Asked again without documents, as one was refused."),
        (Remedy("tools", True), "Asked without tools: this model takes none."),
    ],
)
def test_a_remedy_is_told_in_a_sentence(one: Remedy, what: str) -> None:
    assert one.what.startswith(what)


def test_a_row_holds_remedies_as_json() -> None:
    active = (Remedy("results", ["t1"], "blocked"), Remedy("tools", True))
    assert remedies.from_json(remedies.as_json(active)) == active


@pytest.mark.parametrize(
    "rows",
    [
        [{"kind": "nothing", "value": True, "why": ""}],
        [{"kind": "results", "value": 5, "why": ""}],
        [{"kind": "max_tokens", "value": "many", "why": ""}],
        [{"what": "tools"}],
    ],
)
def test_what_is_no_remedy_is_known_before_it_is_applied(rows: list[Any]) -> None:
    assert not remedies.are_sound(rows)
    assert remedies.are_sound(
        remedies.as_json([Remedy("results", ["t1"]), Remedy("tools", True), Remedy("room", 5)])
    )


KINDS = [
    *(
        kind
        for kind in remedies.ORDER
        if kind not in ("results", "reasoning", "sampling", "max_tokens", "room", "cache")
    )
]
some = st.lists(
    st.one_of(
        st.sampled_from([Remedy(kind, True) for kind in KINDS]),
        st.sampled_from(
            [Remedy("results", ["t0", "t1"]), Remedy("reasoning", "finished"), Remedy("reasoning", "all")]
        ),
        st.sampled_from([Remedy("cache", "all"), Remedy("cache", "untooled"), Remedy("cache", "none")]),
        st.sampled_from([Remedy("sampling", ["topP"]), Remedy("max_tokens", 100), Remedy("room", 50)]),
    ),
    max_size=4,
    unique_by=lambda one: one.kind,
)


@pytest.mark.large
@settings(max_examples=200)
@given(valid_conversations(), some)
def test_a_request_with_remedies_is_one_that_bedrock_accepts(
    conversation: list[Any], active: list[Remedy]
) -> None:
    body = adjusted(body_of(*conversation, system="Be brief.", topP=0.5), active)
    assert refusal_of(body["messages"]) is None
    assert adjusted(body, active) == body
