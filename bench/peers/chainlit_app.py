"""Chainlit with boto3's loop in a thread a turn, as documented; the message is the model's id."""

import asyncio
import os
import threading

import boto3
import chainlit

client = boto3.client(
    "bedrock-runtime",
    region_name="us-west-2",
    endpoint_url=os.environ["GATEWAY_URL"],
    aws_access_key_id="dummy",
    aws_secret_access_key="dummy",  # noqa: S106 (the gateway holds the keys)
)
MESSAGES = [{"role": "user", "content": [{"text": "What is the most popular song on WZPZ?"}]}]


@chainlit.on_message
async def answer(message: chainlit.Message) -> None:
    """Streams the deltas that a thread reads."""
    loop, deltas = asyncio.get_running_loop(), asyncio.Queue[str | None]()

    def pump() -> None:
        response = client.converse_stream(modelId=message.content, messages=MESSAGES)
        for event in response["stream"]:
            if "contentBlockDelta" in event:
                text = event["contentBlockDelta"]["delta"]["text"]
                loop.call_soon_threadsafe(deltas.put_nowait, text)
        loop.call_soon_threadsafe(deltas.put_nowait, None)

    threading.Thread(target=pump, daemon=True).start()
    reply = chainlit.Message(content="")
    while (delta := await deltas.get()) is not None:
        await reply.stream_token(delta)
    await reply.update()
