"""The modules that a page's script imports, so that a browser can fetch them all at once."""

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from posixpath import dirname, join, normpath
from typing import Any

from django import template
from django.contrib.staticfiles import finders

IMPORT = re.compile(r'^(?:import|export)\b[^;(]*?"(\.[^"]+)"', re.MULTILINE)

register = template.Library()


@register.inclusion_tag("conversations/modules.html")
def modules(script: str) -> dict[str, Any]:
    """A script, and links that preload what it imports."""
    return {"script": script, "modules": imported_by(script)}


@cache
def imported_by(script: str) -> list[str]:
    """The modules that a script imports, and those that they import, by their names as static files."""
    names = {script: None}
    for name in (waiting := [script]):
        new = [other for other in imports_of(name) if other not in names]
        names.update(dict.fromkeys(new))
        waiting.extend(new)
    return list(names)[1:]


def imports_of(name: str) -> Iterator[str]:
    """The modules that a module imports itself. A library's module (`.mjs`) imports none."""
    path = finders.find(name)
    if path and not name.endswith(".mjs"):
        for other in IMPORT.findall(Path(path).read_text()):
            yield normpath(join(dirname(name), other))
