"""Titles that a model writes after the first answer, where TITLE_MODEL names one.

The round is no part of a turn: it delays none, and where it fails the first words stay. Its usage is kept as a row.
"""

import asyncio
import logging
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db import transaction
from django.utils import timezone

from conversations.conf import settings
from conversations.errors import TurntableError
from conversations.gateway import Call, get_gateway
from conversations.journal import Journal
from conversations.models import Conversation, Message, Model, Titling, Turn
from conversations.protocol.converse import remedies, request
from conversations.protocol.converse.content import plain_text
from conversations.protocol.converse.content import text as text_block
from conversations.protocol.converse.stream import Assembly
from conversations.protocol.converse.usage import is_reported
from conversations.protocol.text import beginning, clean_text
from conversations.protocol.thoughts import parts_of
from conversations.protocol.titles import title_of

from . import library

if TYPE_CHECKING:
    from conversations.threads import Threads

logger = logging.getLogger(__name__)

FIRST = 3
"""The last turn after which a title is made: earlier ones may have failed."""

MOST_TOKENS = 300
LONGEST = 2_000
"""Characters of the question and of the answer that the model reads."""

TIMEOUT = 60.0
READ = "<conversation>\nUser: {question}\n\nAssistant: {answer}\n</conversation>"
PREFIX = re.compile(r"^(?:#+\s*|(?:title|titel|titre|título)\s*:\s*)+", re.IGNORECASE)
PAIRS = frozenset(['""', "''", "“”", "‘’", "„“", "«»", "**", "__", "``"])  # noqa: RUF001 (quotation marks of many languages)


@dataclass
class Draft:
    """The call that asks for a title, and the one that stands until then."""

    row: Titling
    call: Call
    old_title: str


def may_follow(turn: Turn) -> bool:
    """Whether a title may follow the turn, as far as the turn itself says."""
    is_first = turn.number <= FIRST and not turn.rerun
    return bool(settings.TITLE_MODEL) and is_first and turn.status == Turn.Status.COMPLETED


async def entitle(turn: Turn, journal: Journal, threads: "Threads") -> None:
    """Has the conversation titled, unless it was before or a person has given it a title."""
    try:
        draft = await threads.run(_draft, turn)
        if draft is not None:
            assembly = await _ask(draft, journal)
            await threads.run(_store, draft, assembly)
    except Exception:
        logger.exception("conversation %s could not be titled", turn.conversation_id)


async def _ask(draft: Draft, journal: Journal) -> Assembly:
    assembly = Assembly(set(), prefix="title")

    def receive(name: str, payload: dict[str, object]) -> None:
        assembly.feed(name, payload)

    try:
        async with asyncio.timeout(TIMEOUT):
            await draft.call.stream(receive, journal)
    except TurntableError as error:
        draft.row.error_code, draft.row.error_text, draft.row.error_detail = (
            error.code,
            str(error),
            error.detail,
        )
    except TimeoutError:
        draft.row.error_code = "timeout"
    return assembly


# -- in a thread


def _draft(turn: Turn) -> Draft | None:
    rows = Conversation.objects.filter(pk=turn.conversation_id, has_own_title=False, titling=None)
    conversation = rows.first()
    if conversation is None:
        return None
    question, answer = _texts(turn)
    if not answer.strip() or conversation.title != title_of(question):
        return None
    row = Titling(conversation=conversation, user_id=turn.user_id, model=settings.TITLE_MODEL)
    return Draft(row, _call(turn, question, answer), conversation.title)


def _texts(turn: Turn) -> tuple[str, str]:
    """The conversation's first question, and the turn's last answer."""
    messages = Message.objects.filter(conversation=turn.conversation_id)
    question = messages.filter(role=Message.Role.USER).order_by("pk").first()
    answer = messages.filter(turn=turn, role=Message.Role.ASSISTANT).order_by("pk").last()
    return tuple(plain_text(message.content) if message else "" for message in (question, answer))  # type: ignore[return-value]


def _call(turn: Turn, question: str, answer: str) -> Call:
    text = READ.format(question=beginning(question, LONGEST), answer=beginning(_spoken(answer), LONGEST))
    messages = [{"role": "user", "content": [text_block(text)]}]
    whole = request.body(messages, request.base(settings.TITLE_PROMPT, {}, MOST_TOKENS, (), messages))
    active = remedies.for_model(Model.of(settings.TITLE_MODEL).capabilities, whole)
    labels = {
        "user": turn.user.get_username(),
        "conversation": str(turn.conversation_id),
        "turn": str(turn.pk),
    }
    return get_gateway().call(settings.TITLE_MODEL, remedies.adjusted(whole, active), labels)


def _store(draft: Draft, assembly: Assembly) -> None:
    """Stores the usage, and the title unless a person has given one meanwhile."""
    row = draft.row
    row.title = title_in(plain_text(assembly.content())) if assembly.is_complete else ""
    row.take_usage(assembly.usage, 0 if is_reported(assembly.usage) else assembly.least_tokens)
    with transaction.atomic():
        row.save(force_insert=True)
        titled = Conversation.objects.filter(pk=row.pk, has_own_title=False, title=draft.old_title)
        if row.title and titled.update(title=row.title, changed_at=timezone.now()):
            library.announce(row.pk)


def title_in(answer: str) -> str:
    """The title that a model's answer holds: its first line, without what is no part of a title."""
    lines = (line.strip() for line in clean_text(_spoken(answer)).splitlines())
    line = PREFIX.sub("", next(filter(None, lines), ""))
    while len(line) > 1 and line[0] + line[-1] in PAIRS:
        line = line[1:-1].strip()
    return title_of(line.removesuffix("."))


def _spoken(text: str) -> str:
    return "".join(part.text for part in parts_of(text) if not part.is_thought)
