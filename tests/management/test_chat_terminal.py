"""`manage.py chat` at a terminal: keys, Markdown, calls as one line, and the page's turns."""

import re
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.management.terminal import CTRL_C, CTRL_D, ENTER, UP, Terminal, at_terminal
from tests.servers import manage, migrated, site
from tests.turns import QUESTION

pytestmark = pytest.mark.processes
ANSWER = r'The most popular song on WZPZ is "Elemental Hotel" by 8 Storey Hike\.'
PROMPT = r"\n> "
OWNER = 'from django.contrib.auth.models import User; User.objects.create_superuser("andy")'
TOOLS = '''
from conversations.tools import tool


@tool(approval=True)
def demolish(building: str) -> str:
    """Tear a building down."""
    return f"{building} is gone \\x1b]0;title\\x07 \\x1b[2J"
'''
SETTINGS = 'from project.settings import *\nINSTALLED_APPS = [*INSTALLED_APPS, "guarded"]\n'


@pytest.fixture(scope="module")
def own_site(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """A site with an owner, a tool that asks first, and its own demo gateway."""
    folder = tmp_path_factory.mktemp("site")
    (folder / "guarded").mkdir()
    (folder / "guarded" / "__init__.py").touch()
    (folder / "guarded" / "tools.py").write_text(TOOLS)
    (folder / "guarded_settings.py").write_text(SETTINGS)
    own = {"DJANGO_SETTINGS_MODULE": "guarded_settings", "PYTHONPATH": str(folder), "NO_COLOR": ""}
    environment = migrated(site(folder, GATEWAY_MODELS="cohere.command-r-v1:0,amazon.nova-pro-v1:0", **own))
    assert manage(environment, "shell", "-c", OWNER).returncode == 0
    return environment


def rows(environment: dict[str, str], query: str) -> list[tuple[object, ...]]:
    """Rows of the site's database."""
    path = Path(environment["DATABASE_URL"].removeprefix("sqlite:///"))
    with closing(sqlite3.connect(path)) as database:
        return database.execute(query).fetchall()


def newest(environment: dict[str, str], column: str) -> str:
    """A column of the newest turn."""
    query = f"SELECT {column} FROM conversations_turn ORDER BY created_at DESC LIMIT 1"  # noqa: S608 (ours)
    return str(rows(environment, query)[0][0])


def say(terminal: Terminal, text: str) -> None:
    terminal.wait_for(PROMPT)
    terminal.press(text + ENTER)


def test_a_session_goes_well_from_its_beginning_to_ctrl_d(own_site: dict[str, str]) -> None:
    with at_terminal(own_site, "chat") as terminal:
        say(terminal, QUESTION)
        terminal.wait_for(r'✓ top_song sign: "WZPZ" · \d+ ms · /result 1')
        terminal.wait_for(ANSWER)
        say(terminal, "/result")
        terminal.wait_for(r'\{"song": "Elemental Hotel", "artist": "8 Storey Hike"\}')
        say(terminal, "/model nova")
        terminal.wait_for(r"amazon\.nova-pro-v1:0 answers from now on\.")
        say(terminal, "show markdown")
        answer = terminal.wait_for(r"stays as it was written\.")
        say(terminal, "/regenerate")
        terminal.wait_for(r"> show markdown")
        terminal.wait_for(r"stays as it was written\.")
        terminal.wait_for(PROMPT)
        terminal.press(UP)
        terminal.wait_for("/regenerate")
        terminal.press("\x15" + CTRL_D)
        assert terminal.exit_code() == 0
    assert "\x1b[1m" in terminal.raw
    assert "**" not in answer
    assert "• 7 inch, 45 rpm" in answer
    assert "<b>HTML</b>" in answer
    turns = rows(
        own_site, "SELECT model, status, parent_id IS NULL FROM conversations_turn ORDER BY created_at"
    )
    nova = ("amazon.nova-pro-v1:0", "completed", 0)
    assert turns == [("cohere.command-r-v1:0", "completed", 1), nova, nova]


def test_ctrl_c_stops_the_answer_and_at_the_prompt_loses_nothing(own_site: dict[str, str]) -> None:
    with at_terminal(own_site, "chat") as terminal:
        say(terminal, "show slow")
        terminal.wait_for("A turntable turns")
        terminal.press("begun meanwhile" + CTRL_C)
        assert "begun" not in terminal.wait_for("Stopped")
        terminal.wait_for(r"> begun meanwhile")
        assert newest(own_site, "status") == "stopped"
        for _ in range(2):
            terminal.press(CTRL_C)
            terminal.wait_for("Nothing is being answered")
            terminal.wait_for(r"> begun meanwhile")
        terminal.press(ENTER)
        terminal.wait_for("You wrote: “begun meanwhile”")
        say(terminal, "fail refused")
        terminal.wait_for("✗ The gateway does not let this through")
        say(terminal, "/quit")
        assert terminal.exit_code() == 0


def test_a_call_is_approved_denied_and_stopped_without_colours_too(own_site: dict[str, str]) -> None:
    with at_terminal(own_site | {"NO_COLOR": "1"}, "chat") as terminal:
        for answer, sign in (
            ("y" + ENTER, r"✓ demolish building: \"Hotel\""),
            ("not that one" + ENTER, r"✗ demolish .*\n.*The reason: not that one"),
            (CTRL_C, r"Stopped"),
        ):
            say(terminal, 'demolish the building "Hotel"')
            terminal.wait_for(r'\? demolish \{"building": "Hotel"\} waits for your approval\.')
            terminal.wait_for(r"Run it\?.* ")
            terminal.press(answer)
            terminal.wait_for(sign)
        terminal.wait_for(PROMPT)
        terminal.press(CTRL_D)
        assert terminal.exit_code() == 0
    for sequence in ("\x1b]0;", "\x07", "\x1b[2J"):
        assert sequence not in terminal.raw
    sgr = {code for codes in re.findall(r"\x1b\[([0-9;]*)m", terminal.raw) for code in codes.split(";")}
    assert sgr <= {"", "0", "1", "2", "3", "4"}


def test_a_turn_begun_elsewhere_is_shown_and_what_was_written_stays(own_site: dict[str, str]) -> None:
    assert manage(own_site, "ask", "hello").returncode == 0
    conversation = newest(own_site, "conversation_id")
    with at_terminal(own_site, "chat", "--conversation", conversation) as terminal:
        terminal.wait_for(r"> hello\n")
        terminal.wait_for("You wrote: “hello”")
        terminal.wait_for(PROMPT)
        terminal.press("half a mess")
        terminal.wait_for("half a mess")
        terminal.resize(20, 60)
        assert manage(own_site, "ask", QUESTION, "--conversation", conversation).returncode == 0
        terminal.wait_for(rf"> {re.escape(QUESTION)}\n")
        terminal.wait_for("✓ top_song")
        terminal.wait_for(r"> half a mess")
        terminal.press("age 漢é" + ENTER)
        terminal.wait_for("You wrote: “half a message 漢é”")
        terminal.wait_for(PROMPT)
        terminal.press(CTRL_D)
        assert terminal.exit_code() == 0


def test_what_is_typed_before_the_prompt_is_there_is_taken(own_site: dict[str, str]) -> None:
    with at_terminal(own_site, "chat", anew=True) as terminal:
        terminal.press("help\n\x04")
        assert terminal.exit_code() == 0
    assert "Say one of these" in terminal.text
    assert newest(own_site, "status") == "completed"


def test_a_terminal_that_can_do_nothing_gets_plain_text(own_site: dict[str, str]) -> None:
    with at_terminal(own_site, "chat", term="dumb") as terminal:
        say(terminal, "show slow")
        terminal.wait_for("A turntable turns")
        terminal.press(CTRL_C)
        terminal.wait_for(r"\[stopped\]")
        terminal.wait_for(PROMPT)
        terminal.press("some")
        terminal.wait_for("some")
        terminal.press(CTRL_C)
        terminal.wait_for(r"Nothing is being answered.*\n> some")
        terminal.press("thing" + ENTER)
        terminal.wait_for("You wrote: “something”")
        terminal.wait_for(PROMPT)
        terminal.press(CTRL_D)
        assert terminal.exit_code() == 0
    assert "\x1b" not in terminal.raw
    assert newest(own_site, "status") == "completed"
