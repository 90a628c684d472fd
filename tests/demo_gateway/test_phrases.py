"""What the demo gateway answers, request by request."""

import base64
import json
from copy import deepcopy
from dataclasses import replace
from typing import Any

import pytest

from conversations.demo_gateway import phrases, refusal
from conversations.demo_gateway.conversation import Conversation
from conversations.demo_gateway.reply import Answer, Failure, Reply
from tests.protocol.messages import user

TOP_SONG = {
    "name": "top_song",
    "description": "Get the most popular song played on a radio station.",
    "inputSchema": {
        "json": {
            "type": "object",
            "properties": {"sign": {"type": "string", "description": "The call sign, such as WZPZ or WKRP."}},
            "required": ["sign"],
        }
    },
}
WEATHER = {
    "name": "get_weather",
    "description": "Current weather for a city.",
    "inputSchema": {
        "json": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
    },
}
QUESTION = "What is the most popular song on WZPZ?"


def body(
    *messages: dict[str, Any], tools: tuple[dict[str, Any], ...] = (TOP_SONG,), **more: Any
) -> dict[str, Any]:
    config = {"toolConfig": {"tools": [{"toolSpec": tool} for tool in tools]}} if tools else {}
    return {"messages": list(messages), **config, **more}


def ask(*messages: dict[str, Any] | str, tried: bool = False, **more: Any) -> Answer:
    request = body(*[user(message) if isinstance(message, str) else message for message in messages], **more)
    assert refusal(request) is None
    return phrases.answer(Conversation("some.model", request), lambda: tried)


def reply(*messages: dict[str, Any] | str, **more: Any) -> Reply:
    answer = ask(*messages, **more)
    assert isinstance(answer, Reply)
    return answer


def text(answer: Reply) -> str:
    return "".join(block.get("text", "") for block in answer.blocks)


def called(answer: Reply) -> list[tuple[str, Any]]:
    uses = [block["toolUse"] for block in answer.blocks if "toolUse" in block]
    return [(use["name"], use["input"]) for use in uses]


def message_of(answer: Reply) -> dict[str, Any]:
    return {"role": "assistant", "content": list(answer.blocks)}


def results(answer: Reply, *contents: dict[str, Any], **more: Any) -> dict[str, Any]:
    uses = [block["toolUse"]["toolUseId"] for block in answer.blocks if "toolUse" in block]
    blocks = [
        {"toolResult": {"toolUseId": identifier, "content": [content], **more}}
        for identifier, content in zip(uses, contents, strict=True)
    ]
    return {"role": "user", "content": blocks}


SONG = {"json": {"song": "Elemental Hotel", "artist": "8 Storey Hike"}}


def test_a_question_about_a_song_calls_the_offered_tool() -> None:
    answer = reply(QUESTION)
    assert called(answer) == [("top_song", {"sign": "WZPZ"})]
    assert answer.stop == "tool_use"


def test_a_tool_use_id_is_never_used_twice() -> None:
    first, second = reply(QUESTION), reply(QUESTION)
    assert first.blocks[-1]["toolUse"]["toolUseId"] != second.blocks[-1]["toolUse"]["toolUseId"]


def test_a_word_before_the_call_comes_sometimes() -> None:
    answers = [reply(f"What is the most popular song on WZPZ{'?' * count}") for count in range(4)]
    assert {len(answer.blocks) for answer in answers} == {1, 2}


def test_two_stations_are_two_calls_in_one_message() -> None:
    answer = reply("Which song is popular on WZPZ and which on WKRP?")
    assert called(answer) == [("top_song", {"sign": "WZPZ"}), ("top_song", {"sign": "WKRP"})]


def test_the_tool_that_the_question_is_about_is_chosen() -> None:
    answer = reply("What is the weather in Paris?", tools=(TOP_SONG, WEATHER))
    assert called(answer) == [("get_weather", {"city": "Paris"})]


def test_all_tools_that_are_named_are_called() -> None:
    answer = reply("Call top_song for WZPZ and get_weather for Paris.", tools=(TOP_SONG, WEATHER))
    assert [name for name, _ in called(answer)] == ["top_song", "get_weather"]


def test_nothing_is_called_when_nothing_is_on_offer() -> None:
    assert called(reply(QUESTION, tools=())) == []


def test_a_forced_tool_is_called_whatever_is_asked() -> None:
    config = {
        "tools": [{"toolSpec": TOP_SONG}, {"toolSpec": WEATHER}],
        "toolChoice": {"tool": {"name": "get_weather"}},
    }
    assert called(reply("hello", toolConfig=config)) == [("get_weather", {"city": "hello"})]
    assert len(called(reply("hello", toolConfig={**config, "toolChoice": {"any": {}}}))) == 1


def test_a_json_result_answers_the_question_in_a_sentence() -> None:
    first = reply(QUESTION)
    answer = reply(QUESTION, message_of(first), results(first, SONG))
    assert text(answer) == 'The most popular song on WZPZ is "Elemental Hotel" by 8 Storey Hike.'
    assert answer.stop == "end_turn"


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (
            {"json": {"temperature": 22, "condition": "sunny"}},
            'The temperature is 22, the condition is "sunny".',
        ),
        ({"json": {"songTitle": "x", "tags": [1, None]}}, 'The song title is "x", the tags is [1, null].'),
        ({"json": {}}, "The tool top_song answered: nothing"),
        ({"text": "Ruby"}, "The tool top_song answered: Ruby"),
        ({"text": "long " * 200}, f"The tool top_song answered: {('long ' * 200)[:400]}..."),
    ],
)
def test_any_result_is_told(content: dict[str, Any], expected: str) -> None:
    first = reply("Tell me the top song of WZPZ")
    assert text(reply("Tell me the top song of WZPZ", message_of(first), results(first, content))) == expected


def test_a_failed_tool_is_told_in_its_own_words() -> None:
    first = reply("What is the most popular song on WKRP?")
    failed = results(first, {"text": "Station WKRP not found."}, status="error")
    answer = reply("What is the most popular song on WKRP?", message_of(first), failed)
    assert text(answer) == "I could not find that out: Station WKRP not found."


def test_parallel_results_are_told_one_by_one() -> None:
    question = "Which song is popular on WZPZ and which on WKRP?"
    first = reply(question)
    answer = reply(question, message_of(first), results(first, SONG, {"text": "Station WKRP not found."}))
    assert text(answer).splitlines() == [
        '- top_song("WZPZ"): "Elemental Hotel" by 8 Storey Hike.',
        '- top_song("WKRP"): Station WKRP not found.',
    ]


def test_anything_else_is_answered_with_what_this_is() -> None:
    answer = text(reply("hello", system=[{"text": "Be brief and kind. " * 9}]))
    assert "not a model" in answer
    assert "“hello”" in answer
    assert "“Be brief and kind. Be brief" in answer
    assert "`top_song`" in answer


def test_the_first_message_is_remembered_by_the_request() -> None:
    answer = reply("hello there", {"role": "assistant", "content": [{"text": "hi"}]}, "what did I ask first?")
    assert text(answer) == "Your first message was: “hello there”"


def test_help_lists_every_phrase() -> None:
    answer = text(reply("Help!"))
    assert all(f"`{phrase.say}`: {phrase.shows}" in answer for phrase in phrases.PHRASES)


def test_a_word_about_help_is_not_a_call_for_help() -> None:
    assert called(reply("Can you help me find the top song on WZPZ?"))


@pytest.mark.parametrize("phrase", phrases.PHRASES, ids=lambda phrase: phrase.say)
def test_every_phrase_is_found_by_what_it_says(phrase: phrases.Phrase) -> None:
    assert phrases.find(phrase.say.replace("NAME", "max_tokens")) is phrase
    if phrase.say != "help":
        assert phrases.find(f"Please, {phrase.say.upper()}!") is phrase


@pytest.mark.parametrize("phrase", phrases.PHRASES, ids=lambda phrase: phrase.say)
@pytest.mark.parametrize("tools", [(TOP_SONG,), ()], ids=["with tools", "without"])
def test_what_a_phrase_shows_can_be_answered_and_sent_again(
    phrase: phrases.Phrase, tools: tuple[dict[str, Any], ...]
) -> None:
    answer = ask(phrase.say, tools=tools)
    if not isinstance(answer, Reply) or answer.ending != "whole":
        return
    calls = [
        block["toolUse"] for block in answer.blocks if "toolUse" in block and "type" not in block["toolUse"]
    ]
    assert answer.stop != "end_turn" or not calls
    assert all(isinstance(call["input"], dict) for call in calls) or phrase.say == "show broken tool input"


@pytest.mark.parametrize(
    ("question", "shows"),
    [
        ("show reasoning", ["reasoningContent", "text"]),
        ("show redacted reasoning", ["reasoningContent", "text"]),
        ("show reasoning: " + QUESTION, ["reasoningContent", "text", "toolUse"]),
        ("show blank text", ["text", "text", "text"]),
        ("show citations", ["text", "citationsContent", "citationsContent"]),
        ("show a server tool", ["toolUse", "toolResult", "text"]),
        ("show a server tool: " + QUESTION, ["toolUse", "toolResult", "text", "text", "toolUse"]),
        ("show a picture", ["text", "image"]),
        ("show nothing", []),
        ("show parallel calls", ["toolUse", "toolUse"]),
        ("show a tool call", ["toolUse"]),
        ("show tool loop", ["toolUse"]),
        ("show unknown tool", ["text", "toolUse"]),
    ],
)
def test_a_phrase_shows_its_blocks(question: str, shows: list[str]) -> None:
    assert [next(iter(block)) for block in reply(question).blocks] == shows


def test_reasoning_comes_back_untouched_or_is_refused() -> None:
    first = reply("show reasoning: " + QUESTION)
    request = deepcopy(body(user(QUESTION), message_of(first), results(first, SONG)))
    assert refusal(request) is None
    request["messages"][1]["content"][0]["reasoningContent"]["reasoningText"]["text"] += "."
    assert str(refusal(request)).endswith("Invalid `signature` in `thinking` block")


def test_parallel_calls_of_a_lone_tool_differ() -> None:
    assert called(reply("show parallel calls")) == [
        ("top_song", {"sign": "WZPZ"}),
        ("top_song", {"sign": "WKRP"}),
    ]


def test_the_loop_asks_again_after_every_result() -> None:
    messages: list[Any] = ["show tool loop"]
    for _ in range(3):
        answer = reply(*messages)
        assert called(answer) == [("top_song", {"sign": "WZPZ"})]
        messages += [message_of(answer), results(answer, SONG)]


def test_broken_tool_input_is_no_json() -> None:
    ((_, written),) = called(reply("show broken tool input"))
    with pytest.raises(json.JSONDecodeError):
        json.loads(written)


def test_a_reused_id_is_the_name_of_the_tool() -> None:
    assert reply("show reused id").blocks[-1]["toolUse"]["toolUseId"] == "top_song"


def test_the_markdown_has_what_a_page_must_render() -> None:
    answer = text(reply("show markdown"))
    assert all(mark in answer for mark in ("# ", "- ", "| --- |", "```python", "](https://", "\n> ", "<b>"))


def test_the_picture_is_a_png() -> None:
    picture = reply("show a picture").blocks[-1]["image"]
    assert base64.b64decode(picture["source"]["bytes"]).startswith(b"\x89PNG\r\n\x1a\n")


@pytest.mark.parametrize("reason", ["max_tokens", "content_filtered", "guardrail_intervened", "gone_fishing"])
def test_any_stop_reason_can_be_had(reason: str) -> None:
    assert reply(f"show stop reason {reason}").stop == reason


def test_slow_is_slow() -> None:
    assert reply("show slow").pause == 2


def test_the_conversation_is_retold() -> None:
    answer = text(reply("one", {"role": "assistant", "content": [{"text": "two"}]}, "show the conversation"))
    assert "Model: `some.model`" in answer
    assert answer.splitlines()[-3:] == ["1. user: one", "2. assistant: two", "3. user: show the conversation"]


@pytest.mark.parametrize(
    ("question", "ending", "name", "early"),
    [
        ("fail cut", "cut", "", False),
        ("fail dropped", "dropped", "", False),
        ("fail half a frame", "half", "", False),
        ("fail checksum", "checksum", "", False),
        ("fail silent", "silent", "", False),
        ("fail stream", "exception", "modelStreamErrorException", False),
        ("fail throttled in stream", "exception", "throttlingException", True),
        ("fail overflow in stream", "exception", "validationException", True),
    ],
)
def test_a_stream_fails_as_it_was_told_to(question: str, ending: str, name: str, early: bool) -> None:
    answer = reply(question)
    assert (answer.ending, answer.error[0], not answer.blocks) == (ending, name, early)


def test_what_fails_once_is_answered_when_it_was_tried() -> None:
    assert isinstance(ask("fail gateway once"), Failure)
    assert "second try" in text(reply("fail gateway once", tried=True))
    assert reply("fail cut once", tried=True).ending == "whole"


@pytest.mark.parametrize(
    ("question", "is_counted"),
    [("fail once", True), ("fail cut once", True), ("fail cut", False), ("tell me once more", False)],
)
def test_only_what_is_to_fail_once_is_counted(question: str, is_counted: bool) -> None:
    counted: list[bool] = []
    phrases.answer(Conversation("m", body(user(question))), lambda: bool(counted.append(True)))
    assert counted == [True] * is_counted


def test_what_fails_later_calls_its_tool_first() -> None:
    question = f"fail gateway later: {QUESTION}"
    first = reply(question)
    assert called(first) == [("top_song", {"sign": "WZPZ"})]
    second = ask(question, message_of(first), results(first, SONG))
    assert isinstance(second, Failure)
    third = reply(
        question.replace("later", "once later"), message_of(first), results(first, SONG), tried=True
    )
    assert "Elemental Hotel" in text(third)


def test_max_tokens_is_heeded() -> None:
    answer = reply("show a long answer", inferenceConfig={"maxTokens": 20})
    assert answer.stop == "max_tokens"
    assert len(text(answer)) == 80


def test_the_phrase_is_taken_out_of_the_question() -> None:
    def rest(question: str) -> str:
        phrase = phrases.find(question)
        assert phrase
        return phrase.rest_of(question)

    assert rest("Show reasoning: what is on WZPZ?") == "what is on WZPZ?"
    assert rest("show a tool call, WKRP") == "WKRP"
    assert rest("fail cut once later: hello") == "hello"


def test_a_reply_is_the_same_for_the_same_request_but_for_its_ids() -> None:
    first, second = reply("show markdown"), reply("show markdown")
    assert first == replace(second)


def test_files_are_told_of_by_kind_format_and_size() -> None:
    picture = {"image": {"format": "png", "source": {"bytes": base64.b64encode(bytes(2500)).decode()}}}
    notes = {"bytes": base64.b64encode(b"As God is my witness").decode()}
    document = {"document": {"format": "txt", "name": "Document 1", "source": notes}}
    answer = text(reply({"role": "user", "content": [picture, document, {"text": "What is this?"}]}))
    assert "a picture: PNG, 2.4 KB." in answer
    assert "a document: TXT, 20 bytes. It begins \N{LEFT DOUBLE QUOTATION MARK}As God is my witness" in answer
