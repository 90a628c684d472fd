"""Refused requests: a remedy is tried where there is one, and the next request never fails for it."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from pytest_django.fixtures import Settings

from conversations import engine
from conversations.gateway.frames import encode
from conversations.journal import page
from conversations.models import Conversation, Model, Turn
from conversations.protocol.converse.adjustments import WITHHELD
from conversations.protocol.converse.request import sha256
from conversations.tools import registry, tool
from tests.faults.scene import HEALTHY, HELLO, Scene, asking_for, retries
from tests.gateway.wire import Answer, Request, answer_frames
from tests.turns import Event, conversation_of, news

pytestmark = pytest.mark.django_db(transaction=True)
WHOLE = Answer.stream(*HELLO)
SONG = Answer.stream(*asking_for(("call-1", "top_song", '{"sign": "WZPZ"}')))
VALIDATION = {"x-amzn-ErrorType": "ValidationException"}
SIGNED = [
    encode("messageStart", {"role": "assistant"}),
    encode("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"reasoningContent": {"text": "hm"}}}),
    encode(
        "contentBlockDelta", {"contentBlockIndex": 0, "delta": {"reasoningContent": {"signature": "c2ln"}}}
    ),
    encode("contentBlockStop", {"contentBlockIndex": 0}),
    *answer_frames("Hello.")[1:],
]


def refusal_of(words: str) -> Answer:
    return Answer.error(400, {"message": words}, VALIDATION)


def refusing(words: bytes, refusal: Answer, otherwise: Answer = HEALTHY) -> Callable[[Request], Answer]:
    """A gateway that refuses whatever holds these words."""
    return lambda request: refusal if words in request.body else otherwise


def bodies(scene: Scene) -> list[dict[str, Any]]:
    return [json.loads(request.body) for request in scene.server.requests]


def adjusted(events: list[Event]) -> list[dict[str, Any]]:
    return news(events, "adjusted")


def left_out(scene: Scene) -> list[bool]:
    """Which of the user's messages the page says to be left out."""
    messages = page(scene.conversation).messages
    return [bool(m["metadata"].get("leftOut")) for m in messages if m["role"] == "user"]


def can_be_rebuilt(turn: Turn) -> bool:
    return all(sha256(engine.rebuild_request(row)) == row.request_sha256 for row in turn.rounds.all())


GUARDS = {
    "of Kong's": Answer.error(400, {"error": {"message": "bad request"}}),
    "of a semantic guard": Answer.error(403, {"error": {"message": "prompt blocked by guard"}}),
    "of LiteLLM's": Answer.error(400, {"error": {"message": "Violated guardrail policy", "code": "400"}}),
    "after 200": Answer.stream(
        encode("validationException", {"message": "Content blocked by policy"}, "exception")
    ),
    "by its length": refusal_of("Input is too long for requested model."),
    "by its size": Answer.error(413, {"message": "Request size limit exceeded"}),
}


@pytest.mark.parametrize("answer", GUARDS.values(), ids=GUARDS.keys())
def test_a_question_that_is_refused_stays_out_of_what_follows_and_the_page_says_so(
    scene: Scene, answer: Answer
) -> None:
    turn = scene.ask(refusing(b"poison", answer), text="poison")
    last = scene.events(turn)[-1]
    assert (last["type"], last["metadata"]["leftOut"]) == ("RUN_ERROR", True)
    assert scene.calls() == 1
    scene.check_completed(scene.ask(refusing(b"poison", answer), text="And now?"), "All is well.")
    assert scene.calls() == 1
    assert (adjusted(scene.events()), left_out(scene)) == ([], [True, False])


def test_a_refusal_without_a_cause_is_due_to_what_is_new_where_all_went_well_before(scene: Scene) -> None:
    scene.ask(HEALTHY)
    turn = scene.ask(refusing(b"poison", refusal_of("Malformed input request")), text="poison")
    assert "stays out of what follows" in scene.check_failed(turn, "invalid_request")["message"]
    scene.check_alive()
    assert left_out(scene) == [False, True, False]


def test_a_refusal_without_a_cause_is_forgotten_once_it_refuses_again(scene: Scene) -> None:
    poisoned = refusing(b"poison", refusal_of("Malformed input request"))
    scene.check_failed(scene.ask(poisoned, text="poison"), "invalid_request")
    assert left_out(scene) == [False]
    turn = scene.ask(poisoned, text="And now?")
    scene.check_completed(turn, "All is well.")
    assert [len(body["messages"]) for body in bodies(scene)] == [3, 1]
    [value] = adjusted(scene.events())
    assert value == {
        "what": "Asked again without earlier messages that were never answered.",
        "why": "Malformed input request",
    }
    scene.check_completed(scene.ask(poisoned, text="And then?"), "All is well.")
    assert scene.calls() == 1
    assert can_be_rebuilt(turn)


def test_a_refusal_that_the_operator_has_to_mend_leaves_nothing_out(scene: Scene) -> None:
    scene.ask(HEALTHY)
    turn = scene.ask(refusal_of("The provided model identifier is invalid."))
    assert "GATEWAY_MODELS" in scene.check_failed(turn, "invalid_request")["message"]
    assert left_out(scene) == [False, False]


@pytest.mark.parametrize(
    "answer",
    [Answer.error(400, {"error": {"message": "bad request"}}), refusal_of("prompt is too long: 9 > 8")],
)
def test_a_result_that_is_refused_is_withheld_from_this_request_and_the_next(
    scene: Scene, answer: Answer
) -> None:
    turn = scene.ask(SONG, refusing(b"Elemental", answer))
    scene.check_completed(turn, "All is well.")
    results = [body["messages"][2]["content"][0]["toolResult"]["content"] for body in bodies(scene)[1:]]
    assert results[1] == [{"text": WITHHELD}] != results[0]
    assert [value["what"] for value in adjusted(scene.events())] == [
        "Asked again without results of tool calls."
    ]
    assert can_be_rebuilt(turn)
    scene.check_completed(scene.ask(refusing(b"Elemental", answer), text="And now?"), "All is well.")
    assert scene.calls() == 1


REMEDIES = {
    "a signature": ("messages.1.content.0: Invalid `signature` in `thinking` block", b"signature"),
    "a limit of tokens": ("The maximum tokens you requested exceeds the model limit of 1500.", b"4096"),
    "a setting": ("`temperature` is deprecated for this model.", b"temperature"),
    "tools": ("This model doesn't support tool use in streaming mode.", b"toolConfig"),
    "a system prompt": ("This model doesn't support system messages.", b'"system"'),
}


FORMS: dict[str, Callable[[str], Answer]] = {
    "an answer": refusal_of,
    "an exception in the stream": lambda words: Answer.stream(
        encode("validationException", {"message": words}, "exception")
    ),
    "LiteLLM's": lambda words: Answer.error(
        400, {"error": {"message": f'litellm.BadRequestError: BedrockException - {{"message":"{words}"}}'}}
    ),
    "a failure of a gateway that counts it so": lambda words: Answer.error(
        500, {"error": {"message": words}}
    ),
}


@pytest.mark.parametrize(
    ("words", "part", "form"),
    [(*remedy, "an answer") for remedy in REMEDIES.values()] + [(*REMEDIES["tools"], form) for form in FORMS],
)
def test_what_a_model_refuses_is_left_out_and_it_is_asked_again_at_once(
    scene: Scene, settings: Settings, words: str, part: bytes, form: str
) -> None:
    settings.GATEWAY_RETRIES = 1
    Conversation.objects.update(system="Be brief.", inference={"temperature": 0.5})
    refusal = FORMS[form](words)
    scene.ask(Answer.stream(*SIGNED))
    turn = scene.ask(refusing(part, refusal))
    scene.check_completed(turn, "All is well.")
    [value] = adjusted(scene.events(turn))
    assert words in value["why"]
    assert (retries(scene.events(turn)), turn.rounds.get().tries) == ([], 2)
    assert scene.calls() == 2
    assert can_be_rebuilt(turn)
    again = scene.ask(refusing(part, refusal), text="And now?")
    scene.check_completed(again, "All is well.")
    assert (scene.calls(), can_be_rebuilt(again)) == (1, True)


def test_what_was_learned_of_a_model_is_known_in_every_conversation_and_said_of_tools(
    scene: Scene, user: User
) -> None:
    refusal = refusal_of("This model doesn't support tool use in streaming mode.")
    scene.ask(refusing(b"toolConfig", refusal))
    assert Model.of(scene.conversation.model).capabilities.takes_tools_streaming is False
    other = Scene(conversation_of(user), scene.server)
    other.check_completed(other.ask(refusing(b"toolConfig", refusal)), "All is well.")
    assert other.calls() == 1
    assert [value["what"] for value in adjusted(other.events())] == [
        "Asked without tools: this model takes none."
    ]


def test_what_did_not_help_is_not_learned(scene: Scene) -> None:
    scene.ask(refusal_of("This model doesn't support tool use in streaming mode."))
    assert Model.of(scene.conversation.model).capabilities.takes_tools_streaming is not False


def test_a_round_is_asked_again_twice_at_most(scene: Scene) -> None:
    Conversation.objects.update(inference={"temperature": 0.5})
    turn = scene.ask(
        refusal_of("`temperature` is deprecated for this model."),
        refusal_of("The maximum tokens you requested exceeds the model limit of 1500."),
        refusal_of("This model doesn't support tool use in streaming mode."),
    )
    scene.check_failed(turn, "invalid_request")
    assert (scene.calls(), len(adjusted(scene.events()))) == (3, 2)
    scene.check_alive()


def test_a_remedy_takes_no_attempt_from_those_that_a_failing_gateway_gets(scene: Scene) -> None:
    busy = Answer.error(503, {"message": "busy"})
    turn = scene.ask(busy, refusal_of("max_output_tokens exceeds the limit"), WHOLE)
    scene.check_completed(turn, "Hello world")
    assert len(retries(scene.events())) == 1


def test_a_whole_number_beyond_64_bits_is_sent_as_text(scene: Scene) -> None:
    with registry.override():

        @tool
        def account() -> dict[str, int]:
            """An account."""
            return {"id": 2**70}

        turn = scene.ask(
            Answer.stream(*asking_for(("call-1", "account", "{}"))),
            refusing(
                str(2**70).encode() + b"}",
                Answer.error(500, {"error": {"message": "int too big to convert"}}),
            ),
        )
    scene.check_completed(turn, "All is well.")
    assert bodies(scene)[2]["messages"][2]["content"][0]["toolResult"]["content"] == [
        {"json": {"id": str(2**70)}}
    ]


def test_a_snapshot_and_the_record_say_what_was_changed_and_why(scene: Scene) -> None:
    words = "The maximum tokens you requested exceeds the model limit of 1500."
    turn = scene.ask(refusal_of(words), WHOLE)
    value = {"what": "Asked again for at most 1,500 tokens, this model's limit.", "why": words}
    assert page(scene.conversation).turns[0]["adjusted"] == [value]
    [event] = [e for e in scene.events(turn) if e["type"] == "CUSTOM" and e["name"] == "turntable.adjusted"]
    assert isinstance(event["metadata"]["seq"], int)
    assert bodies(scene)[1]["inferenceConfig"] == {"maxTokens": 1500}


def points(body: dict[str, Any]) -> int:
    """The cache points of a request."""
    return json.dumps(body).count('"cachePoint"')


def keep_prompts(scene: Scene) -> None:
    """Lets the model take cache points, with instructions that are long enough for them."""
    Model.objects.create(model_id=scene.conversation.model, takes_cache_points=True)
    Conversation.objects.update(system="Be brief. " * 500)


def test_a_model_that_takes_cache_points_gets_them_and_all_rounds_share_a_base(scene: Scene) -> None:
    keep_prompts(scene)
    turns = [scene.ask(SONG, WHOLE)]
    assert [points(body) for body in bodies(scene)] == [2, 3]
    turns.append(scene.ask(WHOLE, text="And now?"))
    assert [points(body) for body in bodies(scene)] == [3]
    assert all(map(can_be_rebuilt, turns))
    assert len({row.base_id for turn in turns for row in turn.rounds.all()}) == 1
    assert adjusted(scene.events()) == []


def test_refused_cache_points_are_sent_no_more(scene: Scene) -> None:
    keep_prompts(scene)
    words = "You invoked an unsupported model or your request did not allow prompt caching."
    scene.check_completed(
        scene.ask(refusing(b"cachePoint", Answer.error(403, {"message": words}))), "All is well."
    )
    assert [points(body) for body in bodies(scene)] == [2, 0]
    assert adjusted(scene.events()) == [
        {"what": "Asked again without cache points, which this model does not take.", "why": words}
    ]
    assert Model.of(scene.conversation.model).capabilities.takes_cache_points is False
    scene.check_completed(scene.ask(HEALTHY, text="And now?"), "All is well.")
    assert [points(body) for body in bodies(scene)] == [0]
