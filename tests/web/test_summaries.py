"""A call's arguments in one line, by the cases that the script has to meet too."""

import json
from pathlib import Path

import pytest

from conversations.web.summaries import summary

CASES = json.loads((Path(__file__).parents[1] / "scripts/summaries.json").read_text())


@pytest.mark.parametrize(("text", "line"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_arguments_in_a_line(text: str, line: str) -> None:
    assert summary(text) == line
