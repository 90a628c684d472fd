"""FastAPI with boto3's loop, a thread a turn, as written by hand: no accounts, history or database."""

import asyncio
import os
import threading
from typing import Any

import boto3
import uvicorn
from fastapi import FastAPI, WebSocket, WebSocketDisconnect

app = FastAPI()
client = boto3.client(
    "bedrock-runtime",
    region_name="us-west-2",
    endpoint_url=os.environ["GATEWAY_URL"],
    aws_access_key_id="dummy",
    aws_secret_access_key="dummy",  # noqa: S106 (the gateway holds the keys)
)


@app.websocket("/chat")
async def chat(socket: WebSocket) -> None:
    """Answers every message with a stream of deltas and an end."""
    await socket.accept()
    try:
        while True:
            await answer(socket, await socket.receive_json())
    except WebSocketDisconnect:
        return


async def answer(socket: WebSocket, message: dict[str, Any]) -> None:
    """Sends the deltas that a thread reads."""
    loop, deltas = asyncio.get_running_loop(), asyncio.Queue[str | None]()

    def pump() -> None:
        messages = [{"role": "user", "content": [{"text": message["text"]}]}]
        response = client.converse_stream(modelId=message["model"], messages=messages)
        for event in response["stream"]:
            if "contentBlockDelta" in event:
                text = event["contentBlockDelta"]["delta"]["text"]
                loop.call_soon_threadsafe(deltas.put_nowait, text)
        loop.call_soon_threadsafe(deltas.put_nowait, None)

    threading.Thread(target=pump, daemon=True).start()
    while (delta := await deltas.get()) is not None:
        await socket.send_json({"type": "delta", "text": delta})
    await socket.send_json({"type": "end"})


if __name__ == "__main__":
    uvicorn.run(app, host="127.0.0.1", port=int(os.environ["PORT"]), log_level="warning")
