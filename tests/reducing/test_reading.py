"""What a tab comes to, whatever its line does to it."""

from hypothesis import settings
from hypothesis.stateful import run_state_machine_as_test

from tests.reducing.machine import Reading


def test_a_tab_comes_to_what_a_new_page_shows_whatever_its_line_does() -> None:
    run_state_machine_as_test(Reading, settings=settings(max_examples=150, stateful_step_count=40))
