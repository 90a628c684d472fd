"""A request's body is made of its messages and its base, and the same is always made of the same."""

import hashlib
import json

from botocore.serialize import create_serializer
from botocore.session import get_session
from hypothesis import given
from hypothesis import strategies as st

from conversations.protocol.converse import request
from tests.protocol.messages import SERVED, SERVED_RESULT, assistant, refusal_of, result, use, user

SPEC = {
    "toolSpec": {"name": "top_song", "description": "A song.", "inputSchema": {"json": {"type": "object"}}}
}
WITH_TOOLS = [user("Hi"), assistant(use("t1"), use("t2", name="a_tool")), user(result("t1"), result("t2"))]

BEDROCK = get_session().get_service_model("bedrock-runtime")
SERIALIZER = create_serializer(BEDROCK.metadata["protocol"])
CONVERSE_STREAM = BEDROCK.operation_model("ConverseStream")


def test_the_limit_of_tokens_is_always_sent_and_nothing_else_unasked() -> None:
    assert request.base("", {}, 4096, [], [user("Hi")]) == {"inferenceConfig": {"maxTokens": 4096}}


def test_settings_of_the_conversation_come_beside_and_before_the_limit() -> None:
    base = request.base("", {"temperature": 0.5, "maxTokens": 9}, 4096, [], [])
    assert base == {"inferenceConfig": {"maxTokens": 9, "temperature": 0.5}}


def test_a_system_prompt_is_sent_unless_it_is_blank() -> None:
    assert request.base("Be brief.", {}, 1, [], [])["system"] == [{"text": "Be brief."}]
    assert "system" not in request.base(" \n", {}, 1, [], [])


def test_a_base_has_its_system_prompt_again_where_that_was_moved() -> None:
    whole = request.base("Be brief.", {}, 1, [], [])
    moved = {name: part for name, part in whole.items() if name != "system"}
    assert request.with_system(moved, "Be brief.") == request.with_system(whole, "Be brief.") == whole
    assert request.with_system(moved, " ") == moved


def test_the_tools_offered_are_declared() -> None:
    assert request.base("", {}, 1, [SPEC], WITH_TOOLS)["toolConfig"] == {"tools": [SPEC]}


def test_tools_that_the_history_speaks_of_are_declared_where_none_is_offered() -> None:
    messages = [*WITH_TOOLS, assistant(SERVED, SERVED_RESULT, "Yes"), user("And?")]
    tools = request.base("", {}, 1, [], messages)["toolConfig"]["tools"]
    assert [tool["toolSpec"]["name"] for tool in tools] == ["a_tool", "search", "top_song"]
    assert refusal_of(messages) is None


def test_a_body_begins_with_its_messages() -> None:
    base = request.base("Be brief.", {}, 1, [], [])
    assert request.body([user("Hi")], base) == {"messages": [user("Hi")], **base}
    assert next(iter(request.body([user("Hi")], base))) == "messages"


def test_the_same_request_is_made_of_the_same_bytes() -> None:
    first, again = (
        request.encoded(request.body(WITH_TOOLS, request.base("s", {}, 1, [], WITH_TOOLS))) for _ in "12"
    )
    assert first == again
    assert request.sha256(first) == hashlib.sha256(again).hexdigest()


@given(st.text())
def test_a_body_is_written_as_botocore_writes_it(text: str) -> None:
    body = request.body([user(text)], request.base("", {}, 4096, [SPEC], []))
    written = SERIALIZER.serialize_to_request(body | {"modelId": "m"}, CONVERSE_STREAM)
    assert json.loads(written["body"]) == json.loads(request.encoded(body))
    assert written["body"] == request.encoded(body)
