"""A load gateway: `POST /model/sim.nCOUNT.usMICROSECONDS/converse-stream` streams so many stamped deltas, at that pace.

Each event is a frame in a chunk of its own, as Bedrock sends them. It checks no credentials and prints the port it listens at.
"""

import asyncio
import sys
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote
from zlib import crc32

from conversations.gateway import frames

from .machine import now
from .plan import pace
from .stamps import stamp

BACKLOG = 1024
HEAD = (
    b"HTTP/1.1 200 OK\r\ncontent-type: application/vnd.amazon.eventstream\r\ntransfer-encoding: chunked\r\n"
    b"x-amzn-requestid: 00000000-0000-0000-0000-000000000000\r\n\r\n"
)


def chunk(name: str, payload: Mapping[str, Any]) -> bytes:
    """An event as one chunk of the answer."""
    frame = frames.encode(name, {**payload, "p": "abcdefghijk"})
    return b"%x\r\n%b\r\n" % (len(frame), frame)


SAMPLE = stamp(0, 0)
BEFORE, AFTER = chunk(
    "contentBlockDelta", {"contentBlockIndex": 0, "delta": {"text": SAMPLE.decode()}}
).split(SAMPLE)
AFTER = AFTER[: -len(b"\r\n") - 4]
BEGUN = crc32(BEFORE.partition(b"\r\n")[2])


def delta(number: int) -> bytes:
    """A stamped delta; all but the stamp and the checksum was made before."""
    changing = stamp(now(), number) + AFTER
    return b"%b%b%b\r\n" % (BEFORE, changing, crc32(changing, BEGUN).to_bytes(4, "big"))


def ending(count: int) -> bytes:
    """All that follows the last delta."""
    usage = {"inputTokens": 10, "outputTokens": count, "totalTokens": 10 + count}
    return (
        chunk("contentBlockStop", {"contentBlockIndex": 0})
        + chunk("messageStop", {"stopReason": "end_turn"})
        + chunk("metadata", {"metrics": {"latencyMs": 1}, "usage": usage})
        + b"0\r\n\r\n"
    )


async def stream(writer: asyncio.StreamWriter, count: int, interval: float) -> None:
    """Sends the deltas, each when it is due."""
    loop = asyncio.get_running_loop()
    writer.write(HEAD + chunk("messageStart", {"role": "assistant"}))
    begun = loop.time()
    for number in range(count):
        await asyncio.sleep(begun + number * interval - loop.time())
        if writer.is_closing():
            return
        writer.write(delta(number))
    writer.write(ending(count))


async def requested(reader: asyncio.StreamReader) -> str:
    """The model id of the next request, which is read to its end."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
    length = head.partition("\r\ncontent-length:")[2].partition("\r\n")[0]
    await reader.readexactly(int(length or 0))
    return unquote(head.split(" ")[1]).split("/")[2]


async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answers the requests of one connection until it is closed."""
    try:
        while True:
            await stream(writer, *pace(await requested(reader)))
    except (asyncio.IncompleteReadError, ConnectionError):
        pass
    finally:
        writer.close()


async def serve() -> None:
    """Listens at any free port of this machine, for ever."""
    server = await asyncio.start_server(answer, "127.0.0.1", 0, backlog=BACKLOG)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve())
