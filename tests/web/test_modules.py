"""The scripts of the pages: what they import is fetched at once, and is there."""

import re
from pathlib import Path
from posixpath import dirname, join, normpath

import pytest
from django.contrib.staticfiles import finders
from django.template.loader import render_to_string

from conversations.templatetags.modules import imported_by, imports_of, modules

ROOM = Path(__file__).resolve().parents[2] / "conversations/static/conversations"
PAGES = [
    "library/frame",
    "chat/conversation",
    "chat/archive",
    "player/replay",
    "composer/start",
    "admin/admin",
    "library/live",
    "library/waiting",
]
LATER = re.compile(r'\bimport\("(\.[^"]+\.js)"\)')
PRELOAD = re.compile(r'rel="modulepreload" href="/static/([^"]+)"')


def ours() -> list[str]:
    """The names of our own modules as static files."""
    return [f"conversations/{path.relative_to(ROOM)}" for path in ROOM.rglob("*.js")]


def later_imports_of(name: str) -> list[str]:
    """What a module imports of ours when it is first wanted."""
    text = (ROOM.parent / name).read_text()
    return [normpath(join(dirname(name), other)) for other in LATER.findall(text)]


def longest_way(name: str, way: tuple[str, ...] = ()) -> int:
    """The number of imports from a module down to the deepest; a cycle fails."""
    assert name not in way, f"a cycle: {' -> '.join([*way, name])}"
    return max((1 + longest_way(other, (*way, name)) for other in imports_of(name)), default=0)


def test_a_page_asks_at_once_for_what_its_script_imports() -> None:
    names = imported_by("conversations/chat/conversation.js")
    assert {"conversations/transcript/reducer.js", "conversations/vendor/purify.mjs"} <= set(names)
    assert "conversations/chat/conversation.js" not in names
    assert len(names) == len(set(names))
    page = render_to_string("conversations/modules.html", modules("conversations/chat/conversation.js"))
    assert PRELOAD.findall(page) == names
    assert 'src="/static/conversations/chat/conversation.js"' in page


def test_a_page_does_not_ask_for_what_another_page_or_a_later_moment_needs() -> None:
    names = imported_by("conversations/chat/archive.js")
    assert not [name for name in names if "highlight" in name or "katex" in name or "/player/" in name]
    assert "conversations/chat/socket.js" not in names


def test_every_module_that_is_imported_is_there() -> None:
    imported = {other for name in ours() for other in (*imports_of(name), *later_imports_of(name))}
    assert [name for name in imported if finders.find(name) is None] == []


def test_every_module_is_imported_or_the_script_of_a_page() -> None:
    imported = {other for name in ours() for other in (*imports_of(name), *later_imports_of(name))}
    assert set(ours()) - imported == {f"conversations/{name}.js" for name in PAGES}


@pytest.mark.parametrize("page", PAGES)
def test_imports_go_in_no_circle(page: str) -> None:
    assert 0 < longest_way(f"conversations/{page}.js") < 30
