"""Tools that functions are declared as, the refusals at import, and tools in place of others."""

import importlib
import json
import sys
from pathlib import Path
from typing import Any

import pytest
from pytest_django import Settings

from conversations.errors import ConfigurationError
from conversations.tools import ToolError, registry, tool

pytestmark = pytest.mark.usefixtures("no_other_tools")


def spec_of(name: str) -> dict[str, Any]:
    declared = registry.get(name)
    assert declared
    spec: dict[str, Any] = declared.spec["toolSpec"]
    return spec


def test_name_description_and_schema_come_from_the_function() -> None:
    @tool
    def forecast(city: str, days: int = 3) -> str:
        """Tell the weather
        of a city.

        This paragraph is for programmers.
        """
        return f"{city} {days}"

    assert spec_of("forecast") == {
        "name": "forecast",
        "description": "Tell the weather of a city.",
        "inputSchema": {
            "json": {
                "type": "object",
                "properties": {"city": {"type": "string"}, "days": {"type": "integer", "default": 3}},
                "required": ["city"],
                "additionalProperties": False,
            }
        },
    }


def test_a_declared_function_is_called_as_written() -> None:
    @tool(timeout=5, approval=True, idempotent=True)
    def double(number: int) -> int:
        return number * 2

    assert double(4) == 8
    declared = registry.get("double")
    assert declared
    assert (declared.timeout, declared.approval, declared.idempotent) == (5, True, True)
    assert declared.function is double


def test_without_options_the_setting_limits_the_time_and_nothing_is_allowed(
    settings: Settings,
) -> None:
    @tool
    def plain() -> None: ...

    settings.TOOL_TIMEOUT = 7
    declared = registry.get("plain")
    assert declared
    assert (declared.seconds, declared.approval, declared.idempotent) == (7, False, False)


def test_a_function_without_a_docstring_has_no_description() -> None:
    @tool
    def mute() -> None: ...

    assert "description" not in spec_of("mute")


def test_specs_are_sorted_by_name_and_the_same_each_time() -> None:
    @tool
    def zebra() -> None: ...

    @tool(name="ant-2")
    def unrelated() -> None: ...

    assert [spec["toolSpec"]["name"] for spec in registry.specs()] == ["ant-2", "zebra"]
    assert json.dumps(registry.specs()) == json.dumps(registry.specs())
    assert registry.specs()[0] is registry.specs()[0]


@pytest.mark.parametrize("name", ["", "a b", "a.b", "ü", "x" * 65, "a\n", "<lambda>"])
def test_a_name_that_the_service_refuses_is_refused_at_import(name: str) -> None:
    def nameless() -> None: ...

    nameless.__name__ = name
    with pytest.raises(ConfigurationError, match="a name has 1 to 64 letters"):
        tool(nameless)
    assert registry.specs() == []


@pytest.mark.parametrize("timeout", [0, -1, float("inf"), float("nan")])
def test_a_time_that_cannot_be_is_refused_at_import(timeout: float) -> None:
    with pytest.raises(ConfigurationError, match="timeout is"):

        @tool(timeout=timeout)
        def endless() -> None: ...


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"always": "user", "approval": True}, "must be 'arguments' or 'tool'"),
        ({"always": "tool"}, "needs approval=True"),
    ],
)
def test_a_permission_that_cannot_be_is_refused_at_import(options: dict[str, Any], reason: str) -> None:
    with pytest.raises(ConfigurationError, match=reason):

        @tool(**options)
        def careless() -> None: ...


@pytest.mark.parametrize("signature", ["*words", "**options", "word, /"])
def test_parameters_that_have_no_name_are_refused_at_import(signature: str) -> None:
    scope: dict[str, Any] = {}
    exec(f"def open_ended({signature}): ...", scope)  # noqa: S102
    with pytest.raises(ConfigurationError, match=r"by name, so '(words|options|word)' .* cannot be filled"):
        tool(scope["open_ended"])


def test_types_that_have_no_schema_are_refused_at_import() -> None:
    def connect(to: object, over: type(sys)) -> None: ...  # type: ignore[valid-type]

    with pytest.raises(
        ConfigurationError, match=r"Tool 'connect' in \S*test_registry: .*[Ss]chema.*module"
    ) as raised:
        tool(connect)
    assert "http" not in str(raised.value)


def test_what_shows_no_parameters_is_refused_at_import() -> None:
    with pytest.raises(ConfigurationError, match="Tool 'dict' in builtins: no signature found"):
        tool(dict)


def test_type_hints_that_name_nothing_are_refused_at_import() -> None:
    def lost(to: "Nowhere") -> None: ...  # type: ignore[name-defined] # noqa: F821

    with pytest.raises(ConfigurationError, match=r"Tool 'lost' in .*'Nowhere' is not defined"):
        tool(lost)


def test_two_functions_of_one_name_are_refused_and_both_modules_named() -> None:
    def song() -> None: ...

    def other() -> None: ...

    other.__module__ = "radio.tools"
    tool(song)
    with pytest.raises(
        ConfigurationError, match=rf"'song' is declared twice: in {__name__} and in radio.tools"
    ):
        tool(name="song")(other)
    declared = registry.get("song")
    assert declared
    assert declared.function is song


def test_a_module_may_be_imported_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = "from conversations.tools import tool\n@tool\ndef reborn() -> int: return {}\n"
    (tmp_path / "jukebox_tools.py").write_text(source.format(1))
    monkeypatch.syspath_prepend(tmp_path)
    module = importlib.import_module("jukebox_tools")
    first = registry.get("reborn")
    importlib.reload(module)
    second = registry.get("reborn")
    assert first
    assert second
    assert first is not second
    assert second.function is module.reborn


def test_an_override_leaves_no_trace() -> None:
    @tool
    def outer() -> None: ...

    def declare_inner_and_fail() -> None:
        @tool
        def inner() -> None: ...

        assert registry.get("outer") is None
        raise ToolError

    with pytest.raises(ToolError), registry.override():
        declare_inner_and_fail()
    assert [spec["toolSpec"]["name"] for spec in registry.specs()] == ["outer"]


def test_an_override_keeps_the_tools_that_it_names() -> None:
    @tool
    def first() -> None: ...

    @tool
    def second() -> None: ...

    with registry.override("first"):
        assert registry.get("first")
        assert registry.get("second") is None
    with pytest.raises(KeyError), registry.override("third"):
        pass


def test_a_label_a_permission_and_a_card_are_kept() -> None:
    @tool(label="  Song of\nthe day ", permission="radio.play_song", card="radio/song.html")
    def song() -> None: ...

    @tool
    def plain() -> None: ...

    declared, other = registry.get("song"), registry.get("plain")
    assert declared
    assert other
    assert (declared.label, declared.permission, declared.template) == (
        *("Song of the day", "radio.play_song"),
        "radio/song.html",
    )
    assert (other.label, other.permission, other.template) == ("", "", "conversations/tools/plain.html")


@pytest.mark.parametrize("permission", ["play_song", "radio.", "radio play.song"])
def test_a_permission_without_an_app_is_refused_at_import(permission: str) -> None:
    with pytest.raises(ConfigurationError, match=r"app\.codename"):
        tool(name="song", permission=permission)(lambda: None)
