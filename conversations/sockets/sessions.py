"""The sockets that are open in this process: closed when their session has ended, and when the process is to end."""

import asyncio
import logging
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Protocol

from django.contrib.auth import HASH_SESSION_KEY, SESSION_KEY, get_user_model
from django.contrib.sessions.models import Session
from django.utils import timezone
from django.utils.crypto import constant_time_compare

from conversations.journal import READERS

logger = logging.getLogger(__name__)

NO_SESSION, RESTART = 4401, 1012
CHECK_EVERY = 2.0
GOODBYE = 0.5
"""Seconds for a client to answer that the socket is closed."""


class OpenSocket(Protocol):
    """What can be closed, on the loop that it lives on."""

    session: str
    """The key of its session."""

    owner: int
    """The id of its user."""

    def finish(self) -> None:
        """Leaves with RESTART once all is sent that there is."""

    async def leave(self, code: int) -> None:
        """Closes with the code."""


class Sockets:
    """This process's open sockets."""

    def __init__(self) -> None:
        self._open: set[OpenSocket] = set()
        self._watch: asyncio.Task[None] | None = None
        self._none_left = asyncio.Event()
        self.finishing = False

    def add(self, socket: OpenSocket) -> None:
        """Watches over a socket from now on."""
        self._open.add(socket)
        loop = asyncio.get_running_loop()
        if self._watch is None or self._watch.done() or self._watch.get_loop() is not loop:
            self._watch = loop.create_task(self._watch_while_open())

    def remove(self, socket: OpenSocket) -> None:
        """Forgets a socket that is closed."""
        self._open.discard(socket)
        if not self._open:
            self._none_left.set()

    async def finish(self, patience: float) -> None:
        """Closes every socket, with what it still has to be sent before if that takes `patience` seconds at most."""
        self.finishing = True
        for socket in list(self._open):
            socket.finish()
        await self._until_none_is_left(patience)
        for socket in list(self._open):
            await socket.leave(RESTART)
        await self._until_none_is_left(GOODBYE)

    async def _until_none_is_left(self, patience: float) -> None:
        self._none_left = asyncio.Event()
        if self._open:
            await asyncio.wait([asyncio.ensure_future(self._none_left.wait())], timeout=patience)

    async def _watch_while_open(self) -> None:
        while self._open:
            await asyncio.sleep(CHECK_EVERY)
            try:
                await self._close_signed_out()
            except Exception:
                logger.exception("the sessions of %d sockets could not be looked up", len(self._open))

    async def _close_signed_out(self) -> None:
        sockets = list(self._open)
        good = await READERS.run(signed_in, {socket.session: socket.owner for socket in sockets})
        for socket in sockets:
            if socket.session not in good:
                await socket.leave(NO_SESSION)


SOCKETS = Sockets()


def signed_in(owners: Mapping[str, int]) -> set[str]:
    """Which of these sessions still are their user's: not ended, not run out, the user active, the password the same."""
    users = get_user_model()._default_manager.filter(is_active=True).in_bulk(set(owners.values()))
    sessions = Session.objects.filter(pk__in=list(owners), expire_date__gt=timezone.now())
    return {row.pk for row in sessions if _is_of(row, users.get(owners[row.pk]))}


def is_signed_in(session: str, user: Any) -> bool:
    """Whether this session still is the user's, by the user's row as it is now."""
    row = Session.objects.filter(pk=session, expire_date__gt=timezone.now()).first()
    return row is not None and user.is_active and _is_of(row, user)


def _is_of(session: Session, user: Any) -> bool:
    owner, proof = _said(session.session_data)
    return (
        user is not None
        and owner == str(user.pk)
        and constant_time_compare(proof, user.get_session_auth_hash())
    )


@lru_cache(maxsize=4096)
def _said(data: str) -> tuple[str, str]:
    """Whose a session is and what proves it; kept, as decoding a thousand of them takes a tenth of a second."""
    decoded = Session(session_data=data).get_decoded()
    return str(decoded.get(SESSION_KEY, "")), str(decoded.get(HASH_SESSION_KEY, ""))
