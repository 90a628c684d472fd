"""The counts of processes whose turns wait, and of those that share the work."""

import os
import sys

import pytest

from bench import silent
from bench.machine import threads
from bench.silent import Outcome, State

linux = pytest.mark.skipif(sys.platform != "linux", reason="it reads Linux's counters")


def test_silent_turns_are_measured_against_the_process_with_its_sockets() -> None:
    states = [State(0, 7, 100.0, 1), State(0, 8, 110.0, 2), State(5, 60, 141.0, 13), State(4, 12, 125.0, 3)]
    figures = silent.figures_of(Outcome(*states, 1.5, 0, 0, 0), 5, has_connections=True)
    values = {figure.name: figure.value for figure in figures}
    assert values["memory for the sockets"] == 10.0
    assert values["memory for the turns"] == 15.0
    assert values["turns that did not get to the gateway"] == 1
    beyond = [figure.name for figure in figures if not figure.is_well]
    assert beyond == [
        "turns that did not get to the gateway",
        "threads, at most",
        "database connections, at most",
    ]
    assert not any(
        "connections" in one.name
        for one in silent.figures_of(Outcome(*states, 1.5, 0, 0, 0), 5, has_connections=False)
    )


def test_a_peak_is_the_largest_of_each() -> None:
    assert State(1, 9, 3.0, 4).peak(State(2, 8, 5.0, 1)) == State(2, 9, 5.0, 4)


@linux
def test_threads_of_a_process_are_counted() -> None:
    assert threads(os.getpid()) >= 1
