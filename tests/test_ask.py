"""`manage.py ask`: a turn in the terminal, and the same record that a page would leave."""

import io
import os
import re
import signal
import sqlite3
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.core.management.base import OutputWrapper

from conversations.models import Conversation, Turn
from conversations.protocol import events
from conversations.terminal import Terminal
from tests.asking import answer, ask, conversation_of, record
from tests.journaling import JOURNAL, delta, opening, running
from tests.losing import Lost
from tests.serving import ROOT, manage, site

database = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("gateway")]
QUESTION = "What is the most popular song on WZPZ?"
FINISHED = "Finished streaming messages with model cohere.command-r-v1:0."


def asked(*arguments: str) -> tuple[int, str, str]:
    """The command's exit code, and what it printed."""
    out, err = io.StringIO(), io.StringIO()
    try:
        call_command("ask", *arguments, stdout=out, stderr=err)
    except SystemExit as left:
        return int(str(left.code)), out.getvalue(), err.getvalue()
    return 0, out.getvalue(), err.getvalue()


def in_a_database(test: object) -> object:
    for mark in database:
        test = mark(test)
    return test


@in_a_database
def test_the_answer_a_line_for_each_call_and_the_last_line(user: User) -> None:
    code, out, err = asked(QUESTION)
    assert (code, err) == (0, "")
    assert out.endswith(f"\n{FINISHED}\n")
    (line,) = re.findall(r"^\[.*\]$", out, re.MULTILINE)
    assert re.fullmatch(
        r'\[top_song \{"sign": ?"WZPZ"\} -> success, \d+ ms: \{"song": "Elemental Hotel", .*\}\]', line
    )
    conversation = Conversation.objects.get(owner=user)
    printed = "".join(part for part in out.splitlines(keepends=True) if part.strip() not in (line, FINISHED))
    assert "".join(printed.split()) == "".join(answer(record(conversation)).split())


@in_a_database
def test_it_leaves_the_record_that_a_page_would_leave(user: User) -> None:
    asked(QUESTION)
    mine = conversation_of(user)
    ask(mine, QUESTION)
    told = [record(c) for c in Conversation.objects.order_by("created_at")]
    assert [e["type"] for e in told[0]] == [e["type"] for e in told[1]]
    assert answer(told[0]) == answer(told[1])


@in_a_database
def test_a_conversation_is_gone_on_with_and_another_model_asked(user: User) -> None:
    asked(QUESTION)
    conversation = Conversation.objects.get()
    code, out, _ = asked(
        "show the conversation", "--conversation", str(conversation.pk), "--model", "amazon.nova-pro-v1:0"
    )
    assert code == 0
    assert "Model: `amazon.nova-pro-v1:0`" in out
    assert QUESTION in out
    assert out.endswith("Finished streaming messages with model amazon.nova-pro-v1:0.\n")
    assert [turn.model for turn in Turn.objects.order_by("number")] == [
        conversation.model,
        "amazon.nova-pro-v1:0",
    ]


@in_a_database
def test_a_failure_is_one_line_on_stderr_and_what_was_shown_stays(user: User) -> None:
    code, out, err = asked("fail cut")
    turn = Turn.objects.get()
    assert (code, err) == (1, f"A client error occurred: {turn.error_text}\n")
    assert (turn.status, turn.error_code) == ("failed", "stream_cut")
    assert out.strip() == answer(record(turn.conversation)).strip() != ""
    assert "Finished" not in out


@in_a_database
def test_a_new_attempt_is_told(user: User) -> None:
    code, out, _ = asked("fail gateway once")
    assert code == 0
    assert re.search(r"^\[trying again in [\d.]+ s, 2 of 3\]$", out, re.MULTILINE)


@in_a_database
@pytest.mark.parametrize("text", ["", " \n", "x" * 100_001])
def test_a_text_that_is_refused_leaves_nothing_behind(user: User, text: str) -> None:
    code, out, err = asked(text)
    assert (code, out) == (1, "")
    assert re.fullmatch(r"A client error occurred: The message is .*\n", err)
    assert not Conversation.objects.exists()


@in_a_database
def test_a_refusal_leaves_the_conversation_that_was_there(user: User) -> None:
    conversation = conversation_of(user)
    assert asked(" ", "--conversation", str(conversation.pk))[0] == 1
    assert Conversation.objects.exists()


@in_a_database
def test_whoever_asks_is_the_one_named_the_only_one_or_the_first_superuser(user: User) -> None:
    User.objects.create_user("gone", is_active=False)
    asked("help")
    boss = User.objects.create_superuser("arthur")
    User.objects.create_superuser("lillian")
    asked("help")
    asked("help", "--user", "jennifer")
    owners = Conversation.objects.order_by("created_at").values_list("owner", flat=True)
    assert list(owners) == [user.pk, boss.pk, user.pk]


@in_a_database
def test_who_or_what_is_not_there_is_said(user: User, other_user: User) -> None:
    theirs = conversation_of(other_user)
    for arguments, said in (
        ([], "there is no user yet"), (["--user", "nobody"], "no user is called nobody"),
        (["--user", "jennifer", "--conversation", "7"], "jennifer has no conversation 7."),
        (["--user", "jennifer", "--conversation", str(theirs.pk)], f"jennifer has no conversation {theirs.pk}."),
        (["--user", "jennifer", "--conversation", str(uuid.uuid4())], "jennifer has no conversation"),
    ):  # fmt: skip
        code, out, err = asked("help", *arguments)
        assert (code, out) == (1, "")
        assert err.startswith("A client error occurred: ")
        assert said in err
    assert not Turn.objects.exists()


@in_a_database
def test_a_turn_whose_process_died_keeps_nobody_waiting(user: User) -> None:
    conversation = conversation_of(user)
    Lost(conversation)
    code, out, _ = asked("help", "--conversation", str(conversation.pk))
    assert (code, out.splitlines()[-1]) == (0, FINISHED)
    assert [turn.status for turn in Turn.objects.order_by("number")] == ["interrupted", "completed"]


class Interrupted(io.StringIO):
    """A terminal at which Ctrl-C is pressed when the text has come."""

    pressed = False

    def write(self, text: str) -> int:
        if "half" in text and not self.pressed:
            self.pressed = True
            raise KeyboardInterrupt
        return super().write(text)


@in_a_database
@pytest.mark.parametrize("ending", ["RUN_ERROR", "RUN_FINISHED"])
def test_a_terminal_goes_on_after_ctrl_c_until_the_run_has_ended(user: User, ending: str) -> None:
    conversation, out = conversation_of(user), Interrupted()
    turn = running(conversation)
    terminal, run = Terminal(conversation.pk, 0, OutputWrapper(out)), str(turn.pk)
    said = {"type": "TEXT_MESSAGE_START", "messageId": "a", "role": "assistant"}
    end = events.run_error("It failed.", "internal")
    if ending == "RUN_FINISHED":
        end = events.run_finished(str(conversation.pk), run, "cancelled", [])
    JOURNAL.open(turn).commit(
        *opening(conversation, turn), said, delta("half", "a"), step(), delta("whole", "a"), end
    )
    with pytest.raises(KeyboardInterrupt):
        terminal.follow(run)
    assert terminal.follow(run) == end.get("message")
    assert out.getvalue() == "whole"


def step() -> events.Event:
    return events.step_finished(1, {})


@in_a_database
def test_no_text_moves_the_cursor_or_sets_the_title(user: User) -> None:
    conversation, out = conversation_of(user), io.StringIO()
    turn = running(conversation)
    said = {"type": "TEXT_MESSAGE_START", "messageId": "a", "role": "assistant"}
    end = events.run_finished(str(conversation.pk), str(turn.pk), "success", [])
    told = delta("\x1b]0;title\x07 \x9b2J\tSeñora\nBlue", "a")
    JOURNAL.open(turn).commit(*opening(conversation, turn), said, told, end)
    Terminal(conversation.pk, 0, OutputWrapper(out)).follow(str(turn.pk))
    assert out.getvalue() == "\ufffd]0;title\ufffd \ufffd2J\tSeñora\nBlue"
