"""A request to an upstream and its answer, as Converse has them."""

import json
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from conversations.protocol.converse.stream import StreamEvent
from conversations.upstream.client import Call, Upstream
from conversations.upstream.refusals import Refused, StreamFailure
from conversations.upstream.request import chat_request
from conversations.upstream.server_sent import DONE, ServerSentEvents
from conversations.upstream.translation import Translation

CUT = "An invalid response was received from the upstream server"


class Answer:
    """One request to the upstream, and the answer to it."""

    def __init__(
        self, upstream: Upstream, model: str, body: Mapping[str, Any], new_id: Callable[[], str]
    ) -> None:
        self._started = time.monotonic()
        self._upstream, self._model, self._body = upstream, model, body
        self._call = Call(upstream)
        self._source, self._translation = ServerSentEvents(), Translation(new_id)

    @property
    def is_ended(self) -> bool:
        """Whether end() was called: any later failure is due to that."""
        return self._call.is_ended

    def end(self) -> None:
        """Ends the connection at once, from any thread."""
        self._call.end()

    def close(self) -> None:
        """Closes the connection when all is done."""
        self._call.close()

    def batches(self) -> Iterator[list[StreamEvent]]:
        """Sends the request; yields the events of the answer, as many at a time as came together.

        Raises Refused if there is no answer, and StreamFailure if it fails while it is read. Without a `messageStop` it was cut.
        """
        request = chat_request(self._body, self._upstream.model_for(self._model))
        return self._events(self._call.send(request))

    def whole(self) -> dict[str, Any]:
        """The answer of Converse, without a stream; raises Refused if it was cut."""
        events = [event for batch in self.batches() for event in batch]
        if not self._translation.is_complete:
            raise Refused(502, CUT)
        return _converse_answer(events)

    def _events(self, pieces: Iterator[bytes]) -> Iterator[list[StreamEvent]]:
        try:
            for piece in pieces:
                chunks = list(self._source.feed(piece))
                if events := [event for chunk in chunks for event in self._translation.feed(chunk)]:
                    yield events
                if any(chunk is DONE for chunk in chunks):
                    break
            yield [event for chunk in self._source.end() for event in self._translation.feed(chunk)]
        except StreamFailure as failure:
            raise StreamFailure(failure.name, self._upstream.redacted(failure.message)) from failure
        if self._translation.is_complete:
            yield [self._translation.metadata(round((time.monotonic() - self._started) * 1000))]


def _converse_answer(events: Iterable[StreamEvent]) -> dict[str, Any]:
    """The response: the message, the stop reason and the metadata."""
    blocks: dict[int, dict[str, Any]] = {}
    answer: dict[str, Any] = {}
    for name, payload in events:
        index = payload.get("contentBlockIndex", 0)
        match name:
            case "contentBlockStart":
                blocks[index] = {"toolUse": {**payload["start"]["toolUse"], "input": ""}}
            case "contentBlockDelta":
                _add(blocks.setdefault(index, {}), payload["delta"])
            case "messageStop" | "metadata":
                answer |= payload
    content = [_closed(blocks[index]) for index in sorted(blocks)]
    return {"output": {"message": {"role": "assistant", "content": content}}, **answer}


def _add(block: dict[str, Any], delta: dict[str, Any]) -> None:
    if "toolUse" in delta:
        block["toolUse"]["input"] += delta["toolUse"]["input"]
    elif "text" in delta:
        block["text"] = block.get("text", "") + delta["text"]
    else:
        text = block.setdefault("reasoningContent", {"reasoningText": {"text": ""}})["reasoningText"]
        text["text"] += delta["reasoningContent"]["text"]


def _closed(block: dict[str, Any]) -> dict[str, Any]:
    """The block, with a call's arguments as an object; broken arguments become an empty one."""
    if "toolUse" not in block:
        return block
    try:
        arguments = json.loads(block["toolUse"]["input"])
    except ValueError:
        arguments = {}
    return {"toolUse": {**block["toolUse"], "input": arguments}}
