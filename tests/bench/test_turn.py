"""A turn's times and statements, as the measurement counts them."""

from pathlib import Path

import pytest
from django.db import connections

from bench import turn
from bench.load import ShortTurn
from bench.machine import Usage
from bench.statements import log
from bench.statements.apps import Log
from bench.statements.log import Statement

TURNS = [
    ShortTurn(asked_at=1_000, sent_at=2_000, arrived_at=2_500),
    ShortTurn(asked_at=5_000, sent_at=6_500, arrived_at=7_000),
]


def statements() -> list[Statement]:
    return [
        Statement(900, "journal", False, "SELECT before all turns"),
        Statement(1_100, "reader_0", False, "SELECT 1"),
        Statement(1_200, "reader_0", True, "BEGIN IMMEDIATE"),
        Statement(1_300, "reader_0", True, "INSERT 1"),
        Statement(1_400, "reader_0", True, "COMMIT"),
        Statement(2_100, "journal", False, "UPDATE 1"),
        Statement(5_100, "reader_1", False, "SELECT 2"),
        Statement(6_400, "turn-0a1b2c3d-0a1b-0a1b-0a1b-0a1b2c3d4e5f", True, "SAVEPOINT s"),
    ]


def test_statements_are_counted_by_turn_thread_and_moment() -> None:
    counts = log.counts(statements(), TURNS)
    assert (counts.statements, counts.before, counts.transactions) == (2.0, 1.5, 1.0)
    assert counts.threads == {"reader_*": 1.5, "journal": 0.5}


def test_a_listing_has_each_statement_of_a_turn_with_its_time_from_the_gateways_being_asked() -> None:
    lines = list(log.listing(statements(), TURNS, length=6))
    assert [line.split()[0] for line in lines] == ["-0.90", "-0.80", "-0.70", "-0.60", "+0.10"]
    assert lines[-1].endswith("UPDATE")


@pytest.mark.django_db(transaction=True)
def test_a_site_writes_down_each_statement_and_each_commit_of_its_connections(tmp_path: Path) -> None:
    path, connection = tmp_path / "statements", connections["default"].copy()
    statement_log = Log(str(path))
    for _ in range(2):
        statement_log.watch(connection)
    with connection.cursor() as cursor:
        cursor.execute("SELECT\n  1")
    connection.set_autocommit(False)
    connection.commit()
    connection.close()
    lines = log.read(path)
    assert [one.sql for one in lines if one.sql != "BEGIN IMMEDIATE"] == ["SELECT 1", "COMMIT"]
    assert not lines[0].is_atomic


def test_a_turns_figures_have_their_goals() -> None:
    usage = Usage(opened=0, closed=1_000_000, cpu=0.3, others=0.1, load=0.2, rss=50.0)
    figures = turn.times("daphne", turn.TimedTurns(TURNS, usage))
    assert [(figure.value, figure.is_well) for figure in figures] == [
        (2.0, True),
        (2.0, True),
        (150.0, False),
        (10.0, True),
    ]
    counted = turn.count_figures("daphne", log.counts(statements(), TURNS))
    assert all(figure.is_well for figure in counted)
