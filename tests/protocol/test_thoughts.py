"""Thoughts in a model's text and its answer are divided; the pages' script has the same cases."""

import json
from pathlib import Path

import pytest

from conversations.protocol.thoughts import answer_in, parts_of, thoughts_in

CASES = json.loads((Path(__file__).resolve().parents[1] / "scripts/thoughts.json").read_text())


@pytest.mark.parametrize(
    ("text", "is_open", "answer"), [case[1:] for case in CASES], ids=[case[0] for case in CASES]
)
def test_a_text_has_these_parts(text: str, is_open: bool, answer: list[str]) -> None:
    parts = [part for part in parts_of(text, is_open=is_open) if part.has_content]
    assert [
        f"{'thought' if part.is_thought else 'answer'}{' open' * part.is_open}: {part.text}" for part in parts
    ] == answer


def test_an_answer_is_read_without_its_thoughts_and_they_without_it() -> None:
    text = "One.\n\n<think>Hm.</think>\n\nTwo.\n"
    assert (answer_in(text), thoughts_in(text)) == ("One.\n\nTwo.\n", ["Hm."])
    assert answer_in("About <think>.") == "About <think>."
