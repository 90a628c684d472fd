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
from conversations.protocol.thoughts import answer_in
from conversations.protocol.titles import title_of

from . import library
from .requests import labels_of

if TYPE_CHECKING:
    from conversations.threads import Threads

logger = logging.getLogger(__name__)

LAST_TURN = 3
"""The number of the last turn after which a title is made, as the first may fail."""

MOST_TOKENS = 300
LONGEST = 2_000
"""Characters of the question and of the answer that the model reads."""

TIMEOUT = 60.0
QUESTION = "<conversation>\nUser: {question}\n\nAssistant: {answer}\n</conversation>"
PREFIX = re.compile(r"^(?:#+\s*|(?:title|titel|titre|título)\s*:\s*)+", re.IGNORECASE)
PAIRS = frozenset(['""', "''", "“”", "‘’", "„“", "«»", "**", "__", "``"])  # noqa: RUF001 (quotation marks of many languages)


@dataclass
class TitleRequest:
    """The call that asks a model for a title, the row of its usage, and the title until then."""

    row: Titling
    call: Call
    old_title: str


def is_due(turn: Turn) -> bool:
    """Whether the conversation may get its title after this turn. Its row is not looked at."""
    is_first = turn.number <= LAST_TURN and not turn.rerun
    return bool(settings.TITLE_MODEL) and is_first and turn.status == Turn.Status.COMPLETED


async def give_title(turn: Turn, journal: Journal, threads: "Threads") -> None:
    """Asks the model for a title and stores it, unless a model or a person has named the conversation."""
    try:
        title_request = await threads.run(_title_request, turn)
        if title_request is not None:
            assembly = await _ask(title_request, journal)
            await threads.run(_store, title_request, assembly)
    except Exception:
        logger.exception("conversation %s could not be titled", turn.conversation_id)


async def _ask(title_request: TitleRequest, journal: Journal) -> Assembly:
    row, assembly = title_request.row, Assembly(set(), prefix="title")

    def receive(name: str, payload: dict[str, object]) -> None:
        assembly.feed(name, payload)

    try:
        async with asyncio.timeout(TIMEOUT):
            await title_request.call.stream(receive, journal)
    except TurntableError as error:
        row.error_code, row.error_text, row.error_detail = error.code, str(error), error.detail
    except TimeoutError:
        row.error_code = "timeout"
    return assembly


# -- in a thread


def _title_request(turn: Turn) -> TitleRequest | None:
    rows = Conversation.objects.filter(pk=turn.conversation_id, has_own_title=False, titling=None)
    conversation = rows.first()
    if conversation is None:
        return None
    question, answer = _texts(turn)
    if not answer.strip() or conversation.title != title_of(question):
        return None
    row = Titling(conversation=conversation, user_id=turn.user_id, model=settings.TITLE_MODEL)
    return TitleRequest(row, _call(turn, question, answer), conversation.title)


def _texts(turn: Turn) -> tuple[str, str]:
    """The conversation's first question, and the turn's last answer."""
    messages = Message.objects.filter(conversation=turn.conversation_id)
    question = messages.filter(role=Message.Role.USER).order_by("pk").first()
    answer = messages.filter(turn=turn, role=Message.Role.ASSISTANT).order_by("pk").last()
    return tuple(plain_text(message.content) if message else "" for message in (question, answer))  # type: ignore[return-value]


def _call(turn: Turn, question: str, answer: str) -> Call:
    text = QUESTION.format(
        question=beginning(question, LONGEST), answer=beginning(answer_in(answer), LONGEST)
    )
    messages = [{"role": "user", "content": [text_block(text)]}]
    whole = request.body(messages, request.base(settings.TITLE_PROMPT, {}, MOST_TOKENS, (), messages))
    active = remedies.for_model(Model.of(settings.TITLE_MODEL).capabilities, whole)
    return get_gateway().call(settings.TITLE_MODEL, remedies.adjusted(whole, active), labels_of(turn))


def _store(title_request: TitleRequest, assembly: Assembly) -> None:
    """Stores the usage, and the title unless a person has given one meanwhile."""
    row = title_request.row
    row.title = title_in(plain_text(assembly.content())) if assembly.is_complete else ""
    row.set_usage(assembly.usage, 0 if is_reported(assembly.usage) else assembly.least_tokens)
    with transaction.atomic():
        row.save(force_insert=True)
        titled = Conversation.objects.filter(pk=row.pk, has_own_title=False, title=title_request.old_title)
        if row.title and titled.update(title=row.title, changed_at=timezone.now()):
            library.announce(row.pk)


def title_in(answer: str) -> str:
    """The title in a model's answer: its first line, without heading marks, quotes and full stop."""
    lines = (line.strip() for line in clean_text(answer_in(answer)).splitlines())
    line = PREFIX.sub("", next(filter(None, lines), ""))
    while len(line) > 1 and line[0] + line[-1] in PAIRS:
        line = line[1:-1].strip()
    return title_of(line.removesuffix("."))
