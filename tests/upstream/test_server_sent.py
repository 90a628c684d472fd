"""Server-sent events as they come from servers of chat completions."""

from typing import Any

import pytest

from conversations.upstream import DONE, ServerSentEvents, StreamFailure

STREAM = 'data: {"a": "Señora"}\n\ndata: {"b": "\U0001f3b5"}\n\ndata: [DONE]\n\n'.encode()


def read(*pieces: bytes) -> list[Any]:
    source = ServerSentEvents()
    return [chunk for piece in pieces for chunk in source.feed(piece)] + list(source.end())


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
def test_events_are_read_wherever_the_bytes_are_cut(size: int) -> None:
    pieces = [STREAM[at : at + size] for at in range(0, len(STREAM), size)]
    assert read(*pieces) == [{"a": "Señora"}, {"b": "\U0001f3b5"}, DONE]


@pytest.mark.parametrize(
    ("data", "chunks"),
    [
        (b'data: {"a": 1}\r\n\r\ndata: [DONE]\r\n\r\n', [{"a": 1}, DONE]),
        (b'data:{"a": 1}\n\n', [{"a": 1}]),
        (b'\xef\xbb\xbfdata: {"a": 1}\n\n', [{"a": 1}]),
        (b': ping\n\n: ping\n\nid: 7\nretry: 9\nevent: message\ndata: {"a": 1}\n\n', [{"a": 1}]),
        (b'data: {"a": 1}\ndata: {"a": 2}\n', [{"a": 1}, {"a": 2}]),
        (b'data: {"a":\ndata: 1}\n\n', [{"a": 1}]),
        (b'data: {"a": 1}', [{"a": 1}]),
        (b"data: [DONE]", [DONE]),
        (b'data: {"a": "\xff!"}\n\n', [{"a": "\ufffd!"}]),
        (b"data\n\ndata: \n\n\n\n", []),
        (b'event: error\ndata: {"message": "boom"}\n\n', [{"error": {"message": "boom"}}]),
        (b'event: error\ndata: {"error": "boom"}\n\n', [{"error": "boom"}]),
        (b"event: error\ndata: boom\n\n", [{"error": "boom"}]),
        (b'error: {"message": "boom"}\n\n', [{"error": {"message": "boom"}}]),
        (b'{"error": {"message": "boom"}}\n', [{"error": {"message": "boom"}}]),
        (b'event: error\n\ndata: {"a": 1}\n\n', [{"a": 1}]),
        (b'data: {"a": 1}\n\ndata: {"b": ', [{"a": 1}]),
    ],
    ids=[
        "CRLF", "no blank", "mark", "comments", "no blank lines", "two lines", "no end", "done without end", "no UTF-8", "no data",
        "an error", "an error with a name", "words of an error", "a field", "bare JSON", "a name without data", "cut",
    ],
)  # fmt: skip
def test_events_are_read_as_servers_write_them(data: bytes, chunks: list[Any]) -> None:
    assert read(data) == chunks


@pytest.mark.parametrize("data", [b"data: nonsense\n\n", b"data: 7\n\n", b'data: {"a": \n\n'])
def test_an_event_that_is_no_object_is_a_failure(data: bytes) -> None:
    with pytest.raises(StreamFailure, match="no JSON object"):
        read(data)


def test_a_line_without_an_end_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("conversations.upstream.server_sent.LINE_LIMIT", 100)
    with pytest.raises(StreamFailure):
        read(b"data: " + b"a" * 100)
