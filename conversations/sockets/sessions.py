"""The open sockets of this process, which end with their session and with the process."""

import asyncio
import logging
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Protocol
from uuid import UUID

from django.contrib.auth import HASH_SESSION_KEY, SESSION_KEY, get_user_model
from django.contrib.sessions.models import Session
from django.utils import timezone
from django.utils.crypto import constant_time_compare

from conversations.journal import READERS
from conversations.models import ApiToken, Conversation

logger = logging.getLogger(__name__)

NO_SESSION, NOT_FOUND, TOO_SLOW = 4401, 4404, 4008
FLOOD, BROKEN, RESTART = 1008, 1011, 1012
"""The codes with which sockets are closed."""

CHECK_EVERY = 2.0
CLOSE_TIMEOUT = 0.5
"""Seconds for a client to answer that the socket is closed."""


class OpenSocket(Protocol):
    """A socket or a stream that can be closed, on its own loop."""

    session: str
    """The key of its session, or of the token that let it in."""

    owner: int
    """The id of its user."""

    conversation_id: UUID | None
    """The conversation that it shows, if it shows one."""

    def finish(self) -> None:
        """Leaves with RESTART once everything is sent."""

    async def leave(self, code: int) -> None:
        """Closes with the code."""


class Sockets:
    """This process's open sockets."""

    def __init__(self) -> None:
        self._open: set[OpenSocket] = set()
        self._watch: asyncio.Task[None] | None = None
        self._none_left = asyncio.Event()
        self.is_finishing = False

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

    async def finish(self, seconds: float) -> None:
        """Closes every socket, once it is sent the rest or after so many `seconds`."""
        self.is_finishing = True
        for socket in list(self._open):
            socket.finish()
        await self._until_none_is_left(seconds)
        for socket in list(self._open):
            await socket.leave(RESTART)
        await self._until_none_is_left(CLOSE_TIMEOUT)

    async def _until_none_is_left(self, seconds: float) -> None:
        self._none_left = asyncio.Event()
        if self._open:
            await asyncio.wait([asyncio.ensure_future(self._none_left.wait())], timeout=seconds)

    async def _watch_while_open(self) -> None:
        while self._open:
            await asyncio.sleep(CHECK_EVERY)
            try:
                await self._close_signed_out()
                await self._close_deleted()
            except Exception:
                logger.exception("the sessions of %d sockets could not be looked up", len(self._open))

    async def _close_signed_out(self) -> None:
        sockets = list(self._open)
        valid = await READERS.run(valid_keys, {socket.session: socket.owner for socket in sockets})
        for socket in sockets:
            if socket.session not in valid:
                await socket.leave(NO_SESSION)

    async def _close_deleted(self) -> None:
        sockets = list(self._open)
        deleted = await READERS.run(
            _deleted, {socket.conversation_id for socket in sockets if socket.conversation_id}
        )
        for socket in sockets:
            if socket.conversation_id in deleted:
                await socket.leave(NOT_FOUND)


SOCKETS = Sockets()


def _deleted(conversations: set[UUID]) -> set[UUID]:
    """Those of the conversations that are deleted."""
    rows = Conversation.with_deleted.filter(pk__in=conversations, deleted_at__isnull=False)
    return set(rows.values_list("pk", flat=True))


def token_key(token: int) -> str:
    """The key of an API token, which is no session's."""
    return f"token:{token}"


def valid_keys(owners: Mapping[str, int]) -> set[str]:
    """The keys of the sessions and tokens that are still valid, out of all by their owners.

    A session ends when it expires or its user changes the password. Neither is valid once the user is inactive.
    """
    tokens = [int(key.partition(":")[2]) for key in owners if key.startswith("token:")]
    valid = ApiToken.valid().filter(pk__in=tokens).values_list("pk", flat=True) if tokens else ()
    return _sessions_in(owners) | {token_key(pk) for pk in valid}


def _sessions_in(owners: Mapping[str, int]) -> set[str]:
    users = get_user_model()._default_manager.filter(is_active=True).in_bulk(set(owners.values()))
    sessions = Session.objects.filter(pk__in=list(owners), expire_date__gt=timezone.now())
    rows = sessions.values_list("pk", "session_data")
    return {pk for pk, data in rows if _is_of(data, users.get(owners[pk]))}


def is_signed_in(session: str, user: Any) -> bool:
    """Whether this session is still valid for the user, whose row has just been read."""
    sessions = Session.objects.filter(pk=session, expire_date__gt=timezone.now())
    rows = sessions.values_list("session_data", flat=True)
    return user.is_active and any(_is_of(data, user) for data in rows)


def _is_of(session_data: str, user: Any) -> bool:
    owner, proof = _owner_and_hash(session_data)
    return (
        user is not None
        and owner == str(user.pk)
        and constant_time_compare(proof, user.get_session_auth_hash())
    )


@lru_cache(maxsize=4096)
def _owner_and_hash(data: str) -> tuple[str, str]:
    """A session's user and the hash that proves it; cached, as decoding a thousand takes 0.1 s."""
    decoded = Session(session_data=data).get_decoded()
    return str(decoded.get(SESSION_KEY, "")), str(decoded.get(HASH_SESSION_KEY, ""))
