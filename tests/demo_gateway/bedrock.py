"""The demo gateway as the real boto3 asks it, and what its events add up to."""

import json
from contextlib import closing
from typing import Any

import boto3
from botocore.config import Config

MODEL = "cohere.command-r-v1:0"

TOOL_CONFIG = {
    "tools": [
        {
            "toolSpec": {
                "name": "top_song",
                "description": "Get the most popular song played on a radio station.",
                "inputSchema": {
                    "json": {
                        "type": "object",
                        "properties": {
                            "sign": {
                                "type": "string",
                                "description": "The call sign for the radio station for which you want the most "
                                "popular song. Example call signs are WZPZ and WKRP.",
                            }
                        },
                        "required": ["sign"],
                    }
                },
            }
        }
    ]
}


def bedrock(url: str, timeout: float = 20) -> Any:
    config = Config(
        retries={"total_max_attempts": 1}, read_timeout=timeout, proxies={}, signature_version="v4"
    )
    keys = {"aws_access_key_id": "dummy", "aws_secret_access_key": "dummy"}
    return boto3.client("bedrock-runtime", region_name="us-west-2", endpoint_url=url, config=config, **keys)


def stream(client: Any, *messages: dict[str, Any], model: str = MODEL, **more: Any) -> list[Any]:
    answer = client.converse_stream(modelId=model, messages=list(messages), toolConfig=TOOL_CONFIG, **more)
    with closing(answer["stream"]) as events:
        return list(events)


def message(events: list[Any]) -> tuple[str, dict[str, Any]]:
    """Stop reason and message, put together as Kong's own example does."""
    content: list[Any] = []
    stop, written, use = "", "", {}
    for event in events:
        if "contentBlockStart" in event:
            use = {**event["contentBlockStart"]["start"]["toolUse"], "input": ""}
        elif "contentBlockDelta" in event:
            delta = event["contentBlockDelta"]["delta"]
            if "toolUse" in delta:
                use["input"] += delta["toolUse"]["input"]
            written += delta.get("text", "")
        elif "contentBlockStop" in event:
            content.append(
                {"toolUse": {**use, "input": json.loads(use["input"])}} if use else {"text": written}
            )
            written, use = "", {}
        elif "messageStop" in event:
            stop = event["messageStop"]["stopReason"]
    return stop, {"role": "assistant", "content": content}


def text_of(events: list[Any]) -> str:
    return "".join(
        event["contentBlockDelta"]["delta"].get("text", "")
        for event in events
        if "contentBlockDelta" in event
    )
