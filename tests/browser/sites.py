"""A site with tools, a saved prompt, and conversations with turns of every kind."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from playwright.sync_api import Page, expect

from tests.browser.calls import press
from tests.browser.chat import UNENDING, Chat
from tests.servers import Server, serving, site

TOOLS = '''
from conversations.tools import ToolError, tool

@tool(approval=True)
def delete_file(path: str) -> dict[str, str]:
    """Delete a file."""
    return {"deleted": path}

@tool
def count_files(path: str) -> list[dict[str, object]]:
    """Count files."""
    return [{"path": path, "files": 12, "sizes": {"least": 1, "most": 2}}, {"path": "other", "files": 3}]

@tool
def break_file(path: str) -> str:
    """Break a file."""
    raise ToolError("It is broken already.")
'''
SETTINGS = 'from project.settings import *\nINSTALLED_APPS = [*INSTALLED_APPS, "filing"]\n'
QUESTIONS = (
    "show formulas",
    "show markdown",
    "show reasoning",
    'count_files "here"',
    'break_file "old.csv" and count_files "there"',
    "show broken tool input",
    "fail refused",
)


@contextmanager
def filing(folder: Path, gateway: str, tools: str = TOOLS, **variables: str) -> Iterator[Server]:
    """A server whose app `filing` has tools."""
    (folder / "filing").mkdir()
    (folder / "filing" / "__init__.py").touch()
    (folder / "filing" / "tools.py").write_text(tools)
    (folder / "filing_settings.py").write_text(SETTINGS)
    own = {
        "DJANGO_SETTINGS_MODULE": "filing_settings",
        "PYTHONPATH": str(folder),
        "USER_TURNS_PER_MINUTE": "0",
    }
    with serving(site(folder, GATEWAY_URL=gateway, **own, **variables)) as running:
        yield running


class Places(NamedTuple):
    """The addresses of conversations."""

    rich: str
    """Has turns of every kind."""

    plain: str
    """Has one turn, which has ended well."""

    rerun: str
    """Is a rerun of the plain one."""

    empty: str


def furnish(page: Page) -> Places:
    """Makes a saved prompt and the conversations, as their owner would."""
    page.goto("/settings/")
    page.get_by_label("Name").fill("sum-up")
    page.get_by_label("Text").fill("Sum up what was said.")
    page.get_by_role("button", name="Add").click()
    empty, rich = Chat.new(page).page.url, wealth(Chat.new(page))
    chat = Chat.new(page)
    chat.ask("hello")
    plain = page.url
    page.goto(f"{plain}again/")
    page.get_by_role("button", name="Ask again").click()
    page.wait_for_url(lambda url: url not in (plain, f"{plain}again/"))
    return Places(rich, plain, re.sub(r"(?<=[0-9a-f]{12}/).*", "", page.url), empty)


def wealth(chat: Chat) -> str:
    """Makes turns of every kind, the last of which waits for an approval, and queues a message."""
    for question in QUESTIONS:
        chat.ask(question)
    chat.say(UNENDING)
    expect(chat.messages("Assistant").last).to_contain_text("record")
    chat.stop_button.click()
    chat.settled()
    for path, decision in (("always.csv", "Approve"), ("kept.csv", "Deny"), ("new.csv", "")):
        chat.say(f'delete_file "{path}"')
        waiting = chat.tool("delete_file").last
        expect(waiting.get_by_role("button", name="Approve")).to_be_visible()
        if decision:
            waiting.get_by_role("checkbox").set_checked(decision == "Approve")
            press(waiting, decision)
            chat.settled()
    chat.say("This waits its turn.")
    expect(chat.log.get_by_role("button", name="Withdraw")).to_be_visible()
    return chat.page.url
