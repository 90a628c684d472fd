"""A Converse request as a request of chat completions."""

import json
from collections.abc import Mapping
from typing import Any

from conversations.upstream.messages import chat_messages
from conversations.upstream.refusals import Refused

Json = dict[str, Any]
Body = Mapping[str, Any]

MOST_STOPS = 4
"""Stop sequences in a request: OpenAI takes no more."""


def chat_request(body: Body, model: str) -> Json:
    """The request for a model of the upstream's; raises Refused for content that cannot be handed on."""
    fields = body.get("additionalModelRequestFields")
    return {
        **(fields if isinstance(fields, dict) else {}),
        "model": model,
        "messages": chat_messages(body),
        **_inference(body.get("inferenceConfig") or {}),
        **_tools(body.get("toolConfig") or {}),
        **_response_format(body.get("outputConfig") or {}),
        "stream": True,
        "stream_options": {"include_usage": True},
    }


def _inference(config: Body) -> Json:
    options = {
        "max_tokens": config.get("maxTokens"),
        "temperature": config.get("temperature"),
        "top_p": config.get("topP"),
        "stop": (config.get("stopSequences") or [])[:MOST_STOPS] or None,
    }
    return {name: value for name, value in options.items() if value is not None}


def _tools(config: Body) -> Json:
    tools = [_tool(entry["toolSpec"]) for entry in config.get("tools") or [] if entry.get("toolSpec")]
    choice = _choice(config.get("toolChoice") or {})
    return ({"tools": tools} | ({"tool_choice": choice} if choice else {})) if tools else {}


def _tool(spec: Body) -> Json:
    function = {
        "name": spec["name"],
        "description": spec.get("description"),
        "parameters": spec["inputSchema"].get("json") or {"type": "object", "properties": {}},
        "strict": spec.get("strict"),
    }
    return {"type": "function", "function": {k: v for k, v in function.items() if v is not None}}


def _choice(choice: Body) -> Any:
    if choice.get("tool") is not None:
        return {"type": "function", "function": {"name": choice["tool"]["name"]}}
    if choice.get("any") is not None:
        return "required"
    return "auto" if choice.get("auto") is not None else None


def _response_format(config: Body) -> Json:
    """The format of structured output; Converse has the schema as a text of JSON."""
    structure = (config.get("textFormat") or {}).get("structure") or {}
    schema = structure.get("jsonSchema")
    if not schema:
        return {}
    try:
        format_ = {"name": schema.get("name") or "answer", "schema": json.loads(schema["schema"])}
    except ValueError:
        raise Refused(400, "The value at outputConfig.textFormat is no JSON schema.") from None
    return {"response_format": {"type": "json_schema", "json_schema": format_}}
