"""The scripts of the pages with a transcript: what they import is asked for at once."""

import posixpath
import re
from pathlib import Path

import pytest
from django.conf import settings
from django.template.loader import render_to_string

FOLDER = Path(settings.BASE_DIR, "conversations/static/conversations")
IMPORT = re.compile(r'^(?:import|export)\b[^;(]*?"(\.[^"]+)"', re.MULTILINE)
PRELOADED = re.compile(r'rel="modulepreload" href="[^"]*/conversations/([^"]+?)(?:\.[0-9a-f]{12})?(\.m?js)"')


def imported(name: str, found: set[str]) -> set[str]:
    """What a module imports at its start, and what that imports."""
    for path in IMPORT.findall(Path(FOLDER, name).read_text()):
        other = posixpath.normpath(posixpath.join(posixpath.dirname(name), path))
        if other not in found:
            found.add(other)
            if "vendor" not in other:
                imported(other, found)
    return found


@pytest.mark.parametrize("script", ["chat/conversation", "chat/archive", "player/replay"])
def test_what_a_script_imports_is_asked_for_at_once_and_nothing_else_is(script: str) -> None:
    page = render_to_string("conversations/modules.html", {"script": script.split("/")[1]})
    asked = ["".join(parts) for parts in PRELOADED.findall(page)]
    assert len(asked) == len(set(asked))
    assert set(asked) == imported(f"{script}.js", set())
