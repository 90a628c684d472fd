"""Frames of `application/vnd.amazon.eventstream`, in and out.

    u32 length | u32 headers length | u32 crc32 of these eight | headers | payload | u32 crc32 of all before

This decoder is our own: botocore's takes four times as long, and drops unknown events, unknown deltas and broken
payloads silently.
"""

import json
import struct
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import NamedTuple
from zlib import crc32

HEADERS_LIMIT = 128 * 1024
PAYLOAD_LIMIT = 24 * 1024 * 1024

_PRELUDE = struct.Struct("!III")
_CRC = struct.Struct("!I")
_SIZE = struct.Struct("!H")
_OVERHEAD = _PRELUDE.size + _CRC.size

_STRING = 7
_FIXED: dict[int, tuple[int, Callable[[bytes], object]]] = {
    0: (0, lambda data: True),
    1: (0, lambda data: False),
    2: (1, lambda data: int.from_bytes(data, signed=True)),
    3: (2, lambda data: int.from_bytes(data, signed=True)),
    4: (4, lambda data: int.from_bytes(data, signed=True)),
    5: (8, lambda data: int.from_bytes(data, signed=True)),
    8: (8, lambda data: int.from_bytes(data, signed=True)),
    9: (16, bytes),
}
_SIZED: dict[int, Callable[[bytes], object]] = {6: bytes, _STRING: lambda data: data.decode()}
_NAMED_BY = {"event": ":event-type", "exception": ":exception-type", "error": ":error-code"}


class FrameError(Exception):
    """Bytes that are no frame: a wrong checksum, an impossible length, a header of unknown type."""


class Frame(NamedTuple):
    """One frame: its kind (event, exception or error), its name in the headers, the payload's bytes."""

    kind: str
    name: str
    payload: bytes
    headers: Mapping[str, object]


def encode(name: str, payload: Mapping[str, object] | bytes, kind: str = "event") -> bytes:
    """A frame as Bedrock writes it, in sorted compact JSON; an `error` has its message in a header."""
    headers = {_NAMED_BY[kind]: name, ":content-type": "application/json", ":message-type": kind}
    if kind == "error":
        message = "" if isinstance(payload, bytes) else str(payload.get("message", ""))
        headers, payload = {":error-code": name, ":error-message": message, ":message-type": kind}, b""
    if not isinstance(payload, bytes):
        written = json.dumps(payload, separators=(",", ":"), sort_keys=True, ensure_ascii=False)
        payload = written.encode("utf-8", "replace")
    return pack(b"".join(_header(*header) for header in headers.items()), payload)


def pack(headers: bytes, payload: bytes) -> bytes:
    """The frame around headers and payload that are already bytes."""
    lengths = struct.pack("!II", _OVERHEAD + len(headers) + len(payload), len(headers))
    message = lengths + _CRC.pack(crc32(lengths)) + headers + payload
    return message + _CRC.pack(crc32(message))


def _header(name: str, value: str) -> bytes:
    key, text = name.encode(), value.encode()
    return bytes([len(key)]) + key + bytes([_STRING]) + _SIZE.pack(len(text)) + text


class Decoder:
    """Decodes a stream, whose bytes come in pieces of any size, into frames."""

    def __init__(self) -> None:
        self.has_begun = False
        """Whether a frame has begun. Until then this may be no event stream at all."""
        self._bytes = bytearray()

    @property
    def has_rest(self) -> bool:
        """Whether bytes of an unfinished frame are left."""
        return bool(self._bytes)

    @property
    def rest(self) -> bytes:
        """The bytes of an unfinished frame."""
        return bytes(self._bytes)

    def feed(self, data: bytes) -> Iterator[Frame]:
        """The frames that `data` completes; raises FrameError, after which the stream cannot be read on."""
        self._bytes += data
        return iter(self._next, None)

    def _next(self) -> Frame | None:
        if len(self._bytes) < _PRELUDE.size:
            return None
        length, headers_length = self._prelude()
        if len(self._bytes) < length:
            return None
        message = bytes(memoryview(self._bytes)[:length])
        del self._bytes[:length]
        return _frame(message, _PRELUDE.size + headers_length)

    def _prelude(self) -> tuple[int, int]:
        length, headers_length, crc = _PRELUDE.unpack_from(self._bytes)
        if crc32(self._bytes[:8]) != crc:
            raise FrameError("the checksum of a frame's beginning is wrong")
        if headers_length > HEADERS_LIMIT or not 0 <= length - headers_length - _OVERHEAD <= PAYLOAD_LIMIT:
            raise FrameError(f"a frame of {length} bytes with {headers_length} bytes of headers")
        self.has_begun = True
        return length, headers_length


def _frame(message: bytes, headers_end: int) -> Frame:
    if crc32(message[: -_CRC.size]) != _CRC.unpack_from(message, len(message) - _CRC.size)[0]:
        raise FrameError("the checksum of a frame is wrong")
    kind, name, headers = _headers(message[_PRELUDE.size : headers_end])
    return Frame(kind, name, message[headers_end : -_CRC.size], headers)


@lru_cache(maxsize=64)
def _headers(data: bytes) -> tuple[str, str, Mapping[str, object]]:
    """Kind, name and headers. They are cached, as the frames of a stream repeat a handful of them."""
    try:
        headers = MappingProxyType(_parse_headers(data))
    except (IndexError, KeyError, ValueError, struct.error) as error:
        raise FrameError("a frame's headers are broken") from error
    kind = str(headers.get(":message-type", "event"))
    return kind, str(headers.get(_NAMED_BY.get(kind, ":event-type"), "")), headers


def _parse_headers(data: bytes) -> dict[str, object]:
    headers: dict[str, object] = {}
    offset = 0
    while offset < len(data):
        key_end = offset + 1 + data[offset]
        key = data[offset + 1 : key_end].decode()
        value, offset = _value(data, data[key_end], key_end + 1)
        if key in headers:
            raise ValueError(f"{key} twice")
        headers[key] = value
    return headers


def _value(data: bytes, kind: int, offset: int) -> tuple[object, int]:
    if kind in _SIZED:
        convert, size = _SIZED[kind], _SIZE.unpack_from(data, offset)[0]
        offset += _SIZE.size
    else:
        size, convert = _FIXED[kind]
    if offset + size > len(data):
        raise ValueError("cut short")
    return convert(data[offset : offset + size]), offset + size
