"""A title is what a person would take from the beginning of a message."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversations.protocol.titles import LENGTH, title_of

LONG = "Please explain how the turkeys that were dropped from the helicopter could have flown"


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("hello", "hello"),
        ("  two\n\nlines ", "two lines"),
        (LONG, "Please explain how the turkeys that were dropped from the…"),
        ("Where is the station? " + LONG, "Where is the station?"),
        ("Hi. " + LONG, "Hi. Please explain how the turkeys that were dropped from…"),
        ("Turkeys, " * 10, "Turkeys, Turkeys, Turkeys, Turkeys, Turkeys, Turkeys…"),
        ("火" * 80, "火" * 59 + "…"),
        ("x" * 80, "x" * 59 + "…"),
        ("x" * 60, "x" * 60),
        (
            "\U0001f468\u200d\U0001f469\u200d\U0001f467" * 20,
            "\U0001f468\u200d\U0001f469\u200d\U0001f467" * 11 + "…",
        ),
    ],
)
def test_it_ends_with_a_word_where_there_are_words(text: str, title: str) -> None:
    assert title_of(text) == title


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("# Heading\n\ntext", "Heading text"),
        ("- one\n- [x] two\n1. three\n> four", "one two three four"),
        ("**bold _and_ more** ~~gone~~ `code` __init__", "bold and more gone code init"),
        ("***both*** *emphasis* _too_", "both emphasis too"),
        ("[the docs](https://x.example/a) and ![a bird](bird.png)", "the docs and a bird"),
        ("---\nafter a rule", "after a rule"),
        ("2 * 3 * 4 = 24, 5*6*7, snake_case_name", "2 * 3 * 4 = 24, 5*6*7, snake_case_name"),
        ("C# and a #tag, -1 - 2", "C# and a #tag, -1 - 2"),
        ("* ", "*"),
    ],
)
def test_it_has_no_marks_of_markdown(text: str, title: str) -> None:
    assert title_of(text) == title


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("```python\nprint(1)\n```\nWhat does this print?", "What does this print?"),
        ("Mend this:\n~~~\nx = 1\n~~~", "Mend this:"),
        ("```\nprint(1)\nprint(2)\n```", "print(1) print(2)"),
        ("```\nprint(1)", "print(1)"),
        ("```", "```"),
    ],
)
def test_it_is_code_only_where_there_is_nothing_else(text: str, title: str) -> None:
    assert title_of(text) == title


@given(st.text(min_size=1), st.sampled_from(["", "*a _b ", "`", "> ", "[x](", "```\n"]))
def test_whatever_somebody_writes_has_a_title_unless_it_is_blank(text: str, mark: str) -> None:
    title = title_of(mark * 500 + text)
    assert len(title) <= LENGTH
    assert bool(title) == bool((mark + text).strip())
    assert title == " ".join(title.split())
