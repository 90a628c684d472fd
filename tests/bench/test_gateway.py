"""The load gateway: botocore reads its frames, it keeps the pace, and is silent where it should be."""

import asyncio
import json
from collections.abc import AsyncIterator

import pytest
from botocore.eventstream import EventStreamBuffer

from bench.gateway import Connection, Ticker, delta, ending, frame
from bench.plan import model
from bench.stamps import MARK


def payloads(chunks: bytes) -> list[tuple[str, dict[str, object]]]:
    """The events in an answer's chunks, by botocore's own parser, which checks the checksums."""
    buffer = EventStreamBuffer()
    while chunks:
        size, _, chunks = chunks.partition(b"\r\n")
        buffer.add_data(chunks[: int(size, 16)])
        chunks = chunks[int(size, 16) + 2 :]
    events = [event.to_response_dict() for event in buffer]
    return [(event["headers"][":event-type"], json.loads(event["body"] or b"{}")) for event in events]


def test_botocore_reads_every_frame() -> None:
    events = payloads(delta(0) + delta(4096) + ending(2))
    assert [name for name, _ in events] == [
        "contentBlockDelta", "contentBlockDelta", "contentBlockStop", "messageStop", "metadata",
    ]  # fmt: skip
    text = events[1][1]["delta"]["text"]
    assert [int(number, 16) for _, number in MARK.findall(text.encode())] == [4096]
    assert frame("messageStart", {"role": "assistant"})[:4] == len(
        frame("messageStart", {"role": "assistant"})
    ).to_bytes(4, "big")


class Client:
    """A connection to a gateway in this loop."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    def request(self, method: str, path: str) -> None:
        self.writer.write(f"{method} {path} HTTP/1.1\r\nContent-Length: 2\r\n\r\n{{}}".encode())

    async def number(self, path: str) -> int:
        """The number that a GET answers with."""
        self.request("GET", path)
        await self.reader.readuntil(b"\r\n\r\n")
        return int(await self.reader.readexactly(1))

    async def deltas(self) -> list[int]:
        """The numbers of the deltas in an answer, read to its end."""
        body = await self.reader.readuntil(b"\r\n0\r\n\r\n")
        return [int(number, 16) for _, number in MARK.findall(body)]


@pytest.fixture
async def port() -> AsyncIterator[int]:
    ticker = Ticker()
    server = await asyncio.get_running_loop().create_server(lambda: Connection(ticker), "127.0.0.1", 0)
    yield server.sockets[0].getsockname()[1]
    server.close()


async def connected(port: int) -> Client:
    return Client(*await asyncio.open_connection("127.0.0.1", port))


def stream_path(count: int, *, is_silent: bool = False) -> str:
    return f"/model/{model(count, 1000, is_silent=is_silent)}/converse-stream"


async def test_a_connection_answers_one_request_after_the_other(port: int) -> None:
    client = await connected(port)
    for count in (3, 1):
        client.request("POST", stream_path(count))
    assert await client.deltas() == [0, 1, 2]
    assert await client.deltas() == [0]
    client.writer.close()


async def test_a_silent_model_speaks_once_it_is_released(port: int) -> None:
    silent, other = await connected(port), await connected(port)
    silent.request("POST", stream_path(2, is_silent=True))
    await silent.reader.readuntil(b"messageStart")
    assert await other.number("/silent") == 1
    assert await other.number("/release") == 0
    assert await silent.deltas() == [0, 1]
    for client in (silent, other):
        client.writer.close()


async def test_a_silent_stream_that_nobody_reads_any_more_does_not_wait(port: int) -> None:
    silent, other = await connected(port), await connected(port)
    silent.request("POST", stream_path(2, is_silent=True))
    await silent.reader.readuntil(b"messageStart")
    silent.writer.close()
    while await other.number("/silent"):
        pass
    other.writer.close()
