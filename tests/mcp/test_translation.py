"""Names, schemas, rules and results of servers' tools, as ours."""

import base64
from typing import Any

import pytest
from mcp_types import (
    BlobResourceContents,
    CallToolResult,
    EmbeddedResource,
    ImageContent,
    TextContent,
    TextResourceContents,
)
from pytest_django.fixtures import Settings

from conversations.mcp.configuration import ServerConfiguration
from conversations.mcp.connection import headers_for
from conversations.mcp.contents import content_of
from conversations.mcp.offering import names_of, tools_of
from conversations.mcp.schemas import RemoteArguments, UnusableSchema, faults, validator
from conversations.tools import InvalidInput

PIXEL = base64.b64encode(b"picture").decode()


def texts(*values: str) -> list[Any]:
    return [TextContent(type="text", text=value) for value in values]


def result(*content: Any, structured: Any = None) -> list[dict[str, Any]]:
    whole = CallToolResult(content=list(content), structured_content=structured)
    return content_of(whole, takes_pictures=True)


# -- names


def test_foreign_characters_and_length_are_changed_so_that_names_stay_different() -> None:
    long = "x" * 80
    names = names_of("my radio", ["song", "a.b", "a_b", "a/b", long])
    assert names["song"] == "my_radio__song"
    assert len(set(names.values())) == len(names)
    assert max(map(len, names.values())) == len(names[long]) == 64
    assert names == names_of("my radio", [long, "a/b", "a_b", "a.b", "song"])


# -- results


@pytest.mark.parametrize(
    ("structured", "content", "blocks"),
    [
        ({"a": 1}, ['{\n  "a": 1\n}'], [{"json": {"a": 1}}]),
        ({"a": 1}, ["in words"], [{"json": {"a": 1}}, {"text": "in words"}]),
        ({"result": "la"}, ["la"], [{"json": {"result": "la"}}]),
        ({"result": ["a", "b"]}, ["a", "b"], [{"json": {"result": ["a", "b"]}}]),
        ([1, 2], ["[1, 2]"], [{"json": {"result": [1, 2]}}]),
        (None, ["one", " ", "two"], [{"text": "one"}, {"text": "two"}]),
        (None, [], [{"text": "(no output)"}]),
    ],
)
def test_structured_content_goes_without_its_twin(structured: Any, content: list[str], blocks: Any) -> None:
    assert result(*texts(*content), structured=structured) == blocks


def test_pictures_that_models_do_not_take_and_damaged_ones_are_noted() -> None:
    content = [
        ImageContent(type="image", data=PIXEL, mime_type="image/png"),
        ImageContent(type="image", data=PIXEL, mime_type="image/tiff"),
        ImageContent(type="image", data="!", mime_type="image/png"),
    ]
    picture, *notes = result(*content)
    assert picture == {"image": {"format": "png", "source": {"bytes": PIXEL}}}
    assert ["models take no such pictures" in notes[0]["text"], "damaged" in notes[1]["text"]] == [True, True]


def test_resources_are_text_with_their_address_or_noted() -> None:
    text = TextResourceContents(uri="file:///a.txt", text="words")
    blob = BlobResourceContents(uri="file:///a.bin", blob=PIXEL, mime_type="application/zip")
    blocks = result(*(EmbeddedResource(type="resource", resource=one) for one in (text, blob)))
    assert blocks[0] == {"text": "file:///a.txt\nwords"}
    assert blocks[1]["text"].startswith("[file:///a.bin, application/zip, ")


def test_texts_over_the_limit_together_are_cut(settings: Settings) -> None:
    settings.TOOL_RESULT_LIMIT = 100
    (block,) = result(*texts("a" * 80, "b" * 80))
    assert block["text"].endswith("[cut: 100 of 161 bytes]")


# -- schemas


@pytest.mark.parametrize(
    ("schema", "reason"),
    [
        (None, "is not that of an object"),
        ({"type": "array"}, "is not that of an object"),
        (
            {"type": "object", "properties": {"a": {"$ref": "https://example.com/a"}}},
            "refers to something elsewhere",
        ),
        ({"type": "object", "properties": 3}, "is none"),
        ({"type": "object", "description": "x" * 70_000}, "bytes"),
    ],
)
def test_a_schema_that_cannot_be_trusted_is_not_taken(schema: Any, reason: str) -> None:
    with pytest.raises(UnusableSchema, match=reason):
        RemoteArguments(schema)


def test_a_schema_that_is_too_deep_is_not_taken() -> None:
    schema: dict[str, Any] = {"type": "object"}
    for _ in range(30):
        schema = {"type": "object", "properties": {"a": schema}}
    with pytest.raises(UnusableSchema, match="levels deep"):
        RemoteArguments(schema)


def test_arguments_are_held_against_the_schema_but_not_its_patterns() -> None:
    properties = {"a": {"type": "string", "pattern": "^(a+)+$"}, "pattern": {"type": "integer"}}
    arguments = RemoteArguments({"type": "object", "properties": properties, "required": ["a"]})
    assert arguments.validate({"a": "b", "pattern": 1}) == {"a": "b", "pattern": 1}
    with pytest.raises(InvalidInput, match="- pattern: 'x' is not of type 'integer'"):
        arguments.validate({"a": "b", "pattern": "x"})


def test_many_faults_are_told_shortly() -> None:
    schema = {"type": "object", "additionalProperties": {"type": "string"}}
    assert len(list(faults(validator(schema), {str(n): n for n in range(100)}))) == 11


# -- rules


@pytest.mark.parametrize(
    ("keys", "approval", "idempotent"),
    [
        ({}, [True, True], [False, False]),
        ({"trust": True}, [False, True], [True, False]),
        ({"approval": "never"}, [False, False], [False, False]),
        ({"approval": "always", "trust": True}, [True, True], [True, False]),
        ({"approval": ["w*"]}, [False, True], [False, False]),
    ],
)
def test_annotations_are_believed_of_trusted_servers_only(
    keys: dict[str, Any], approval: list[bool], idempotent: list[bool]
) -> None:
    schema = {"type": "object"}
    definitions = [
        {"name": "read", "inputSchema": schema, "annotations": {"readOnlyHint": True}},
        {"name": "write", "inputSchema": schema, "annotations": {"readOnlyHint": False}},
        {"name": "odd", "inputSchema": {"type": "array"}},
    ]

    async def call(*_: Any) -> Any:
        raise NotImplementedError

    configuration = ServerConfiguration(command="radio", **keys)
    tools, reasons = tools_of("radio", definitions, configuration, lambda _: call)
    assert [tool.approval for tool in tools] == approval
    assert [tool.idempotent for tool in tools] == idempotent
    assert list(reasons) == ["odd"]


def test_headers_are_filled_in_for_a_call_and_left_out_without_one() -> None:
    headers = {"Authorization": "Bearer x", "X-User": "{user}/{turn}"}
    server = ServerConfiguration(url="http://127.0.0.1/", headers=headers)
    of_call = {"user": "\u00fc{turn}", "turn": "1"}
    assert headers_for(server, of_call) == {"Authorization": "Bearer x", "X-User": "%C3%BC{turn}/1"}
    assert headers_for(server, {}) == {"Authorization": "Bearer x"}
