"""How tool uses and results have to pair: each use is answered in the next message, all in one."""

from collections.abc import Iterator, Mapping
from typing import Any

from conversations.demo_gateway.shapes import MODEL

NO_TOOLS = "The toolConfig field must be defined when using toolUse and toolResult content blocks."
TOGETHER = "Conversation blocks and tool result blocks cannot be provided in the same turn."


def own_use_id(block: Mapping[str, Any]) -> str | None:
    """The id of the tool use in a block that the caller has to answer: the service's own tools are exempt."""
    use = block.get("toolUse")
    return use["toolUseId"] if use and use.get("type") != "server_tool_use" else None


def faults(body: Mapping[str, Any]) -> Iterator[str]:
    """What the service says of a request whose tool uses and results do not pair; roles already alternate."""
    messages = body["messages"]
    if not body.get("toolConfig") and any(_tools(message) for message in messages):
        yield NO_TOOLS
    yield from _definitions(body.get("toolConfig") or {})
    for number, message in enumerate(messages):
        if message["role"] == "assistant":
            yield from _assistant(number, message["content"])
        else:
            yield from _user(number, message["content"], messages[number - 1]["content"] if number else [])
    yield from _reused(messages)


def _tools(message: Mapping[str, Any]) -> bool:
    return any(block.get("toolUse") or block.get("toolResult") for block in message["content"])


def _definitions(config: Mapping[str, Any]) -> Iterator[str]:
    names = [tool["toolSpec"]["name"] for tool in config.get("tools", []) if tool.get("toolSpec")]
    if len(set(names)) < len(names):
        yield f"{MODEL}tools: Tool names must be unique."
    choice = ((config.get("toolChoice") or {}).get("tool") or {}).get("name")
    if choice and choice not in names:
        yield f"{MODEL}Tool '{choice}' not found in provided tools"


def _assistant(number: int, content: list[Any]) -> Iterator[str]:
    served = {
        block["toolUse"]["toolUseId"] for block in content if block.get("toolUse") and not own_use_id(block)
    }
    for index, block in enumerate(content):
        if block.get("toolResult") and block["toolResult"]["toolUseId"] not in served:
            yield f"{MODEL}messages.{number}.content.{index}: `tool_result` blocks can only be in `user` messages"
    yield from _duplicates("toolUse", number, [name for name in map(own_use_id, content) if name])


def _user(number: int, content: list[Any], before: list[Any]) -> Iterator[str]:
    for index, block in enumerate(content):
        if block.get("toolUse"):
            yield f"{MODEL}messages.{number}.content.{index}: `tool_use` blocks can only be in `assistant` messages"
    uses = [name for name in map(own_use_id, before) if name]
    results = [block["toolResult"]["toolUseId"] for block in content if block.get("toolResult")]
    yield from _duplicates("toolResult", number, results)
    if len(results) > len(uses):
        yield (
            f"The number of toolResult blocks at messages.{number}.content "
            "exceeds the number of toolUse blocks of previous turn."
        )
    missing = [name for name in uses if name not in results]
    if missing:
        yield f"Expected toolResult blocks at messages.{number}.content for the following Ids: {', '.join(missing)}"
    if results and any(not {"toolResult", "cachePoint"} & block.keys() for block in content):
        yield f"messages.{number}.content: {TOGETHER}"


def _duplicates(kind: str, number: int, names: list[str]) -> Iterator[str]:
    twice = [name for name in dict.fromkeys(names) if names.count(name) > 1]
    if twice:
        yield f"The {kind} blocks at messages.{number}.content contain duplicate Ids: {', '.join(twice)}"


def _reused(messages: list[Any]) -> Iterator[str]:
    """Claude wants each id once in the whole conversation."""
    seen: set[str] = set()
    for number, message in enumerate(messages):
        for index, block in enumerate(message["content"]):
            name = own_use_id(block)
            if name in seen:
                yield f"{MODEL}messages.{number}.content.{index}: `tool_use` ids must be unique"
            seen |= {name} if name else set()
