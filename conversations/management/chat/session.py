"""A session: it shows a conversation's turns as they are recorded, and sends lines as messages."""

import json
import uuid
from typing import Protocol
from uuid import UUID

from django.contrib.auth.models import User

from conversations import engine
from conversations.errors import NotFound, Refused
from conversations.journal import turn_frames
from conversations.management.approvals import choices, decision, entry, pending, question, reply
from conversations.management.following import Display, TerminalFollower, following, on_ctrl_c
from conversations.management.interpreter import python
from conversations.models import Approval, Attachment, Conversation, Model, Turn, active_line
from conversations.protocol.converse.content import plain_text

from .lines import Lines

SHOWN_TURNS = 20
"""Turns that a session begins with, the newest ones."""

PROMPT = "> "
IDLE = "Nothing is being answered. Ctrl+D or /quit ends, and what you have written stays."


class SessionDisplay(Display, Protocol):
    """The display of a session."""

    own: set[str]
    calls: list[str]

    def note(self, text: str) -> None:
        """Shows lines of the program's own."""

    def plain(self, text: str) -> None:
        """Shows a text as it is."""

    def error(self, text: str) -> None:
        """Shows an error."""

    def question(self, name: str, arguments: str, choices: str) -> str:
        """Shows a call that waits for a decision; returns the prompt for it."""


class Session:
    """One user at one terminal, in one conversation after another."""

    conversation: Conversation
    """The present conversation."""

    follower: TerminalFollower

    def __init__(self, user: User, display: SessionDisplay, lines: Lines, model: str | None) -> None:
        self.user, self.display, self.lines, self.model = user, display, lines, model
        self.files: list[Attachment] = []
        """Files that go with the next message."""

        self.next: Conversation | None = None
        """The conversation to go to."""

    @property
    def offered_model(self) -> str | None:
        """The session's own model, if it is one of those that are offered."""
        return self.model if Model.is_offered(self.model) else None

    def run(self, conversation: Conversation) -> None:
        """Goes from one conversation to the next until the lines end."""
        self.next = conversation
        with on_ctrl_c(_nothing), self.lines.quiet():  # an answer and a prompt have handlers of their own
            while self.next is not None:
                self.conversation, self.next = self.next, None
                self._stay()

    def _stay(self) -> None:
        with following(self.conversation.pk) as self.follower:
            self._begin()
            try:
                while self.next is None:
                    self._settle()
                    self._take(self._message())
            except EOFError:
                self._leave()
            finally:
                self.forget_if_empty()

    def _begin(self) -> None:
        self.files, self.display.calls[:] = [], []
        title = self.conversation.title or "A new conversation"
        self.display.note(f"{title} · {self.model or self.conversation.model_name} · /help lists what else")
        turns = active_line(self.conversation)
        if len(turns) > SHOWN_TURNS:
            self.display.note(f"{len(turns) - SHOWN_TURNS} earlier turns are on the page")
        for turn in turns:
            self._remember(turn)
        for turn in turns[-SHOWN_TURNS:]:
            self._show(turn)

    def _show(self, turn: Turn) -> None:
        for data, _ in turn_frames(turn):
            event = json.loads(data)
            if event["metadata"]["seq"] <= self.follower.cursor:
                self.display.show(event)

    def _remember(self, turn: Turn) -> None:
        message = turn.messages.filter(role="user").first()
        if message is not None and plain_text(message.content):
            self.lines.remember(plain_text(message.content))

    def _leave(self) -> None:
        if self.conversation.turns.filter(status=Turn.Status.WAITING).exists():
            self.display.note("The call still waits. Decide about it on the page, or here again.")
        if self.conversation.turns.exists():
            self.display.note(f"Go on with: {python()} manage.py chat --conversation {self.conversation.pk}")

    def forget_if_empty(self) -> None:
        """Deletes the conversation if it has neither turns nor files, nor anything that was kept in it."""
        conversation = Conversation.objects.filter(pk=self.conversation.pk, turns=None, attachments=None)
        conversation.filter(title="", draft="", pinned_at=None).delete()

    # -- turns

    def _settle(self) -> None:
        """Shows turns, and asks the user about their calls, until none runs or is queued."""
        while self.next is None and (turn := self._open_turn()) is not None:
            if turn.status == Turn.Status.WAITING:
                self._decide(turn)
            else:
                self.follower.follow(self.display, turn, with_others=True)
        for event in self.follower.unread():
            self.display.show(event)
        engine.see(self.conversation.pk, self.user.pk)

    def _open_turn(self) -> Turn | None:
        turns = Turn.objects.filter(conversation=self.conversation, status__in=Turn.OPEN)
        return turns.order_by("number").first()

    def _decide(self, turn: Turn) -> None:
        """Asks the user about a turn's next call. Others may decide meanwhile."""
        for event in self.follower.unread():
            self.display.show(event)
        approval = next(iter(pending(turn)), None)
        if approval is None:
            return
        if approval.question is not None:
            self._reply(approval)
            return
        call = approval.call
        arguments = json.dumps(call.input, ensure_ascii=False)
        prompt = self.display.question(call.name, arguments, choices(call))
        try:
            line = self._line(prompt, approval)
        except KeyboardInterrupt:
            engine.stop(self.conversation.pk)
            return
        if line and line.startswith("/"):
            self.do(line)
        elif line and line.strip():
            self._answer([entry(call, decision(line, call))])

    def _reply(self, approval: Approval) -> None:
        """Asks the user a running call's question, field by field."""
        self.display.note(question(approval))
        try:
            entry = reply(approval, lambda prompt: self._line(prompt, approval))
        except KeyboardInterrupt:
            engine.stop(self.conversation.pk)
        else:
            if _is_pending(approval.pk):  # nobody has answered meanwhile
                self._answer([entry])

    def _line(self, prompt: str, approval: Approval) -> str:
        return self.lines.read(prompt, lambda: not _is_pending(approval.pk), is_answer=True) or ""

    def _answer(self, entries: list[dict[str, object]]) -> None:
        try:
            engine.resume(self.conversation, self.user, entries)
        except Refused as refused:
            self.display.error(str(refused))

    # -- lines

    def _message(self) -> str:
        """The next line; blank if there is something to show first."""
        try:
            return self.lines.read(PROMPT, self.follower.has_news) or ""
        except KeyboardInterrupt:
            self.display.note(IDLE)
            return ""

    def _take(self, line: str) -> None:
        if line.startswith("/") and not line.startswith("//"):
            self.do(line)
        elif line.strip() or self.files:
            self.send(line.removeprefix("/") if line.startswith("//") else line)

    def do(self, line: str) -> None:
        """Runs the command in a line, or shows why that is refused."""
        from .commands import do  # which knows the session's type

        try:
            do(self, line)
        except (Refused, NotFound) as refused:
            self.display.error(str(refused))

    def send(self, text: str) -> None:
        """Sends a message, with the files that were attached."""
        message = str(uuid.uuid4())
        self.display.own.add(message)
        files = [str(file.pk) for file in self.files] or None
        try:
            engine.start(self.conversation.pk, message, text, model=self.model, files=files)
        except (Refused, NotFound) as refused:
            self.display.error(
                f"{refused} /new begins another." if isinstance(refused, NotFound) else str(refused)
            )
        else:
            self.files = []


def _is_pending(approval: UUID) -> bool:
    return Approval.objects.filter(pk=approval, status=Approval.Status.PENDING).exists()


def _nothing(*_: object) -> None:
    """Handles Ctrl+C between an answer and a prompt, where it does nothing."""
