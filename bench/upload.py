"""Attached files: what they add to the memory of each web server, and how long they take."""

import argparse
import http.client
import io
import random
import time
import zlib
from collections.abc import Iterator
from pathlib import Path

from .machine import cores, pin, resident
from .report import Figure, Report, Tell, figures_report
from .site import Site, server_options, serving

MEMORY = 60
"""MB that a file may add to the server's memory."""

MB = 1_000_000
BOUNDARY = "-----------------------------turntable"
CHUNK = 64 * 1024
MODEL = "cohere.command-r-v1:0"


def add_options(parser: argparse.ArgumentParser) -> None:
    """The command line."""
    parser.add_argument("--size", type=int, default=25, help="MB of a file (25)")


def report(options: argparse.Namespace, tell: Tell) -> Report:
    """Attaches a text and a picture to each server; all is well if its memory stays within the goal."""
    spread = cores()
    pin(spread.load)
    figures: list[Figure] = []
    files = {
        "text": (text(options.size), "large.txt", 201),
        "picture": (noise(options.size), "large.png", 201),
    }
    files["file that is refused"] = (text(8 * options.size), "refused.txt", 413)
    for server, arguments in server_options().items():
        for what, (body, name, status) in files.items():
            tell(f"{server}: a {what} of {len(body) // MB} MB")
            with serving({"GATEWAY_MODELS": MODEL}, spread.tested, *arguments) as site:
                figures += measure(site, f"{server}, {what}", body, name, status)
    return figures_report(figures, f"Files of {options.size} MB. {spread.note}", size=options.size)


def measure(site: Site, what: str, body: bytes, name: str, status: int) -> Iterator[Figure]:
    """Attaches a file, after a small one that loads what is loaded once."""
    conversation = site.conversation(MODEL)
    attach(site, conversation, "small.png", noise(0))
    before = resident(site.pids[0])
    forget_peak(site.pids[0])
    start = time.monotonic()
    answer = attach(site, conversation, name, body)
    seconds = time.monotonic() - start
    if answer != status:
        raise RuntimeError(f"{name} was answered {answer}")
    yield Figure(f"{what}: memory at most", peak(site.pids[0]) - before, "MB", MEMORY)
    yield Figure(f"{what}: memory that stays", resident(site.pids[0]) - before, "MB")
    yield Figure(f"{what}: time", seconds, "s")


def attach(site: Site, conversation: str, name: str, data: bytes) -> int:
    """The status of the answer to a file."""
    head = (
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n'
        "Content-Type: application/octet-stream\r\n\r\n"
    ).encode()
    tail = f"\r\n--{BOUNDARY}--\r\n".encode()
    connection = http.client.HTTPConnection(*site.address, timeout=60)
    connection.putrequest("POST", f"/conversations/{conversation}/attachments/")
    connection.putheader("Content-Type", f"multipart/form-data; boundary={BOUNDARY}")
    connection.putheader("Content-Length", str(len(head) + len(data) + len(tail)))
    connection.putheader("Cookie", site.cookie)
    connection.putheader("X-CSRFToken", site.token)
    connection.endheaders()
    for part in (head, *(data[at : at + CHUNK] for at in range(0, len(data), CHUNK)), tail):
        connection.send(part)
    answer = connection.getresponse()
    answer.read()
    connection.close()
    return answer.status


def forget_peak(pid: int) -> None:
    """Lets a process's peak of memory begin anew (proc_pid_clear_refs(5))."""
    Path(f"/proc/{pid}/clear_refs").write_text("5")


def peak(pid: int) -> float:
    """The most memory that a process has had since, in MB."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmHWM:")[2].split(maxsplit=1)[0]) * 1024 / MB


def text(size: int) -> bytes:
    """So many MB of text."""
    line = b"As God is my witness, I thought turkeys could fly. " * 20
    return line * (size * MB // len(line))


def noise(size: int) -> bytes:
    """A PNG of so many MB, which nothing makes smaller; of one pixel for 0."""
    width = 3_000
    height = max(1, size * MB // (3 * width))
    lines = io.BytesIO()
    source = random.Random(1)  # noqa: S311 (noise)
    for _ in range(height):
        lines.write(b"\0" + source.randbytes(3 * width))
    head = width.to_bytes(4, "big") + height.to_bytes(4, "big") + b"\x08\x02\0\0\0"
    parts = ((b"IHDR", head), (b"IDAT", zlib.compress(lines.getvalue(), 0)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(map(_chunk, parts))


def _chunk(part: tuple[bytes, bytes]) -> bytes:
    kind, data = part
    return len(data).to_bytes(4, "big") + kind + data + zlib.crc32(kind + data).to_bytes(4, "big")
