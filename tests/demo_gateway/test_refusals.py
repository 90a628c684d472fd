"""Bedrock's validation of a request: each case is a request that is valid but for one thing."""

import copy
from typing import Any

import pytest

from conversations.demo_gateway import refusal
from conversations.demo_gateway.reply import sign
from tests.demo_gateway.valid_requests import ROUND, SERVED, SPEC, TOOLS, VALID, ask, document, reasoning
from tests.protocol.messages import IMAGE, assistant, result, use, user

MODEL = "The model returned the following errors: "
EMPTY = "The content field in the Message object at messages.{} is empty. Add a ContentBlock object to the content field and try again."
BLANK = "The text field in the ContentBlock object at {} is blank. Add text to the text field, and try again."
ALTERNATE = (
    "A conversation must alternate between user and assistant roles. "
    "Make sure the conversation alternates between user and assistant roles and try again."
)
FIRST = "A conversation must start with a user message. Try again with a conversation that starts with a user message."
LAST = "This model does not support assistant message prefill. The conversation must end with a user message."
NO_CONFIG = "The toolConfig field must be defined when using toolUse and toolResult content blocks."
EXCEEDS = "The number of toolResult blocks at messages.{}.content exceeds the number of toolUse blocks of previous turn."
EXPECTED = "Expected toolResult blocks at messages.2.content for the following Ids: {}"
TWICE = "The {} blocks at messages.{}.content contain duplicate Ids: t1"
TOGETHER = (
    "messages.2.content: Conversation blocks and tool result blocks cannot be provided in the same turn."
)
OBJECT = "The format of the value at {} is invalid. Provide a json object for the field and try again."
DOCUMENT = (
    "The document file name can only contain alphanumeric characters, whitespace characters, hyphens, parentheses, "
    "and square brackets. The name can't contain more than one consecutive whitespace character."
)
THINKING = {"thinking": {"type": "enabled", "budget_tokens": 1024}}

REFUSED: list[tuple[str, dict[str, Any], str]] = [
    ("no messages", ask(), FIRST),
    ("messages absent", {}, FIRST),
    ("blank text", ask(user(" \n")), BLANK.format("messages.0.content.0")),
    ("empty text", ask(user("hi"), assistant("so", ""), user("x")), BLANK.format("messages.1.content.1")),
    ("empty content", ask(user("hi"), assistant(), user("x")), EMPTY.format(1)),
    (
        "blank result text",
        ask(user("hi"), assistant(use()), user(result("t1", {"text": ""}))),
        BLANK.format("messages.2.content.0.toolResult.content.0"),
    ),
    (
        "empty result",
        ask(user("hi"), assistant(use()), user({"toolResult": {"toolUseId": "t1", "content": []}})),
        (
            "The content field in the ToolResultBlock object at messages.2.content.0.toolResult is empty. "
            "Add a ToolResultContentBlock object to the content field and try again."
        ),
    ),
    (
        "blank cited text",
        ask(user("hi"), assistant({"citationsContent": {"content": [{"text": ""}]}}), user("x")),
        BLANK.format("messages.1.content.0.citationsContent.content.0"),
    ),
    (
        "blank system",
        ask(user("hi"), system=[{"text": "\t"}]),
        f"{MODEL}system: text content blocks must contain non-whitespace text",
    ),
    ("two users", ask(user("hi"), user("there")), ALTERNATE),
    ("two assistants", ask(user("hi"), assistant("a"), assistant("b"), user("x")), ALTERNATE),
    ("assistant first", ask(assistant("a"), user("hi")), FIRST),
    ("assistant last", ask(user("hi"), assistant("a")), LAST),
    ("tool use last", ask(user("hi"), assistant(use())), LAST),
    ("no answer to a tool use", ask(user("hi"), assistant(use()), user("x")), EXPECTED.format("t1")),
    (
        "one answer of two",
        ask(user("hi"), assistant(use("a"), use("b"), use("c")), user(result("b"))),
        EXPECTED.format("a, c"),
    ),
    ("an answer to another", ask(user("hi"), assistant(use()), user(result("t2"))), EXPECTED.format("t1")),
    ("an orphan result", ask(user(result())), EXCEEDS.format(0)),
    ("a late result", ask(*ROUND, assistant("a"), user(result())), EXCEEDS.format(4)),
    ("one result too many", ask(*ROUND[:2], user(result(), result("t2"))), EXCEEDS.format(2)),
    ("a result twice", ask(*ROUND[:2], user(result(), result())), TWICE.format("toolResult", 2)),
    (
        "a use twice",
        ask(user("hi"), assistant(use(), use()), user(result())),
        TWICE.format("toolUse", 1),
    ),
    (
        "an id used before",
        ask(*ROUND, assistant(use()), user(result())),
        f"{MODEL}messages.3.content.0: `tool_use` ids must be unique",
    ),
    ("text beside a result", ask(*ROUND[:2], user(result(), "and?")), TOGETHER),
    ("a picture beside a result", ask(*ROUND[:2], user(result(), IMAGE)), TOGETHER),
    ("a tool history without tools", {"messages": list(ROUND)}, NO_CONFIG),
    ("a served tool without tools", {"messages": [user("hi"), assistant(SERVED), user("x")]}, NO_CONFIG),
    (
        "a use by the user",
        ask(user("hi", use())),
        f"{MODEL}messages.0.content.1: `tool_use` blocks can only be in `assistant` messages",
    ),
    (
        "a result by the assistant",
        ask(user("hi"), assistant("a", result()), user("x")),
        f"{MODEL}messages.1.content.1: `tool_result` blocks can only be in `user` messages",
    ),
    (
        "a list as json",
        ask(user("hi"), assistant(use()), user(result("t1", {"json": [1]}))),
        OBJECT.format("messages.2.content.0.toolResult.content.0.json"),
    ),
    (
        "null as json",
        ask(user("hi"), assistant(use()), user(result("t1", {"json": None}))),
        OBJECT.format("messages.2.content.0.toolResult.content.0.json"),
    ),
    (
        "a text as input",
        ask(user("hi"), assistant("a", use(input='{"a": 1}')), user(result())),
        OBJECT.format("messages.1.content.1.toolUse.input"),
    ),
    (
        "a text as schema",
        ask(user("hi"), toolConfig={"tools": [{"toolSpec": {**SPEC, "inputSchema": {"json": "{}"}}}]}),
        OBJECT.format("toolConfig.tools.0.toolSpec.inputSchema.json"),
    ),
    (
        "a schema of an array",
        ask(
            user("hi"),
            toolConfig={"tools": [{"toolSpec": {**SPEC, "inputSchema": {"json": {"type": "array"}}}}]},
        ),
        "The value at toolConfig.tools.0.toolSpec.inputSchema.json.type must be one of the following: object.",
    ),
    (
        "unsigned reasoning",
        ask(user("hi"), assistant(reasoning(), "a"), user("x")),
        f"{MODEL}messages.1.content.0.thinking.signature: Field required",
    ),
    (
        "an empty signature",
        ask(user("hi"), assistant(reasoning(signature=""), "a"), user("x")),
        f"{MODEL}messages.1.content.0: Invalid `signature` in `thinking` block",
    ),
    (
        "reasoning that was touched",
        ask(user("hi"), assistant(reasoning("other", signature=sign("one")), "a"), user("x")),
        f"{MODEL}messages.1.content.0: Invalid `signature` in `thinking` block",
    ),
    (
        "reasoning by the user",
        ask(user("hi", reasoning(signature="c2ln"))),
        f"{MODEL}messages.0.content.1: `thinking` blocks can only be in `assistant` messages",
    ),
    (
        "a picture by the assistant",
        ask(user("hi"), assistant(IMAGE), user("x")),
        f"{MODEL}messages.1.content: 'image' blocks are not permitted within assistant turns.",
    ),
    ("a document's extension", ask(user("hi", document("a.pdf"))), DOCUMENT),
    ("two spaces in its name", ask(user("hi", document("a  b"))), DOCUMENT),
    (
        "a document alone",
        ask(user(document())),
        "A text block must be included when using documents. Add a text block and retry your request.",
    ),
    (
        "thinking without its reasoning",
        ask(*ROUND, additionalModelRequestFields=THINKING),
        (
            f"{MODEL}messages.1.content.0.type: Expected `thinking` or `redacted_thinking`, but found `text`. "
            "When `thinking` is enabled, a final `assistant` message must start with a thinking block"
        ),
    ),
    (
        "two tools of a name",
        ask(user("hi"), toolConfig={"tools": TOOLS["tools"] * 2}),
        f"{MODEL}tools: Tool names must be unique.",
    ),
    (
        "a choice not on offer",
        ask(user("hi"), toolConfig={**TOOLS, "toolChoice": {"tool": {"name": "other"}}}),
        f"{MODEL}Tool 'other' not found in provided tools",
    ),
    (
        "five cache points",
        ask(user("hi", *[{"cachePoint": {"type": "default"}}] * 5)),
        f"{MODEL}A maximum of 4 blocks with cache_control may be provided. Found 5.",
    ),
    (
        "a block nobody knows",
        ask(user({"SDK_UNKNOWN_MEMBER": {"name": "x"}})),
        f"{MODEL}messages.0.content.0.SDK_UNKNOWN_MEMBER: Extra inputs are not permitted",
    ),
    (
        "a field nobody knows",
        ask(user("hi"), assistant(use(partial=True)), user(result())),
        f"{MODEL}messages.1.content.0.toolUse.partial: Extra inputs are not permitted",
    ),
    (
        "maxTokens 0",
        ask(user("hi"), inferenceConfig={"maxTokens": 0}),
        (
            "1 validation error detected: Value '0' at 'inferenceConfig.maxTokens' failed to satisfy constraint: "
            "Member must have value greater than or equal to 1"
        ),
    ),
    (
        "a temperature of 2",
        ask(user("hi"), inferenceConfig={"temperature": 2}),
        (
            "1 validation error detected: Value '2' at 'inferenceConfig.temperature' failed to satisfy constraint: "
            "Member must have value less than or equal to 1"
        ),
    ),
    (
        "no tools",
        ask(user("hi"), toolConfig={"tools": []}),
        (
            "1 validation error detected: Value at 'toolConfig.tools' failed to satisfy constraint: "
            "Member must have length greater than or equal to 1"
        ),
    ),
    (
        "an unnamed tool",
        ask(user("hi"), toolConfig={"tools": [{"toolSpec": {**SPEC, "name": "", "description": ""}}]}),
        (
            "3 validation errors detected: Value '' at 'toolConfig.tools.1.member.toolSpec.name' failed to satisfy "
            "constraint: Member must satisfy regular expression pattern: [a-zA-Z0-9_-]+; "
            "Value '' at 'toolConfig.tools.1.member.toolSpec.name' failed to satisfy constraint: "
            "Member must have length greater than or equal to 1; "
            "Value '' at 'toolConfig.tools.1.member.toolSpec.description' failed to satisfy constraint: "
            "Member must have length greater than or equal to 1"
        ),
    ),
    (
        "a made-up name",
        ask(user("hi"), assistant("a", use(name="$READFILE")), user(result())),
        (
            "1 validation error detected: Value at 'messages.2.member.content.2.member.toolUse.name' failed to satisfy "
            "constraint: Member must satisfy regular expression pattern: [a-zA-Z0-9_-]+"
        ),
    ),
    (
        "a long id",
        ask(user("hi"), assistant(use("x" * 65)), user(result("x" * 64))),
        (
            "1 validation error detected: Value at 'messages.2.member.content.1.member.toolUse.toolUseId' failed to "
            "satisfy constraint: Member must have length less than or equal to 64"
        ),
    ),
    (
        "a role nobody knows",
        ask({"role": "tool", "content": [{"text": "hi"}]}),
        (
            "1 validation error detected: Value 'tool' at 'messages.1.member.role' failed to satisfy constraint: "
            "Member must satisfy enum value set: [user, assistant]"
        ),
    ),
    (
        "no content",
        ask({"role": "user"}),
        (
            "1 validation error detected: Value null at 'messages.1.member.content' failed to satisfy constraint: "
            "Member must not be null"
        ),
    ),
    (
        "content as text",
        ask({"role": "user", "content": "hi"}),
        "STRING_VALUE can not be converted to a List",
    ),
    ("a number as text", ask(user({"text": 1})), "NUMBER_VALUE can not be converted to a String"),
    (
        "a flag as number",
        ask(user("hi"), inferenceConfig={"maxTokens": True}),
        "TRUE_VALUE can not be converted to an Integer",
    ),
    (
        "two kinds in a block",
        ask(user({"text": "hi", **IMAGE})),
        (
            f"{MODEL}messages.0.content.0: one of text, image, document, video, audio, toolUse, toolResult, guardContent, "
            "cachePoint, reasoningContent, citationsContent, searchResult, toolAddition, toolRemoval must be set, and only one"
        ),
    ),
    (
        "the service's new role",
        ask(user("hi"), {"role": "system", "content": [{"text": "Be brief."}]}),
        (
            "1 validation error detected: Value 'system' at 'messages.2.member.role' failed to satisfy constraint: "
            "Member must satisfy enum value set: [user, assistant]"
        ),
    ),
    (
        "bytes that are not base64",
        ask(user("hi", {"image": {"format": "png", "source": {"bytes": "%"}}})),
        "Invalid base64 at 'messages.1.member.content.2.member.image.source.bytes'",
    ),
]


@pytest.mark.parametrize("body", VALID.values(), ids=VALID.keys())
def test_a_valid_request_is_not_refused(body: dict[str, Any]) -> None:
    assert refusal(body) is None


@pytest.mark.parametrize(("body", "text"), [case[1:] for case in REFUSED], ids=[case[0] for case in REFUSED])
def test_a_request_is_refused_in_the_services_words(body: dict[str, Any], text: str) -> None:
    assert refusal(body) == text


@pytest.mark.parametrize("body", VALID.values(), ids=VALID.keys())
def test_the_body_is_left_as_it_was(body: dict[str, Any]) -> None:
    before = copy.deepcopy(body)
    refusal(body)
    assert body == before
