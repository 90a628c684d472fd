"""Frames, with botocore's own parser as the measure."""

import json
import struct
from itertools import pairwise
from pathlib import Path
from zlib import crc32

import pytest
from botocore.eventstream import EventStreamBuffer
from hypothesis import given
from hypothesis import strategies as st

from conversations.gateway.frames import (
    HEADERS_LIMIT,
    PAYLOAD_LIMIT,
    Decoder,
    Frame,
    FrameError,
    encode,
    pack,
)
from tests.protocol.recorded import FOLDER, NONE_HERE

RECORDED = sorted(path for path in FOLDER.rglob("response.bin") if "errors" not in path.parts)
BODIES = [pytest.param(path, id=path.parent.relative_to(FOLDER).as_posix()) for path in RECORDED] or [
    pytest.param(None, marks=NONE_HERE)
]

integers = {
    kind: st.integers(-(2**bits), 2**bits - 1) for kind, bits in ((2, 7), (3, 15), (4, 31), (5, 63), (8, 63))
}
sizes = {2: 1, 3: 2, 4: 4, 5: 8, 8: 8}


def header(kind: int, name: str, value: bytes) -> bytes:
    key = name.encode()
    return bytes([len(key)]) + key + bytes([kind]) + value


def sized(value: bytes) -> bytes:
    return struct.pack("!H", len(value)) + value


@st.composite
def typed_values(draw: st.DrawFn) -> tuple[int, bytes]:
    """A header's type and its bytes, of any of the ten types."""
    kind = draw(st.integers(0, 9))
    if kind in sizes:
        return kind, draw(integers[kind]).to_bytes(sizes[kind], signed=True)
    if kind == 6:
        return kind, sized(draw(st.binary(max_size=40)))
    if kind == 7:
        return kind, sized(draw(st.text(max_size=20)).encode())
    return kind, draw(st.binary(min_size=16, max_size=16)) if kind == 9 else b""


@st.composite
def packed(draw: st.DrawFn) -> bytes:
    headers = b""
    for name in draw(st.lists(st.text(min_size=1, max_size=10), unique=True, max_size=4)):
        kind, value = draw(typed_values())
        headers += header(kind, name, value)
    return pack(headers, draw(st.binary(max_size=200)))


def pieces_of(data: bytes, cuts: list[int]) -> list[bytes]:
    edges = [0, *sorted(cut % (len(data) + 1) for cut in cuts), len(data)]
    return [data[start:end] for start, end in pairwise(edges)]


def decoded(*pieces: bytes) -> list[Frame]:
    decoder = Decoder()
    frames = [frame for piece in pieces for frame in decoder.feed(piece)]
    assert not decoder.has_rest
    return frames


def by_botocore(data: bytes) -> list[tuple[dict[str, object], bytes]]:
    buffer = EventStreamBuffer()
    buffer.add_data(data)
    return [(message.headers, message.payload) for message in buffer]


@given(st.lists(packed(), max_size=5), st.lists(st.integers(0, 2000), max_size=20))
def test_frames_are_read_as_botocore_reads_them_however_they_are_cut(
    frames: list[bytes], cuts: list[int]
) -> None:
    data = b"".join(frames)
    ours = [(dict(frame.headers), frame.payload) for frame in decoded(*pieces_of(data, cuts))]
    assert ours == by_botocore(data)


@given(
    st.text(max_size=20),
    st.dictionaries(st.text(max_size=5), st.text(max_size=20)),
    st.sampled_from(["event", "exception"]),
)
def test_what_is_encoded_is_decoded(name: str, payload: dict[str, str], kind: str) -> None:
    [frame] = decoded(encode(name, payload, kind))
    assert (frame.kind, frame.name, json.loads(frame.payload)) == (kind, name, payload)


def test_an_error_frame_has_its_words_in_a_header() -> None:
    [frame] = decoded(encode("InternalError", {"message": "it broke"}, "error"))
    assert (frame.kind, frame.name, frame.payload) == ("error", "InternalError", b"")
    assert frame.headers[":error-message"] == "it broke"


def test_a_frame_with_no_headers_is_an_event_without_a_name() -> None:
    assert decoded(pack(b"", b"{}")) == [Frame("event", "", b"{}", {})]


@pytest.mark.parametrize("body", BODIES)
def test_a_recorded_stream_has_the_recorded_events(body: Path) -> None:
    lines = [json.loads(line) for line in body.with_name("events.jsonl").read_text().splitlines()]
    expected = [
        (line["message-type"], line.get("event-type") or line.get("exception-type"), line["payload"])
        for line in lines
    ]
    frames = decoded(body.read_bytes())
    assert [(frame.kind, frame.name, json.loads(frame.payload)) for frame in frames] == expected


@pytest.mark.parametrize("body", BODIES)
def test_a_recorded_stream_encoded_again_is_the_same_bytes(body: Path) -> None:
    again = [encode(frame.name, frame.payload, frame.kind) for frame in decoded(body.read_bytes())]
    assert b"".join(again) == body.read_bytes()


def test_payloads_are_written_as_bedrock_writes_them() -> None:
    [frame] = decoded(encode("contentBlockDelta", {"delta": {"text": "é"}, "contentBlockIndex": 0}))
    assert frame.payload == '{"contentBlockIndex":0,"delta":{"text":"é"}}'.encode()
    assert list(frame.headers) == [":event-type", ":content-type", ":message-type"]


@given(packed(), st.integers(min_value=0))
def test_a_flipped_bit_never_makes_a_frame(frame: bytes, bit: int) -> None:
    damaged = bytearray(frame)
    damaged[bit // 8 % len(frame)] ^= 1 << bit % 8
    with pytest.raises(FrameError):
        list(Decoder().feed(bytes(damaged)))


def test_bytes_of_an_unfinished_frame_are_pending() -> None:
    frame = encode("messageStart", {"role": "assistant"})
    decoder = Decoder()
    states = [(list(decoder.feed(bytes([byte]))), decoder.has_begun, decoder.has_rest) for byte in frame]
    assert states[10] == ([], False, True)
    assert states[11] == ([], True, True)
    assert states[-1] == (decoded(frame), True, False)


def test_what_is_no_frame_stays_at_hand_for_the_error() -> None:
    decoder = Decoder()
    with pytest.raises(FrameError, match="beginning"):
        list(decoder.feed(b'{"message": "no route"}'))
    assert (decoder.has_begun, decoder.rest) == (False, b'{"message": "no route"}')


def prelude(length: int, headers_length: int) -> bytes:
    lengths = struct.pack("!II", length, headers_length)
    return lengths + struct.pack("!I", crc32(lengths))


@pytest.mark.parametrize(
    ("length", "headers_length"),
    [
        (16 + PAYLOAD_LIMIT + 1, 0),
        (16 + HEADERS_LIMIT + 1, HEADERS_LIMIT + 1),
        (15, 0),
        (0, 0),
        (100, 85),
        (2**32 - 1, 2**32 - 1),
    ],
)
def test_impossible_lengths_are_refused_before_the_rest_is_waited_for(
    length: int, headers_length: int
) -> None:
    with pytest.raises(FrameError, match="bytes of headers"):
        list(Decoder().feed(prelude(length, headers_length)))


@pytest.mark.parametrize(
    ("length", "headers_length"), [(16 + PAYLOAD_LIMIT, 0), (16 + HEADERS_LIMIT, HEADERS_LIMIT)]
)
def test_the_largest_lengths_are_waited_for(length: int, headers_length: int) -> None:
    decoder = Decoder()
    assert list(decoder.feed(prelude(length, headers_length))) == []
    assert decoder.has_begun


@pytest.mark.parametrize(
    "headers",
    [
        header(10, "a", b""),
        header(4, "a", b"\0\0"),
        header(7, "a", b"\0\5abc"),
        header(7, "a", b"\0"),
        header(7, "a", sized(b"\xff")),
        header(0, "a", b"") * 2,
        b"\5ab",
        b"\1a",
    ],
    ids=[
        "unknown type",
        "short integer",
        "short string",
        "short size",
        "not UTF-8",
        "twice",
        "short name",
        "no type",
    ],
)
def test_broken_headers_are_told(headers: bytes) -> None:
    with pytest.raises(FrameError, match="headers are broken"):
        list(Decoder().feed(pack(headers, b"{}")))
