"""Arguments that the demo gateway draws from a question."""

import datetime as dt
import enum
import uuid
from typing import Annotated, Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field, create_model

from conversations.demo_gateway.arguments import Cues, calls, draw


def schema(*required: str, **properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(required)}


TEXT = {"type": "string"}
SIGN = {"type": "string", "description": "The call sign of the radio station, such as WZPZ or WKRP."}


@pytest.mark.parametrize(
    ("properties", "question", "value"),
    [
        ({"sign": SIGN}, "What is the most popular song on KEXP?", "KEXP"),
        ({"sign": SIGN}, "WHAT is the top song on WKRP-FM", "WKRP-FM"),
        ({"sign": SIGN}, "what is the most popular song on wzpz?", "WZPZ"),
        ({"sign": SIGN}, "What is popular?", "WZPZ"),
        ({"city": TEXT}, "Paris?", "Paris"),
        ({"city": TEXT}, "What is the weather in San Francisco today?", "San Francisco"),
        ({"title": TEXT}, 'Who wrote "Elemental Hotel" in Paris?', "Elemental Hotel"),
        ({"to": {"type": "string", "format": "email"}}, "Write to ann@example.org, Bob.", "ann@example.org"),
        ({"email_address": TEXT}, "Write to ann@example.org.", "ann@example.org"),
        ({"day": {"type": "string", "format": "date"}}, "What was on 2024-02-29?", "2024-02-29"),
        ({"url": TEXT}, "Read https://example.com/a?b=1 please", "https://example.com/a?b=1"),
        ({"query": TEXT}, "how warm is it", "how warm is it"),
        ({"latitude": {**TEXT, "description": "Such as 52.5"}}, "How warm is Berlin (48.85)?", "48.85"),
        ({"count": {"type": "integer"}}, "Give me 3 of 12", 3),
        ({"count": {"type": "integer", "minimum": 10}}, "Give me 3 songs", 10),
        ({"share": {"type": "number"}}, "Take -2.5 of it", -2.5),
        ({"amount": {"type": "integer"}}, "Pay 1,250 now", 1250),
        ({"unit": {"enum": ["celsius", "fahrenheit"]}}, "How warm in Fahrenheit?", "fahrenheit"),
        ({"unit": {"enum": ["celsius", "fahrenheit"]}}, "How warm?", "celsius"),
        ({"loud": {"type": "boolean", "default": False}}, "Play it", False),
        ({"loud": {"type": "boolean"}}, "Play it", True),
        ({"kind": {"const": "song"}}, "Play it", "song"),
        ({"names": {"type": "array", "items": TEXT}}, 'Compare "one" and "two"', ["one", "two"]),
        ({"numbers": {"type": "array", "items": {"type": "number"}}}, "Add 1, 2 and 3.5", [1, 2, 3.5]),
        ({"who": {"anyOf": [{"type": "null"}, TEXT]}}, "Find Ann", "Ann"),
        ({"who": {"type": ["null", "string"]}}, "Find Ann", "Ann"),
        ({"pair": {"prefixItems": [{"type": "integer"}, TEXT]}}, "Send 4 to Ann", "Ann"),
    ],
)
def test_an_argument_is_taken_from_the_question(
    properties: dict[str, Any], question: str, value: Any
) -> None:
    argument = draw(schema(*properties, **properties), question)[next(iter(properties))]
    assert argument == value or (isinstance(argument, list) and value in argument)


def test_numbers_are_taken_in_the_order_of_the_question() -> None:
    number = {"type": "number"}
    assert draw(schema("x", "y", x=number, y=number), "Calculate 2 - 5.") == {"x": 2, "y": 5}


def test_what_is_optional_is_left_out_unless_the_question_names_it() -> None:
    hotel_schema = schema("city", city=TEXT, limit={"type": "integer"})
    assert draw(hotel_schema, "Hotels in Paris") == {"city": "Paris"}
    assert draw(hotel_schema, "Hotels in Paris, limit 7") == {"city": "Paris", "limit": 7}


def test_nested_objects_and_references_are_filled() -> None:
    root = schema("place", place={"$ref": "#/$defs/Place"})
    root["$defs"] = {"Place": schema("city", "size", city=TEXT, size={"type": "integer"})}
    assert draw(root, "A shop in Rome of 40 records") == {"place": {"city": "Rome", "size": 40}}


def test_a_schema_that_refers_to_itself_comes_to_an_end() -> None:
    node = schema("name", "next", name=TEXT, next={"anyOf": [{"$ref": "#/$defs/Node"}, {"type": "null"}]})
    value = draw({**node, "$defs": {"Node": node}}, "Ann")
    assert value["name"] == "Ann"
    while value["next"] is not None:
        value = value["next"]


def test_several_candidates_for_a_lone_text_are_several_calls() -> None:
    assert calls(schema("sign", sign=SIGN), "Compare WZPZ and WKRP.") == [{"sign": "WZPZ"}, {"sign": "WKRP"}]
    assert calls(schema("city", city=TEXT), "Is Seattle or San Francisco warmer?") == [
        {"city": "Seattle"},
        {"city": "San Francisco"},
    ]


def test_one_candidate_named_twice_is_one_call() -> None:
    assert calls(schema("sign", sign=SIGN), "WZPZ, I said: WZPZ!") == [{"sign": "WZPZ"}]


def test_two_required_arguments_are_one_call() -> None:
    assert calls(schema("a", "b", a=TEXT, b=TEXT), "From Rome to Paris") == [{"a": "Rome", "b": "Paris"}]


def test_several_calls_can_be_had_from_the_examples_of_a_description() -> None:
    assert calls(schema("sign", sign=SIGN), "go on", several=True) == [{"sign": "WZPZ"}, {"sign": "WKRP"}]


def test_a_tool_without_arguments_is_called_with_none() -> None:
    assert calls({"type": "object", "properties": {}}, "Paris, 12") == [{}]
    assert calls({"type": "object"}, "Paris, 12") == [{}]


def test_addresses_and_dates_are_no_names_and_no_numbers() -> None:
    candidates = Cues("Ask Ann@Example.org about 2024-02-29 at https://Example.com/7").candidates
    assert (candidates["name"], candidates["number"]) == ([], [])


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Leaf(BaseModel):
    text: str
    count: Annotated[int, Field(ge=3, lt=9)]


SCALARS: list[Any] = [
    str,
    int,
    float,
    bool,
    Colour,
    Literal["a", "b", 3],
    Leaf,
    dt.date,
    dt.datetime,
    uuid.UUID,
    Annotated[str, Field(min_length=12)],
    Annotated[str, Field(max_length=2)],
    Annotated[int, Field(multiple_of=7, gt=10)],
    Annotated[float, Field(gt=0, lt=1)],
    Annotated[int, Field(ge=-5, le=-2)],
    dict[str, int],
    tuple[int, str],
]
TYPES = st.recursive(
    st.sampled_from(SCALARS),
    lambda inner: st.one_of(
        inner.map(lambda kind: kind | None),
        inner.map(lambda kind: list[kind]),  # type: ignore[valid-type]
        inner.map(lambda kind: Annotated[list[kind], Field(min_length=2)]),  # type: ignore[valid-type]
    ),
    max_leaves=3,
)
QUESTIONS = st.sampled_from(
    [
        "",
        "hello",
        'Send 3 of "b c" to Ann and Bob',
        "WZPZ 2.5 -7 blue 2024-02-29",
        "text count One list 99999999999",
    ]
)


@given(st.dictionaries(st.sampled_from(["one", "text", "sign", "number_of"]), TYPES, min_size=1), QUESTIONS)
def test_what_is_drawn_is_valid_by_the_models_own_schema(fields: dict[str, Any], question: str) -> None:
    model: Any = create_model("Made", **{name: (kind, ...) for name, kind in fields.items()})
    model.model_validate(draw(model.model_json_schema(), question))
