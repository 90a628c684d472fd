"""Requests that are handed on to an upstream, and its answers as Bedrock would send them."""

import selectors
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from random import Random
from typing import Any

from conversations import upstream
from conversations.demo_gateway import failures
from conversations.demo_gateway.conversation import Conversation
from conversations.demo_gateway.reply import Failure, new_id
from conversations.demo_gateway.streams import Event, frame


class Relay:
    """One request's way to the upstream and back."""

    def __init__(self, server: upstream.Upstream, conversation: Conversation, started: float) -> None:
        self._server, self._conversation, self._started = server, conversation, started
        self._random = Random()  # noqa: S311 (how long the padding of a frame is)
        self._call = upstream.Call(server)
        self._translation = upstream.Translation(new_id)
        self._source = upstream.ServerSentEvents()

    @property
    def is_ended(self) -> bool:
        """Whether the caller has gone."""
        return self._call.is_ended

    def close(self) -> None:
        """Closes the connection to the upstream."""
        self._call.close()

    def end(self) -> None:
        """Closes it at once, from another thread."""
        self._call.end()

    def ask(self) -> Iterator[list[upstream.Event]]:
        """Sends the request; the events of the answer, as many at a time as came together.

        Raises Refused where there is no answer, and StreamFailure while it is read. Without a `messageStop` it was cut.
        """
        model = self._server.model_for(self._conversation.model)
        return self._events(self._call.send(upstream.chat_request(self._conversation.body, model)))

    def frames(self, batches: Iterator[list[upstream.Event]]) -> Iterator[bytes]:
        """The frames of an answer, the one of an exception at the end of one that failed."""
        try:
            for events in batches:
                yield b"".join(frame(Event(0, *event), self._random) for event in events)
        except upstream.StreamFailure as failure:
            message = {"message": self._server.redacted(failure.message)}
            yield frame(Event(0, failure.name, message, "exception"), self._random)

    def whole(self, batches: Iterator[list[upstream.Event]]) -> dict[str, Any]:
        """The answer of Converse; raises Refused if it failed or was cut."""
        try:
            events = [event for batch in batches for event in batch]
        except upstream.StreamFailure as failure:
            raise upstream.Refused(failures.HTTP_STATUS.get(failure.name, 500), failure.message) from failure
        if not self._translation.is_complete:
            raise upstream.Refused(502, failures.BAD_UPSTREAM)
        return upstream.converse_answer(events)

    def _events(self, pieces: Iterator[bytes]) -> Iterator[list[upstream.Event]]:
        for piece in pieces:
            chunks = list(self._source.feed(piece))
            if events := [event for chunk in chunks for event in self._translation.feed(chunk)]:
                yield events
            if any(chunk is upstream.DONE for chunk in chunks):
                break
        yield [event for chunk in self._source.end() for event in self._translation.feed(chunk)]
        if self._translation.is_complete:
            yield [self._translation.metadata(round((time.monotonic() - self._started) * 1000))]


def failure_of(refused: upstream.Refused) -> Failure:
    """A refusal as the gateway answers it: a wrong request as by Bedrock, the rest as by Kong."""
    if refused.status in (400, 422):
        return failures.invalid(refused.message)
    return failures.kong(refused.status, refused.message, refused.headers)


@contextmanager
def watched(caller: socket.socket, relay: Relay) -> Iterator[None]:
    """Ends the relay as soon as the caller hangs up, also while nothing is read or written."""
    ours, theirs = socket.socketpair()
    with closing(ours), closing(theirs):
        thread = threading.Thread(
            target=_watch, args=(caller, theirs, relay), name="demo-gateway-watch", daemon=True
        )
        thread.start()
        try:
            yield
        except BaseException:
            relay.end()
            raise
        finally:
            ours.send(b"\0")
            thread.join()


def _watch(caller: socket.socket, stop: socket.socket, relay: Relay) -> None:
    """Waits until the caller sends or closes, or until it is told to stop."""
    with selectors.DefaultSelector() as selector:
        selector.register(caller, selectors.EVENT_READ)
        selector.register(stop, selectors.EVENT_READ)
        ready = {key.fileobj for key, _ in selector.select()}
    if stop not in ready and _has_gone(caller):
        relay.end()


def _has_gone(caller: socket.socket) -> bool:
    """Whether a caller who can be read from has closed the connection, by a reset too."""
    try:
        return not caller.recv(1, socket.MSG_PEEK)
    except OSError:
        return True
