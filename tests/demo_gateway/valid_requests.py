"""Requests that Bedrock takes, of every kind."""

from typing import Any

from conversations.demo_gateway.reply import sign
from tests.protocol.messages import IMAGE, assistant, result, use, user

SPEC = {"name": "top_song", "description": "A song.", "inputSchema": {"json": {"type": "object"}}}
TOOLS = {"tools": [{"toolSpec": SPEC}]}


def reasoning(text: str = "hm", **more: Any) -> dict[str, Any]:
    return {"reasoningContent": {"reasoningText": {"text": text, **more}}}


def document(name: str = "Document 1") -> dict[str, Any]:
    return {"document": {"format": "pdf", "name": name, "source": {"bytes": "JVBERg=="}}}


SERVED = use("s1", type="server_tool_use")
ROUND = (user("hi"), assistant("let me see", use()), user(result()))


def ask(*messages: Any, **more: Any) -> dict[str, Any]:
    return {"messages": list(messages), "toolConfig": TOOLS, **more}


VALID = {
    "a question": ask(user("hi")),
    "a question without tools": {"messages": [user("hi")]},
    "a tool round": ask(*ROUND),
    "a tool round and its answer": ask(*ROUND, assistant("so"), user("and now")),
    "parallel tools": ask(user("hi"), assistant(use("a"), use("b")), user(result("b"), result("a"))),
    "a failed tool": ask(user("hi"), assistant(use()), user(result("t1", {"text": "no"}, status="error"))),
    "a json result": ask(user("hi"), assistant(use()), user(result("t1", {"json": {}}))),
    "signed reasoning": ask(user("hi"), assistant(reasoning(signature="c2ln"), "so"), user("go on")),
    "our own reasoning": ask(
        user("hi"), assistant(reasoning("ha", signature=sign("ha")), "so"), user("go on")
    ),
    "redacted reasoning": ask(
        user("hi"), assistant({"reasoningContent": {"redactedContent": "eA=="}}, "so"), user("go on")
    ),
    "a tool of the service's": ask(user("hi"), assistant(SERVED, result("s1"), "so"), user("go on")),
    "an unanswered tool of the service's": ask(user("hi"), assistant(SERVED, "so"), user("go on")),
    "both kinds of tools": ask(user("hi"), assistant(SERVED, result("s1"), use()), user(result())),
    "a picture": ask(user("what is this", IMAGE)),
    "a document": ask(user("what is this", document())),
    "citations": ask(
        user("hi"),
        assistant({"citationsContent": {"content": [{"text": "so"}], "citations": [{"title": "a"}]}}),
        user("go on"),
    ),
    "everything beside the messages": ask(
        user("hi"),
        system=[{"text": "Be brief."}, {"cachePoint": {"type": "default", "ttl": "1h"}}],
        inferenceConfig={"maxTokens": 1, "temperature": 0.5, "topP": 1, "stopSequences": ["x"]},
        guardrailConfig={"guardrailIdentifier": "abc1", "guardrailVersion": "DRAFT", "trace": "enabled"},
        additionalModelRequestFields={"top_k": 3},
        requestMetadata={"a": "b"},
        toolConfig={**TOOLS, "toolChoice": {"tool": {"name": "top_song"}}},
    ),
    "no system and null": ask(user("hi"), system=[], inferenceConfig=None),
}
