"""What a declaration makes of a function: its spec, its schema and the refusals at import."""

import datetime as dt
import enum
import importlib
import json
import sys
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, Field, field_validator
from pytest_django import Settings

from conversations.errors import ConfigurationError
from conversations.tools import Context, ToolError, registry, tool
from conversations.tools.arguments import InvalidInput

pytestmark = pytest.mark.usefixtures("no_other_tools")


class Unit(enum.Enum):
    CELSIUS = "c"
    KELVIN = "k"


class Place(BaseModel):
    """Where on earth."""

    title: str
    height: int = 0


class Folder(BaseModel):
    name: str
    folders: list["Folder"] = []


class Cat(BaseModel):
    kind: Literal["cat"]


class Dog(BaseModel):
    kind: Literal["dog"]


def spec_of(name: str) -> dict[str, Any]:
    declared = registry.get(name)
    assert declared
    spec: dict[str, Any] = declared.spec["toolSpec"]
    return spec


def schema_of(name: str) -> dict[str, Any]:
    schema: dict[str, Any] = spec_of(name)["inputSchema"]["json"]
    return schema


def validated(name: str, **arguments: Any) -> dict[str, Any]:
    declared = registry.get(name)
    assert declared
    return declared.arguments.validate(arguments)


def complaint(name: str, **arguments: Any) -> str:
    with pytest.raises(InvalidInput) as raised:
        validated(name, **arguments)
    return str(raised.value)


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


def test_a_declared_time_goes_before_the_setting(settings: Settings) -> None:
    @tool(timeout=0.5)
    def quick() -> None: ...

    settings.TOOL_TIMEOUT = 7
    declared = registry.get("quick")
    assert declared
    assert declared.seconds == 0.5


def test_a_function_without_a_docstring_has_no_description() -> None:
    @tool
    def mute() -> None: ...

    assert "description" not in spec_of("mute")


def test_a_function_without_parameters_takes_an_empty_object() -> None:
    @tool
    def now() -> str:
        return "now"

    assert schema_of("now") == {"type": "object", "properties": {}, "additionalProperties": False}
    assert validated("now") == {}


def test_specs_are_sorted_by_name_and_the_same_each_time() -> None:
    @tool
    def zebra() -> None: ...

    @tool(name="ant-2")
    def unrelated() -> None: ...

    assert [spec["toolSpec"]["name"] for spec in registry.specs()] == ["ant-2", "zebra"]
    assert json.dumps(registry.specs()) == json.dumps(registry.specs())
    assert registry.specs()[0] is registry.specs()[0]


def test_the_schema_has_choices_limits_and_descriptions() -> None:
    @tool
    def search(
        words: Annotated[list[str], Field(description="What to look for.", min_length=1)],
        order: Literal["new", "old"] = "new",
        unit: Unit = Unit.CELSIUS,
        until: dt.date | None = None,
    ) -> None: ...

    assert schema_of("search") == {
        "type": "object",
        "properties": {
            "words": {
                "type": "array",
                "items": {"type": "string"},
                "minItems": 1,
                "description": "What to look for.",
            },
            "order": {"type": "string", "enum": ["new", "old"], "default": "new"},
            "unit": {"type": "string", "enum": ["c", "k"], "default": "c"},
            "until": {"anyOf": [{"type": "string", "format": "date"}, {"type": "null"}], "default": None},
        },
        "required": ["words"],
        "additionalProperties": False,
    }


def test_nested_models_are_written_out_and_a_property_named_title_stays() -> None:
    @tool
    def visit(places: list[Place], home: Annotated[Place, Field(description="Where to end.")]) -> None: ...

    place = {
        "type": "object",
        "properties": {"title": {"type": "string"}, "height": {"type": "integer", "default": 0}},
        "required": ["title"],
    }
    assert schema_of("visit")["properties"] == {
        "places": {"type": "array", "items": place | {"description": "Where on earth."}},
        "home": place | {"description": "Where to end."},
    }
    assert "$defs" not in schema_of("visit")


def test_a_model_that_contains_itself_keeps_its_definition() -> None:
    @tool
    def tree(root: Folder) -> None: ...

    schema = schema_of("tree")
    assert list(schema["$defs"]) == ["Folder"]
    assert schema["$defs"]["Folder"]["properties"]["folders"]["items"] == {"$ref": "#/$defs/Folder"}
    assert schema["properties"]["root"]["properties"]["name"] == {"type": "string"}
    nested = {"name": "a", "folders": [{"name": "b"}]}
    assert validated("tree", root=nested)["root"].folders[0].name == "b"


def test_a_choice_of_models_has_no_dangling_references() -> None:
    @tool
    def adopt(pet: Annotated[Cat | Dog, Field(discriminator="kind")]) -> None: ...

    assert "$" not in json.dumps(schema_of("adopt"))
    assert "discriminator" not in json.dumps(schema_of("adopt"))
    assert isinstance(validated("adopt", pet={"kind": "dog"})["pet"], Dog)


def test_a_default_that_looks_like_a_schema_is_left_alone() -> None:
    @tool
    def store(entry: dict[str, str] = {"title": "none"}) -> None: ...  # noqa: B006

    assert schema_of("store")["properties"]["entry"]["default"] == {"title": "none"}


@pytest.mark.parametrize(
    "parameter", ["json", "schema", "copy", "model_config", "model_id", "_x", "self", "title"]
)
def test_a_parameter_may_have_any_name(parameter: str) -> None:
    scope: dict[str, Any] = {}
    exec(f"def named({parameter}: int): return {parameter}", scope)  # noqa: S102
    tool(scope["named"])
    assert schema_of("named")["required"] == [parameter]
    assert validated("named", **{parameter: "5"}) == {parameter: 5}
    assert f"- {parameter} is required" in complaint("named")


def test_a_parameter_without_a_type_takes_anything() -> None:
    def loose(value, other=None): ...  # type: ignore[no-untyped-def]

    tool(loose)
    assert schema_of("loose")["properties"] == {"value": {}, "other": {"default": None}}
    assert validated("loose", value=[1]) == {"value": [1], "other": None}


def test_type_hints_may_be_written_as_text() -> None:
    def textual(place: "list[Place]") -> "Place": ...  # type: ignore[empty-body]

    tool(textual)
    assert validated("textual", place=[{"title": "Rome"}])["place"][0].title == "Rome"


def test_arguments_are_converted_to_their_types() -> None:
    @tool
    def convert(
        number: int,
        day: dt.date,
        unit: Unit,
        pair: tuple[int, str],
        strict: Annotated[Unit, Field(strict=True)],
    ) -> None: ...

    assert validated("convert", number="5", day="2024-02-29", unit="k", pair=[1, "a"], strict="c") == {
        "number": 5,
        "day": dt.date(2024, 2, 29),
        "unit": Unit.KELVIN,
        "pair": (1, "a"),
        "strict": Unit.CELSIUS,
    }


def test_defaults_are_filled_in_and_not_shared_between_calls() -> None:
    @tool
    def collect(into: list[int] = [], size: int = Field(default=4, description="How many.")) -> None: ...  # noqa: B006

    first = validated("collect")
    first["into"].append(1)
    assert validated("collect") == {"into": [], "size": 4}


def test_what_is_wrong_with_the_input_is_told_argument_by_argument() -> None:
    @tool
    def visit(place: Place, days: int, unit: Unit) -> None: ...

    assert complaint("visit", place={"title": 5}, days="many", town="Rome") == (
        "The input does not fit the tool, which was not run:\n"
        "- place.title Input should be a valid string (sent: 5)\n"
        '- days Input should be a valid integer, unable to parse string as an integer (sent: "many")\n'
        "- unit is required\n"
        "- town is not an argument of this tool"
    )


def test_a_complaint_is_short_and_clean_whatever_was_sent() -> None:
    @tool
    def count(numbers: list[int]) -> None: ...

    text = complaint("count", numbers=["x\ud800\0" * 5000] * 50, **{"k" * 5000: 1})
    assert len(text) < 4000
    assert "- and 41 more" in text
    assert "pydantic" not in text
    assert text.encode()
    assert "\0" not in text


def test_a_rule_of_the_models_own_is_told_in_its_words() -> None:
    class Even(BaseModel):
        number: int

        @field_validator("number")
        @classmethod
        def check(cls, number: int) -> int:
            if number % 2:
                raise ValueError("only even numbers")
            return number

    def halve(even: Even) -> None: ...

    halve.__annotations__["even"] = Even
    tool(halve)
    assert "- even.number Value error, only even numbers (sent: 3)" in complaint("halve", even={"number": 3})


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


def test_a_context_is_not_in_the_schema_and_the_model_cannot_send_it() -> None:
    @tool
    def play(sign: str, context: Context, other: Context | None = None) -> None: ...

    assert list(schema_of("play")["properties"]) == ["sign"]
    assert "is not an argument of this tool" in complaint("play", sign="WZPZ", context={})
    declared = registry.get("play")
    assert declared
    assert declared.arguments.contexts == ["context", "other"]


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
