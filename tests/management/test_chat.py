"""`manage.py chat` by pipe: each line is a message, a command, or the answer to a question."""

import io
import os
import re
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from rich.console import Console

from conversations.management.chat.markdown import LOOKED_AT, PARSER, Markdown, Printable, Stream
from conversations.models import Allowance, Conversation, ToolCall, Turn
from conversations.protocol.converse.content import plain_text
from tests.commands import command
from tests.engine.station import top_song_as
from tests.lost_turns import Lost
from tests.turns import QUESTION, ask, conversation_of

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("gateway")]
ANSWER = 'The most popular song on WZPZ is "Elemental Hotel" by 8 Storey Hike.'


@pytest.fixture
def dangerous_song() -> Iterator[None]:
    with top_song_as(lambda sign: {"song": f"Song of {sign}"}, approval=True):
        yield


def chat(monkeypatch: pytest.MonkeyPatch, text: str | bytes, *arguments: str) -> tuple[int, str, str]:
    """A session that is sent these lines and then nothing more."""
    reading, writing = os.pipe()
    os.write(writing, text.encode() if isinstance(text, str) else text)
    os.close(writing)
    with open(reading, encoding="utf-8") as stdin:  # noqa: PTH123 (no path but a descriptor)
        monkeypatch.setattr(sys, "stdin", stdin)
        return command("chat", *arguments)


def questions() -> list[str]:
    """What was asked in the only conversation, in order."""
    rows = Conversation.objects.get().messages.filter(role="user", round=None).order_by("turn__number")
    return [plain_text(message.content) for message in rows if plain_text(message.content)]


def test_each_line_is_a_message_and_the_end_of_the_lines_the_end(
    user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    code, out, err = chat(monkeypatch, f"{QUESTION}\n\n  \nshow the conversation")
    assert (code, err) == (0, "")
    assert questions() == [QUESTION, "show the conversation"]
    assert {turn.status for turn in Turn.objects.all()} == {"completed"}
    assert re.search(
        rf"^> {re.escape(QUESTION)}\nI will look that up\.\n\[top_song .* -> success, ", out, re.MULTILINE
    )
    assert out.index(ANSWER) < out.index("> show the conversation") < out.index(f"user: {QUESTION}")
    assert "\x1b" not in out
    conversation = Conversation.objects.get(owner=user)
    assert (conversation.seen, str(conversation.pk) in out) == (2, True)


def test_it_begins_with_what_was_said_before(user: User, monkeypatch: pytest.MonkeyPatch) -> None:
    conversation = conversation_of(user)
    ask(conversation, QUESTION)
    code, out, _ = chat(monkeypatch, "", "--conversation", str(conversation.pk))
    assert code == 0
    assert out.index(f"> {QUESTION}\n") < out.index("[top_song ") < out.index(ANSWER)
    assert Turn.objects.count() == 1


@pytest.mark.parametrize(
    ("line", "status", "result"),
    [
        ("y", "success", "Song of WZPZ"),
        ("no, not today", "error", "The reason: not today"),
        ("n", "error", "the user denied it"),
        ("a", "success", "Song of WZPZ"),
    ],
)
@pytest.mark.usefixtures("dangerous_song")
def test_the_line_behind_a_question_decides_about_the_call(
    user: User, monkeypatch: pytest.MonkeyPatch, line: str, status: str, result: str
) -> None:
    code, out, err = chat(monkeypatch, f"{QUESTION}\n\n{line}\n")
    assert (code, err) == (0, "")
    assert (
        f"waits for your approval. Run it? y, a: always with these arguments, N, or the reason why not] {line}"
        in out
    )
    call = ToolCall.objects.get()
    assert (call.status, call.approval.decided_by) == (status, user)
    assert result in str(call.result)
    assert Allowance.objects.exists() == (line == "a")
    assert Turn.objects.get().status == "completed"


@pytest.mark.usefixtures("dangerous_song", "user")
def test_a_call_about_which_nobody_decides_waits_on(monkeypatch: pytest.MonkeyPatch) -> None:
    code, out, _ = chat(monkeypatch, f"{QUESTION}\n")
    assert (code, Turn.objects.get().status) == (0, "waiting")
    assert "The call still waits." in out
    again = chat(monkeypatch, "y\n", "--conversation", str(Conversation.objects.get().pk))
    assert (again[0], Turn.objects.get().status) == (0, "completed")


@pytest.mark.usefixtures("user")
def test_a_failure_is_said_and_the_session_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    code, out, err = chat(monkeypatch, f"fail refused\n{QUESTION}\n")
    assert (code, err) == (0, f"A client error occurred: {Turn.objects.get(number=1).error_text}\n")
    assert ANSWER in out


@pytest.mark.usefixtures("user")
def test_another_model_answers_and_answers_again(monkeypatch: pytest.MonkeyPatch, settings: object) -> None:
    settings.GATEWAY_MODELS = ["cohere.command-r-v1:0", "amazon.nova-pro-v1:0", "amazon.nova-lite-v1:0"]
    lines = ["/model", "show the conversation", "/model pro", "/regenerate", "/model nova", "/model nobody"]
    code, out, err = chat(monkeypatch, "\n".join(lines))
    assert code == 0
    assert re.search(r"^\* cohere\.command-r-v1:0\n  amazon\.nova-pro-v1:0$", out, re.MULTILINE)
    assert [turn.model for turn in Turn.objects.order_by("number")] == [
        "cohere.command-r-v1:0",
        "amazon.nova-pro-v1:0",
    ]
    assert Turn.objects.exclude(parent=None).count() == 0
    assert Conversation.objects.get().model == "amazon.nova-pro-v1:0"
    assert "Several models are called nova: amazon.nova-pro-v1:0, amazon.nova-lite-v1:0." in err
    assert "There is no model nobody." in err


@pytest.mark.usefixtures("user")
def test_the_model_of_the_command_line_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    chat(monkeypatch, "help\n", "--model", "amazon.nova-micro-v1:0")
    assert Turn.objects.get().model == "amazon.nova-micro-v1:0"


@pytest.mark.usefixtures("user")
def test_a_call_is_shown_whole_and_a_tool_switched_off(monkeypatch: pytest.MonkeyPatch) -> None:
    code, out, err = chat(monkeypatch, f"{QUESTION}\n/result\n/result 2\n/tools top_song\n")
    assert code == 0
    assert 'top_song {\n  "sign": "WZPZ"\n}\n{"song": "Elemental Hotel", "artist": "8 Storey Hike"}\n' in out
    assert "There is no such call." in err
    assert "top_song: off\n" in out
    assert Conversation.objects.get().tools_off == ["top_song"]


def test_other_conversations_are_begun_and_opened_and_empty_ones_are_not_kept(
    user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = conversation_of(user, title="An old one")
    ask(old, "help")
    chat(monkeypatch, "/new\n/open\n/open 1\nhello\n/new\nhello again\n")
    assert old.turns.count() == 2
    assert Conversation.objects.exclude(pk=old.pk).get().title == "hello again"
    chat(monkeypatch, "/quit\nnever said\n")
    assert Conversation.objects.count() == 2


@pytest.mark.usefixtures("user")
def test_a_file_goes_with_the_next_message(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("A record shop.")
    code, out, err = chat(
        monkeypatch,
        f"/attach {tmp_path}/nothing.txt\n/attach {tmp_path}/notes.txt\nRead it.\n",
        "--model",
        "amazon.nova-pro-v1:0",
    )
    assert (code, Turn.objects.get().status) == (0, "completed")
    assert "nothing.txt cannot be read: No such file or directory." in err
    assert "notes.txt goes with the next message." in out
    assert Conversation.objects.get().messages.get(role="user").attachments.get().name == "notes.txt"


@pytest.mark.usefixtures("user")
def test_what_begins_with_a_slash_is_a_command_and_with_two_a_message(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    code, out, err = chat(monkeypatch, "/etc/hosts?\n//etc/hosts?\n/help\n")
    assert code == 0
    assert "There is no command /etc/hosts?. /help lists them" in err
    assert questions() == ["/etc/hosts?"]
    assert re.search(r"^/regenerate \[ID\] +asks the last message again", out, re.MULTILINE)


def test_nothing_that_is_said_or_called_moves_the_cursor(user: User, monkeypatch: pytest.MonkeyPatch) -> None:
    conversation = conversation_of(user, title="A \x1b]0;title\x07")
    code, out, err = chat(
        monkeypatch, b"Caf\xc3\xa9 \xff \x1b[2J\x9b\n/\x1b[2J\n", "--conversation", str(conversation.pk)
    )
    assert code == 0
    assert "> Café \ufffd" in out
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]", out + err)


def test_a_turn_that_its_process_has_left_is_shown_to_its_end(
    user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    conversation = conversation_of(user)
    Lost(conversation)
    code, out, _ = chat(monkeypatch, "show the conversation\n", "--conversation", str(conversation.pk))
    assert (code, {turn.status for turn in Turn.objects.all()}) == (0, {"completed"})
    assert out.index(ANSWER) < out.index("> show the conversation")


def test_who_or_what_is_not_there_ends_it_at_once(user: User, monkeypatch: pytest.MonkeyPatch) -> None:
    for arguments, sentence in (
        (["--user", "nobody"], "Nobody to ask as: no user is called nobody."),
        (["--conversation", str(uuid.uuid4())], "jennifer has no conversation"),
    ):
        code, out, err = chat(monkeypatch, "help\n", *arguments)
        assert (code, out) == (1, "")
        assert err.startswith(f"A client error occurred: {sentence}")
    assert not Turn.objects.filter(user=user).exists()


def test_markdown_is_cut_where_it_means_the_same_and_takes_no_longer_than_its_parts() -> None:
    texts = {
        "fence": "```python\n" + "x = [1, 2]  # a comment\n" * 4_000 + "```\n",
        "table": "|a|b|\n|-|-|\n" + "|cell one|cell two|\n" * 5_000,
        "paragraph": "word " * 20_000,
        "letters": "x" * 100_000,
        "paragraphs": "Two words.\n\n" * 8_000,
    }
    kinds = {}
    for name, text in texts.items():
        stream = Stream()
        stream.add(text)
        parts = stream.end()
        assert max(len(part.text) for part in parts) <= LOOKED_AT
        kinds[name] = {PARSER.parse(part.text)[0].type for part in parts}
        words = sum(part.text.count("x = [1") + part.text.count("cell one") for part in parts)
        assert words == text.count("x = [1") + text.count("cell one")
    paragraph = {"paragraph_open"}
    assert kinds == {"fence": {"fence"}, "table": {"table_open"}} | dict.fromkeys(
        ("paragraph", "letters", "paragraphs"), paragraph
    )


@pytest.mark.parametrize(
    "text", ["&#13;&#27;[2J&#x9b;2J", "a\x1b[2Jb", "[a\x1b]8;;x\x07](http://x/\x1b[2J)", "`\x9b2J`"]
)
def test_markdown_of_a_model_controls_no_terminal(text: str) -> None:
    console = Console(file=io.StringIO(), width=40)
    console.print(Printable(Markdown(text)))
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]", console.file.getvalue())
    assert not re.search("\x1b]", console.file.getvalue())
