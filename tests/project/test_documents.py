"""The documents agree with the code in paths, names, rooms and settings."""

import ast
import re
import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path

import grimp
import pytest
from django.core.management import get_commands

from project.environment import Environment

ROOT = Path(__file__).resolve().parents[2]
APP, TESTS = ROOT / "conversations", ROOT / "tests"
PLACES = (
    ROOT,
    ROOT / "examples/site",
    ROOT / "templates",
    APP,
    APP / "static/conversations",
    APP / "engine",
    TESTS,
)
"""Where a path in a document may begin; README names some of the engine's files alone."""

DOCUMENTS = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")]
ARCHITECTURE = (ROOT / "docs/architecture.md").read_text()
README = (ROOT / "README.md").read_text()
BENCH = (ROOT / "bench/__main__.py").read_text()
SMALL_MODULES = {"apps", "checks", "conf", "errors", "labels", "routing", "signals", "threads", "urls"}

WITHOUT_A_FACE = {
    ".",
    "migrations",
    "templatetags",
    "management/commands",
    "protocol",
    "protocol/agui",
    "protocol/converse",
}
"""Rooms whose modules are used one by one, or found by Django."""

Arrows = set[tuple[str, str]]
documents = pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))


@documents
def test_every_link_leads_to_a_file(document: Path) -> None:
    links = re.findall(r"\]\((?!https?:)([^)#]+)", document.read_text())
    assert [link for link in links if not (document.parent / link).exists()] == []


@documents
def test_every_path_is_there(document: Path) -> None:
    paths = re.findall(r"`((?:[\w.-]+/)*[\w-]+\.(?:py|js|css|html|ts))`", document.read_text())
    assert [path for path in paths if path != "tools.py" and not is_there(path)] == []


@documents
def test_every_command_is_there(document: Path) -> None:
    text, makefile = document.read_text(), (ROOT / "Makefile").read_text()
    targets = set(re.findall(r"\bmake ([a-z][a-z-]+)(?=[`,. \n]*(?:[`)#A-Z]|$))", text, re.MULTILINE))
    assert targets <= set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    assert set(re.findall(r"manage\.py ([a-z_]+)", text)) <= {*get_commands()}
    benchmarks = re.findall(r"python -m bench (\w+)", text)
    assert [name for name in benchmarks if f'"{name}"' not in BENCH] == []


def is_there(path: str) -> bool:
    return any((place / path).exists() for place in PLACES)


def test_every_test_that_proves_a_guarantee_is_there() -> None:
    text = (ROOT / "docs/guarantees.md").read_text()
    source = "\n".join(path.read_text() for path in TESTS.rglob("test_*.py"))
    assert [name for name in re.findall(r"`(test_\w+)`", text) if f"def {name}(" not in source] == []
    modules = re.findall(r"`(\w+/test_\w+)`", text)
    assert [module for module in modules if not (TESTS / f"{module}.py").exists()] == []


# -- rooms


def test_rooms_are_listed_as_pyproject_has_them() -> None:
    rows = re.findall(r"^\| `(\w+)` \|", ARCHITECTURE, re.MULTILINE)
    assert rows == [room for layer in layers() for room in layer]


def test_every_arrow_goes_down() -> None:
    depths = {room: depth for depth, layer in enumerate(layers()) for room in layer}
    assert [arrow for arrow in arrows_of_the_drawing() if depths[arrow[0]] >= depths[arrow[1]]] == []


def test_arrows_are_the_imports_of_the_code() -> None:
    imports = {(a, b) for a, b in between_rooms() if not {a, b} & SMALL_MODULES}
    assert arrows_of_the_drawing() == {arrow for arrow in imports if not goes_round(arrow, imports)}


def layers() -> list[list[str]]:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    return [re.findall(r"\w+", layer) for layer in contracts[0]["layers"]]


def arrows_of_the_drawing() -> Arrows:
    """The arrows of the drawing; `a & b --> c & d` are four."""
    lines = re.findall(r"^  ([\w &]+) --+> ([\w &]+)$", ARCHITECTURE, re.MULTILINE)
    return {(a, b) for above, below in lines for a in above.split(" & ") for b in below.split(" & ")}


def between_rooms() -> Arrows:
    graph = grimp.build_graph("conversations", cache_dir=None)
    rooms = {room for layer in layers() for room in layer}
    modules = [module for module in graph.modules if module.count(".")]
    imports = {
        (module.split(".")[1], imported.split(".")[1])
        for module in modules
        for imported in graph.find_modules_directly_imported_by(module)
        if imported.count(".")
    }
    return {(a, b) for a, b in imports if a != b and {a, b} <= rooms}


def goes_round(arrow: tuple[str, str], arrows: Arrows) -> bool:
    """Whether other arrows lead to the same room by way of a third."""
    start, end = arrow
    return any(reaches(b, end, arrows) for a, b in arrows if a == start and b != end)


def reaches(start: str, end: str, arrows: Arrows) -> bool:
    return start == end or any(reaches(b, end, arrows) for a, b in arrows if a == start)


@pytest.mark.parametrize(
    "room", [path.parent for path in APP.rglob("__init__.py")], ids=lambda path: str(path.relative_to(APP))
)
def test_a_rooms_face_says_what_is_in_it(room: Path) -> None:
    face = ast.get_docstring(ast.parse((room / "__init__.py").read_text())) or ""
    modules = [path.name for path in room.glob("*.py") if path.name != "__init__.py"]
    assert (
        str(room.relative_to(APP)) in WITHOUT_A_FACE or [name for name in modules if name not in face] == []
    )


# -- names


def test_every_function_that_the_architecture_names_is_there() -> None:
    without_paths = re.sub(r"[\w./-]+\.(py|md|toml)\b", "", ARCHITECTURE)
    names = set(re.findall(r"\b(\w+\.[a-z_]\w*)\b", without_paths))
    assert len(names) > 30
    assert sorted(names - set(python_names()) - set(script_names()) - {"turntable.write"}) == []


def python_names() -> Iterator[str]:
    """Functions by module, a room's face by its name, methods by class and by the class's one object."""
    for path in APP.rglob("*.py"):
        tree = ast.parse(path.read_text())
        for top in tree.body:
            for name in defined(top):
                yield f"{path.stem}.{name}"
            if isinstance(top, ast.ImportFrom) and path.stem == "__init__":
                yield from (f"{path.parent.name}.{alias.name}" for alias in top.names)
            if isinstance(top, ast.ClassDef):
                members = [name for child in ast.walk(top) for name in defined(child)]
                yield from (f"{owner}.{name}" for name in members for owner in (top.name, top.name.upper()))


def defined(node: ast.AST) -> list[str]:
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        return [node.name]
    return [node.attr] if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store) else []


def script_names() -> Iterator[str]:
    for path in (APP / "static/conversations").rglob("*.js"):
        owner = ""
        for line in path.read_text().splitlines():
            owner = match[1] if (match := re.match(r"(?:export )?class (\w+)", line)) else owner
            if match := re.match(r"  (?:async )?(\w+)\(", line):
                yield f"{owner}.{match[1]}"


READING = re.findall(r"^\| (.+) (?:in )?\[`[\w/.]+`\]\((.+)\) \| (\d+) \|", README, re.MULTILINE)


def test_what_a_newcomer_reads_is_there_and_as_long_as_it_says() -> None:
    assert len(READING) > 8
    counted = [(path, lines_of(ROOT / path, names), int(lines)) for names, path, lines in READING]
    assert [row for row in counted if abs(row[1] - row[2]) > 5] == []
    assert 350 <= sum(lines for _, lines, _ in counted) <= 450


def test_a_newcomer_reads_in_the_order_of_a_messages_way() -> None:
    drawing = ARCHITECTURE[ARCHITECTURE.index("sequenceDiagram") :]
    firsts = [re.findall(r"`(\w+)`", names)[:1] for names, _, _ in READING]
    places = [re.search(rf"\b{name}\b", drawing) for first in firsts for name in first]
    starts = [place.start() for place in places if place]
    assert len(starts) == len(READING) - 1  # all of one file is read, which names no function
    assert starts == sorted(starts)


def lines_of(path: Path, names: str) -> int:
    """The lines of the functions and classes that are named, or of the whole file."""
    source = path.read_text()
    definitions = re.findall(r"`(\w+)`", names)
    return sum(spans(ast.parse(source), definitions)) if definitions else len(source.splitlines())


def spans(tree: ast.AST, definitions: Iterable[str]) -> Iterator[int]:
    nodes = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
    ]
    for name in definitions:
        node = next(node for node in nodes if node.name == name)
        yield (node.end_lineno or 0) - node.lineno + 1


# -- settings


def test_every_setting_is_in_the_table_with_its_default() -> None:
    rows = re.findall(r"^\| (`[A-Z].+?) \| (.*?) \|", README[README.index("## Settings") :], re.MULTILINE)
    defaults = {name: cell for names, cell in rows for name in re.findall(r"`([A-Z_]+)`", names)}
    assert set(defaults) == set(Environment.model_fields)
    numbers = {
        name: field.default
        for name, field in Environment.model_fields.items()
        if type(field.default) in (int, float)
    }
    assert [name for name, number in numbers.items() if f"`{number:.0f}`" not in defaults[name]] == []
