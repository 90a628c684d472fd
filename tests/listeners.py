"""Sockets as the journal's hub calls them, which remember what they receive."""

import asyncio
import json
import threading
import uuid
from collections.abc import Callable
from typing import Any

from conversations.journal.hub import Delivery

Frame = tuple[int, str]
ONE, OTHER = uuid.uuid4(), uuid.uuid4()
"""Two conversations."""


class Listener:
    """A socket that remembers what it receives, and on which thread."""

    def __init__(self) -> None:
        self.seqs: list[int] = []
        self.reaches: list[int] = []
        self.notices: list[dict[str, Any]] = []
        self.threads: set[int] = set()
        self.heard = asyncio.Event()

    def on_frames(self, frames: list[Frame]) -> None:
        self.seqs += [seq for seq, _ in frames]
        self._note()

    def on_news(self, seq: int) -> None:
        self.reaches.append(seq)
        self._note()

    def on_notice(self, text: str) -> None:
        self.notices.append(json.loads(text))
        self._note()

    def _note(self) -> None:
        self.threads.add(threading.get_ident())
        self.heard.set()


class At(Listener):
    """A listener that acts as soon as an event of a type is committed, before the turn goes on."""

    def __init__(self, kind: str, act: Callable[[], object]) -> None:
        super().__init__()
        self._kind, self._act = kind, act

    def on_frames(self, frames: list[Frame]) -> None:
        if self._kind in [json.loads(text)["type"] for _, text in frames]:
            self._kind = ""
            self._act()


def batch(*seqs: int, conversation: uuid.UUID = ONE) -> Delivery:
    """A commit of one turn's events."""
    return [(conversation, [(seq, f"frame {seq}") for seq in seqs])]
