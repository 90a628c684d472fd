"""`manage.py ask`: a turn in the terminal, and the same record that a page would leave."""

import json
import re
import signal
import sqlite3
import subprocess
import time
import uuid
from contextlib import closing
from functools import partial
from subprocess import PIPE

import pytest
from django.contrib.auth.models import User

from conversations.models import Conversation, Turn
from tests.commands import command
from tests.lost_turns import Lost
from tests.servers import command_line, manage, migrated, site
from tests.turns import QUESTION, answer, ask, conversation_of, record, types

in_process = pytest.mark.django_db(transaction=True)
FINISHED = "Finished streaming messages with model cohere.command-r-v1:0."
ask_command = partial(command, "ask")


@in_process
@pytest.mark.usefixtures("gateway")
def test_the_answer_a_line_for_each_call_and_the_last_line(user: User) -> None:
    code, out, err = ask_command(QUESTION)
    assert (code, err) == (0, "")
    assert out.endswith(f"\n{FINISHED}\n")
    (line,) = re.findall(r"^\[.*\]$", out, re.MULTILINE)
    assert re.fullmatch(
        r'\[top_song \{"sign": ?"WZPZ"\} -> success, \d+ ms: \{"song": "Elemental Hotel", .*\}\]', line
    )
    conversation = Conversation.objects.get(owner=user)
    printed = "".join(part for part in out.splitlines(keepends=True) if part.strip() not in (line, FINISHED))
    assert "".join(printed.split()) == "".join(answer(record(conversation)).split())


@in_process
@pytest.mark.usefixtures("gateway")
def test_it_leaves_the_record_that_a_page_would_leave(user: User) -> None:
    ask_command(QUESTION)
    mine = conversation_of(user)
    ask(mine, QUESTION)
    records = [record(c) for c in Conversation.objects.order_by("created_at")]
    assert types(records[0]) == types(records[1])
    assert answer(records[0]) == answer(records[1])


@in_process
@pytest.mark.usefixtures("gateway")
def test_what_was_answered_in_the_terminal_is_not_unread(user: User) -> None:
    ask_command(QUESTION)
    assert Conversation.objects.get().seen == 1


@in_process
@pytest.mark.usefixtures("gateway")
def test_a_conversation_is_gone_on_with_and_another_model_asked(user: User) -> None:
    ask_command(QUESTION)
    conversation = Conversation.objects.get()
    code, out, _ = ask_command(
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


@in_process
@pytest.mark.usefixtures("gateway")
def test_a_failure_is_one_line_on_stderr_and_what_was_shown_stays(user: User) -> None:
    code, out, err = ask_command("fail cut")
    turn = Turn.objects.get()
    assert (code, err) == (1, f"A client error occurred: {turn.error_text}\n")
    assert (turn.status, turn.error_code) == ("failed", "stream_cut")
    assert out.strip() == answer(record(turn.conversation)).strip() != ""
    assert "Finished" not in out


@in_process
@pytest.mark.usefixtures("gateway")
def test_a_new_attempt_is_told(user: User) -> None:
    code, out, _ = ask_command("fail gateway once")
    assert code == 0
    assert re.search(r"^\[trying again in [\d.]+ s, 2 of 3\]$", out, re.MULTILINE)


@in_process
@pytest.mark.usefixtures("gateway")
@pytest.mark.parametrize("text", ["", " \n", "x" * 100_001])
def test_a_text_that_is_refused_leaves_nothing_behind(user: User, text: str) -> None:
    code, out, err = ask_command(text)
    assert (code, out) == (1, "")
    assert re.fullmatch(r"A client error occurred: The message is .*\n", err)
    assert not Conversation.objects.exists()


@in_process
@pytest.mark.usefixtures("gateway")
def test_a_refusal_leaves_the_conversation_that_was_there(user: User) -> None:
    conversation = conversation_of(user)
    assert ask_command(" ", "--conversation", str(conversation.pk))[0] == 1
    assert Conversation.objects.exists()


@in_process
@pytest.mark.usefixtures("gateway")
def test_whoever_asks_is_the_one_named_the_only_one_or_the_first_superuser(user: User) -> None:
    User.objects.create_user("gone", is_active=False)
    ask_command("help")
    boss = User.objects.create_superuser("arthur")
    User.objects.create_superuser("lillian")
    ask_command("help")
    ask_command("help", "--user", "jennifer")
    owners = Conversation.objects.order_by("created_at").values_list("owner", flat=True)
    assert list(owners) == [user.pk, boss.pk, user.pk]


@in_process
@pytest.mark.usefixtures("gateway")
def test_who_or_what_is_not_there_is_said(user: User, other_user: User) -> None:
    theirs = conversation_of(other_user)
    for arguments, sentence in (
        ([], "there is no user yet"), (["--user", "nobody"], "no user is called nobody"),
        (["--user", "jennifer", "--conversation", "7"], "jennifer has no conversation 7."),
        (["--user", "jennifer", "--conversation", str(theirs.pk)], f"jennifer has no conversation {theirs.pk}."),
        (["--user", "jennifer", "--conversation", str(uuid.uuid4())], "jennifer has no conversation"),
    ):  # fmt: skip
        code, out, err = ask_command("help", *arguments)
        assert (code, out) == (1, "")
        assert err.startswith("A client error occurred: ")
        assert sentence in err
    assert not Turn.objects.exists()


@in_process
@pytest.mark.usefixtures("gateway")
def test_a_turn_whose_process_died_keeps_nobody_waiting(user: User) -> None:
    conversation = conversation_of(user)
    Lost(conversation)
    code, out, _ = ask_command("help", "--conversation", str(conversation.pk))
    assert (code, out.splitlines()[-1]) == (0, FINISHED)
    assert [turn.status for turn in Turn.objects.order_by("number")] == ["completed", "completed"]


PREPARED = """
from django.contrib.auth.models import User
User.objects.create_superuser("andy")
"""


@pytest.fixture(scope="module")
def own_site(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """A site with a database and an owner, on its own demo gateway."""
    environment = migrated(site(tmp_path_factory.mktemp("site")))
    prepared = manage(environment, "shell", "-c", PREPARED)
    assert prepared.returncode == 0, prepared.stderr
    return environment


def newest_turn(environment: dict[str, str]) -> tuple[str, str]:
    """The status of the site's newest turn, and its answer."""
    path = environment["DATABASE_URL"].removeprefix("sqlite:///")
    with closing(sqlite3.connect(path)) as database:
        query = "SELECT id, status FROM conversations_turn ORDER BY created_at DESC LIMIT 1"
        turn, status = database.execute(query).fetchone()
        query = "SELECT content FROM conversations_message WHERE turn_id = ? AND role = 'assistant'"
        (content,) = database.execute(query, [turn]).fetchone()
    return status, json.loads(content)[0]["text"]


@pytest.mark.processes
def test_as_a_process_it_answers_and_exits_with_0(own_site: dict[str, str]) -> None:
    process = manage(own_site, "ask", QUESTION)
    assert (process.returncode, process.stderr) == (0, "")
    assert "Elemental Hotel" in process.stdout
    assert process.stdout.splitlines()[-1] == FINISHED


@pytest.mark.processes
def test_as_a_process_it_tells_its_failure_on_stderr_and_exits_with_1(own_site: dict[str, str]) -> None:
    process = manage(own_site | {"GATEWAY_RETRIES": "1"}, "ask", "fail refused")
    assert process.returncode == 1
    assert [line for line in process.stderr.splitlines() if line.startswith("A client error occurred: ")]
    assert "Traceback" not in process.stderr


@pytest.mark.processes
def test_ctrl_c_stops_the_turn_and_what_was_shown_is_kept(own_site: dict[str, str]) -> None:
    with subprocess.Popen(
        command_line("ask", "show slow"), env=own_site, stdout=PIPE, stderr=PIPE, bufsize=0
    ) as process:
        assert process.stdout
        begun = process.stdout.read(10)
        pressed = time.monotonic()
        process.send_signal(signal.SIGINT)
        rest, complaint = process.communicate(timeout=30)
    assert time.monotonic() - pressed < 5
    assert (process.returncode, complaint) == (0, b"")
    status, text = newest_turn(own_site)
    assert status == "stopped"
    assert (begun + rest).decode() == f"{text}\n{FINISHED}\n"
