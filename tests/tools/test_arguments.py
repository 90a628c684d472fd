"""The schema that a function's parameters make, and arguments that fit it or do not."""

import datetime as dt
import enum
import json
from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, Field, field_validator

from conversations.tools import Context, registry, tool
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


def schema_of(name: str) -> dict[str, Any]:
    declared = registry.get(name)
    assert declared
    schema: dict[str, Any] = declared.spec["toolSpec"]["inputSchema"]["json"]
    return schema


def validated(name: str, **arguments: Any) -> dict[str, Any]:
    declared = registry.get(name)
    assert declared
    return declared.arguments.validate(arguments)


def complaint(name: str, **arguments: Any) -> str:
    with pytest.raises(InvalidInput) as raised:
        validated(name, **arguments)
    return str(raised.value)


def test_a_function_without_parameters_takes_an_empty_object() -> None:
    @tool
    def now() -> str:
        return "now"

    assert schema_of("now") == {"type": "object", "properties": {}, "additionalProperties": False}
    assert validated("now") == {}


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


def test_a_context_is_not_in_the_schema_and_the_model_cannot_send_it() -> None:
    @tool
    def play(sign: str, context: Context, other: Context | None = None) -> None: ...

    assert list(schema_of("play")["properties"]) == ["sign"]
    assert "is not an argument of this tool" in complaint("play", sign="WZPZ", context={})
    declared = registry.get("play")
    assert declared
    assert declared.arguments.contexts == ["context", "other"]
