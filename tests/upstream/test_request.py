"""A Converse request as one of chat completions."""

import base64
import json
from typing import Any

import pytest

from conversations.upstream import Refused, chat_request
from tests.protocol.messages import IMAGE, SERVED, SERVED_RESULT, SIGNED, assistant, result, use, user

PICTURE = {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}}
SPEC = {
    "name": "top_song",
    "description": "Get it.",
    "inputSchema": {"json": {"type": "object", "properties": {}}},
}
TOOL = {"toolSpec": SPEC}
CALL = {"id": "t1", "type": "function", "function": {"name": "top_song", "arguments": '{"sign": "WZPZ"}'}}


def chat_messages(*messages: Any, **more: Any) -> list[Any]:
    return list(chat_request({"messages": list(messages), **more}, "qwen3")["messages"])


def document(kind: str, data: bytes | None = None, **source: Any) -> dict[str, Any]:
    source = source or {"bytes": base64.b64encode(data or b"").decode()}
    return {"document": {"format": kind, "name": "Report", "source": source}}


def test_a_question_is_asked_for_as_a_stream_with_its_usage() -> None:
    assert chat_request({"messages": [user("Hello")]}, "qwen3") == {
        "model": "qwen3",
        "messages": [{"role": "user", "content": "Hello"}],
        "stream": True,
        "stream_options": {"include_usage": True},
    }


def test_system_prompts_are_one_message_which_comes_first() -> None:
    point = {"cachePoint": {"type": "default"}}
    first, _ = chat_messages(user("Hello"), system=[{"text": "Be kind."}, point, {"text": "Be short."}])
    assert first == {"role": "system", "content": "Be kind.\n\nBe short."}


def test_settings_have_their_names_there() -> None:
    config = {"maxTokens": 9, "temperature": 0, "topP": 0.5, "stopSequences": ["a", "b", "c", "d", "e"]}
    request = chat_request(
        {"inferenceConfig": config, "additionalModelRequestFields": {"top_k": 3, "stream": 0}}, "m"
    )
    settings = {"max_tokens": 9, "temperature": 0, "top_p": 0.5, "stop": ["a", "b", "c", "d"], "top_k": 3}
    assert {name: request[name] for name in (*settings, "stream")} == {**settings, "stream": True}


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        ({}, {}),
        ({"toolChoice": {"auto": {}}}, {"tool_choice": "auto"}),
        ({"toolChoice": {"any": {}}}, {"tool_choice": "required"}),
        (
            {"toolChoice": {"tool": {"name": "top_song"}}},
            {"tool_choice": {"type": "function", "function": {"name": "top_song"}}},
        ),
    ],
)
def test_tools_are_functions(choice: dict[str, Any], expected: dict[str, Any]) -> None:
    config = {
        "tools": [TOOL, {"cachePoint": {"type": "default"}}, {"systemTool": {"name": "search"}}],
        **choice,
    }
    request = chat_request({"toolConfig": config}, "m")
    function = {"name": "top_song", "description": "Get it.", "parameters": SPEC["inputSchema"]["json"]}  # type: ignore[index]
    assert request["tools"] == [{"type": "function", "function": function}]
    assert {name: request[name] for name in ("tool_choice",) if name in request} == expected


def test_without_tools_there_is_no_choice() -> None:
    config = {"tools": [{"systemTool": {"name": "search"}}], "toolChoice": {"any": {}}}
    assert {"tools", "tool_choice"}.isdisjoint(chat_request({"toolConfig": config}, "m"))


def test_a_schema_for_the_answer_is_a_response_format() -> None:
    config = {
        "textFormat": {"type": "json_schema", "structure": {"jsonSchema": {"schema": '{"type": "object"}'}}}
    }
    request = chat_request({"outputConfig": config}, "m")
    assert request["response_format"]["json_schema"] == {"name": "answer", "schema": {"type": "object"}}


# -- tools in the history


def test_text_and_calls_of_an_answer_are_one_message() -> None:
    _, alone, _, both, _ = chat_messages(
        user("?"), assistant(use()), user(result()), assistant("So.", use("t2")), user(result("t2"))
    )
    assert alone == {"role": "assistant", "content": None, "tool_calls": [CALL]}
    assert both == {"role": "assistant", "content": "So.", "tool_calls": [{**CALL, "id": "t2"}]}


def test_arguments_are_a_text_of_json_also_where_there_are_none() -> None:
    inputs = [{}, {"sign": "Señora"}, None]
    uses = [
        {"toolUse": {"toolUseId": f"t{n}", "name": "top_song", "input": value}}
        for n, value in enumerate(inputs)
    ]
    *_, message = chat_messages(user("?"), assistant(*uses))
    assert [call["function"]["arguments"] for call in message["tool_calls"]] == [
        "{}",
        '{"sign": "Señora"}',
        "{}",
    ]


def test_results_come_in_the_order_of_their_calls_and_before_any_text() -> None:
    answers = user("And?", result("t2", "two"), result("t1", "one"))
    assert chat_messages(user("?"), assistant(use("t1"), use("t2")), answers)[2:] == [
        {"role": "tool", "tool_call_id": "t1", "content": "one"},
        {"role": "tool", "tool_call_id": "t2", "content": "two"},
        {"role": "user", "content": "And?"},
    ]


@pytest.mark.parametrize(
    ("block", "text"),
    [
        (result("t1", {"json": {"song": "Señora"}}), '{"song": "Señora"}'),
        (result("t1", "one", {"json": {"n": 1}}), 'one\n\n{"n": 1}'),
        ({"toolResult": {"toolUseId": "t1", "content": [{"text": "No."}], "status": "error"}}, "Error: No."),
        ({"toolResult": {"toolUseId": "t1", "content": [], "status": "success"}}, "(no output)"),
        (result("t1", document("txt", b"one")), '<document name="Report">\none\n</document>'),
        (result("t1", {"searchResult": {"source": "s", "title": "t", "content": [{"text": "one"}]}}), "one"),
    ],
)
def test_a_result_is_a_text(block: Any, text: str) -> None:
    *_, message = chat_messages(user("?"), assistant(use()), user(block))
    assert message == {"role": "tool", "tool_call_id": "t1", "content": text}


def test_pictures_of_results_follow_in_a_message_of_the_user() -> None:
    *_, tool, pictures = chat_messages(user("?"), assistant(use()), user(result("t1", IMAGE), "And?"))
    assert tool["content"] == "(no output)"
    label = {"type": "text", "text": "The pictures of the tools' results:"}
    assert pictures == {"role": "user", "content": [label, PICTURE, {"type": "text", "text": "And?"}]}


def test_tools_of_the_service_itself_are_left_out() -> None:
    *_, message = chat_messages(user("?"), assistant(SERVED, SERVED_RESULT, "So."))
    assert message == {"role": "assistant", "content": "So."}


def test_reasoning_goes_back_within_a_loop_of_tools_alone() -> None:
    before, within = assistant(SIGNED, "So."), assistant(SIGNED, use())
    _, old, _, new, _ = chat_messages(user("?"), before, user("And?"), within, user(result()))
    assert old == {"role": "assistant", "content": "So."}
    assert new["reasoning_content"] == "hm"


def test_an_answer_of_which_nothing_is_left_is_empty() -> None:
    _, message, _ = chat_messages(user("?"), assistant(SIGNED), user("And?"))
    assert message == {"role": "assistant", "content": ""}


# -- pictures and documents


def test_a_picture_is_a_data_url() -> None:
    (message,) = chat_messages(user("What is this?", IMAGE))
    assert message["content"] == [{"type": "text", "text": "What is this?"}, PICTURE]


@pytest.mark.parametrize(
    "block",
    [
        document("md", "# Señora".encode()),
        document("txt", "# Señora".encode("utf-8-sig")),
        document("csv", "# Señora".encode("utf-16")),
        document("html", "# Señora".encode("cp1252")),
        document("txt", text="# Señora"),
        document("txt", content=[{"text": "# Señora"}]),
    ],
)
def test_a_document_is_its_text(block: Any) -> None:
    (message,) = chat_messages(user("Sum it up.", block))
    assert message["content"] == 'Sum it up.\n\n<document name="Report">\n# Señora\n</document>'


PDF_OBJECTS = (
    b"<</Type/Catalog/Pages 2 0 R>>",
    b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
    b"<</Type/Page/Parent 2 0 R/Contents 4 0 R/MediaBox[0 0 99 99]/Resources<</Font<</F 5 0 R>>>>>>",
    b"<</Length 33>>stream\nBT /F 9 Tf 9 9 Td (Turkeys) Tj ET\nendstream",
    b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
)


def pdf() -> bytes:
    """A page with the word `Turkeys`."""
    data, places = b"%PDF-1.4\n", []
    for number, content in enumerate(PDF_OBJECTS, 1):
        places.append(len(data))
        data += b"%d 0 obj%bendobj\n" % (number, content)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    head = b"xref\n0 6\n0000000000 65535 f \n"
    return data + head + table + b"trailer<</Root 1 0 R/Size 6>>\nstartxref\n%d\n%%%%EOF" % len(data)


def test_a_pdf_is_its_text() -> None:
    (message,) = chat_messages(user("Sum it up.", document("pdf", pdf())))
    assert "Turkeys" in message["content"]


@pytest.mark.parametrize(
    ("block", "words"),
    [
        (
            document("docx", b"PK"),
            "The document could not be read as text: pdf, txt, md, csv, html can be, docx cannot.",
        ),
        (document("pdf", b"%PDF-1.4 broken"), "The document could not be read as text: it holds none."),
        (document("txt", s3Location={"uri": "s3://a/b"}), "The document could not be read as text"),
        (
            {"image": {"format": "png", "source": {"s3Location": {"uri": "s3://a/b"}}}},
            "The image could not be read",
        ),
        ({"video": {"format": "mp4", "source": {"bytes": "AAAA"}}}, "The video could not be handed on"),
        (
            result("t1", {"video": {"format": "mp4", "source": {"bytes": "AAAA"}}}),
            "The video could not be handed on",
        ),
    ],
)
def test_what_cannot_be_handed_on_is_refused(block: Any, words: str) -> None:
    with pytest.raises(Refused, match=words) as caught:
        chat_messages(user("Sum it up.", block))
    assert caught.value.status == 400
    assert json.dumps(caught.value.message)
