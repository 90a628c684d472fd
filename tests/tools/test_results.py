"""What a tool returns, as a model is sent it: JSON, text, pictures, and what is cut away."""

import base64
import dataclasses
import datetime as dt
import decimal
import json
import math
import tracemalloc
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from pydantic import BaseModel
from pytest_django import Settings

from conversations.tools import Outcome, ToolError
from conversations.tools.results import Image, Unsendable, content
from tests.tools.calls import outcome_of, text_of

pytestmark = pytest.mark.usefixtures("no_other_tools")
UNSENDABLE = [{"text": "The tool returned something that cannot be sent."}]


def returning(result: Any) -> Outcome:
    return outcome_of(lambda: result)


leaves = st.none() | st.booleans() | st.integers() | st.floats() | st.binary()
text = st.text(st.characters(exclude_categories=()))
results = st.recursive(
    leaves | text | st.frozensets(st.integers() | text),
    lambda inner: st.lists(inner) | st.dictionaries(text, inner),
    max_leaves=15,
)


class Song(BaseModel):
    name: str
    released: dt.date


@dataclasses.dataclass
class Station:
    sign: str
    songs: list[Song]


def test_a_dict_goes_as_json_and_a_str_as_text() -> None:
    assert returning({"a": [1, None]}).content == [{"json": {"a": [1, None]}}]
    assert returning("plain").content == [{"text": "plain"}]
    assert returning({}).content == [{"json": {}}]
    assert (returning({}).status, returning({}).error) == ("success", "")


@pytest.mark.parametrize("nothing", [None, "", " \n\t"])
def test_nothing_is_told_as_no_output(nothing: str | None) -> None:
    assert returning(nothing).content == [{"text": "(no output)"}]
    assert returning(nothing).status == "success"


DAY = dt.date(2024, 2, 29)


@pytest.mark.parametrize(
    ("result", "text"),
    [
        ([1, "é"], '[1, "é"]'),
        (0, "0"),
        (False, "false"),
        (math.nan, "null"),
        ([], "[]"),
        (b"\xff", '"/w=="'),
        (DAY, '"2024-02-29"'),
        (decimal.Decimal("1.10"), '"1.10"'),
        ({7}, "[7]"),
        (Song(name="A", released=DAY), '{"name": "A", "released": "2024-02-29"}'),
        ((n for n in (1, 2)), "[1, 2]"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_anything_else_goes_as_its_json_in_text(result: Any, text: str) -> None:
    assert returning(result).content == [{"text": text}]


def test_objects_within_a_dict_are_written_as_json() -> None:
    value = {"station": Station("WZPZ", [Song(name="A", released=DAY)]), DAY: {decimal.Decimal(1)}}
    assert returning(value).content == [
        {
            "json": {
                "station": {"sign": "WZPZ", "songs": [{"name": "A", "released": "2024-02-29"}]},
                "2024-02-29": ["1"],
            }
        }
    ]


def test_what_no_json_can_hold_is_cleaned_away() -> None:
    deep: Any = "bottom"
    for _ in range(5000):
        deep = [deep]
    (block,) = returning({"\0": [math.inf, b"a", "\ud800", 10**400], "deep": deep}).content
    assert block["json"]["\ufffd"] == [None, "YQ==", "\ufffd", None]
    assert json.dumps(block, allow_nan=False).count("[") < 300
    assert returning("a\0\ud83d\ude00").content == [{"text": "a\ufffd😀"}]
    assert returning(Song(name="\ud800", released=DAY)).content[0]["text"].startswith('{"name": "\ufffd"')


def circle() -> dict[str, Any]:
    circle: dict[str, Any] = {}
    circle["again"] = [circle, circle]
    return circle


@pytest.mark.parametrize(
    "result",
    [object(), [object()], {"a": object()}, circle(), b"".join],
    ids=["object", "list", "dict", "circle", "function"],
)
def test_what_has_no_form_in_json_is_an_error(result: Any, caplog: pytest.LogCaptureFixture) -> None:
    outcome = returning(result)
    assert (outcome.status, outcome.error, outcome.content) == ("error", "exception", UNSENDABLE)
    assert "Tool it () failed" in caplog.text


@pytest.mark.parametrize("letter", ["x", "é", "😀"])
def test_text_over_the_limit_is_cut_and_says_so(letter: str, settings: Settings) -> None:
    settings.TOOL_RESULT_LIMIT = 1000
    width = len(letter.encode())
    fits = letter * (1000 // width)
    assert text_of(returning(fits)) == fits
    total = len((fits * 2).encode())
    assert text_of(returning(fits * 2)) == f"{fits}\n[cut: {len(fits.encode()):,} of {total:,} bytes]"


def test_json_and_failures_over_the_limit_are_cut_as_well(settings: Settings) -> None:
    settings.TOOL_RESULT_LIMIT = 20
    assert returning({"a": "x" * 10}).content == [{"json": {"a": "x" * 10}}]
    outcome = returning({"a": "x" * 1200})
    assert text_of(outcome) == '{"a": "' + "x" * 13 + "\n[cut: 20 of 1,209 bytes]"
    assert outcome.status == "success"
    assert text_of(returning(list(range(10)))) == "[0, 1, 2, 3, 4, 5, 6\n[cut: 20 of 30 bytes]"

    def fail() -> None:
        raise ToolError("much too long for them")

    assert text_of(outcome_of(fail)) == "much too long for th\n[cut: 20 of 22 bytes]"


@pytest.mark.parametrize(
    "shape", [str, lambda text: {"a": text}, lambda text: [text]], ids=["str", "dict", "list"]
)
def test_a_huge_result_takes_a_small_multiple_of_its_memory(shape: Callable[[str], Any]) -> None:
    size = 20_000_000
    result = shape("é" * (size // 2))
    tracemalloc.start()
    try:
        outcome = returning(result)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(text_of(outcome)) < 66_000
    assert peak < 4 * size


@hypothesis_settings(deadline=None)
@given(results)
def test_every_result_is_told_in_one_sendable_block(result: Any) -> None:
    outcome = returning(result)
    assert outcome.status == "success"
    (block,) = outcome.content
    assert json.dumps(block, allow_nan=False, ensure_ascii=False).encode()
    assert block.get("json") is not None or block["text"].strip()


# -- pictures

PNG = b"\x89PNG" + bytes(20)


def test_a_picture_is_an_image_block() -> None:
    (block,) = content(Image(PNG))
    assert base64.b64decode(block["image"]["source"]["bytes"]) == PNG
    assert block["image"]["format"] == "png"


def test_a_list_with_a_picture_is_a_block_for_each_of_its_members() -> None:
    blocks = content(["Two of them:", Image(PNG), Image(b"x", "jpeg"), {"more": 1}])
    assert [next(iter(block)) for block in blocks] == ["text", "image", "image", "json"]


@pytest.mark.parametrize("data", [b"", bytes(3_750_001)], ids=["empty", "large"])
def test_a_picture_that_no_model_takes_is_not_sent(data: bytes) -> None:
    with pytest.raises(Unsendable):
        content(Image(data))
