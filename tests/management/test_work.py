"""`manage.py work`, as an operator runs it."""

import signal
from pathlib import Path

import pytest

from bench.nursery import Command
from conversations.management.interpreter import python
from tests.servers import manage, manage_anew, migrated, site

pytestmark = pytest.mark.processes


def test_it_does_not_begin_on_a_database_that_is_not_up_to_date(tmp_path: Path) -> None:
    result = manage_anew(site(tmp_path), "work")
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr == f"The database is not up to date: run `{python()} manage.py migrate` first.\n"


def test_a_database_server_that_is_not_there_is_one_sentence(tmp_path: Path) -> None:
    result = manage(site(tmp_path, DATABASE_URL="postgres://jennifer@127.0.0.1:1/wkrp"), "work")
    assert result.returncode == 1
    assert result.stderr.startswith("The database wkrp cannot be used: ")
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize("number", ["0", "-1"])
def test_less_than_one_turn_at_once_is_refused(tmp_path: Path, number: str) -> None:
    result = manage(site(tmp_path), "work", f"--turns={number}")
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr == "--turns must be a number above 0.\n"
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_says_how_many_turns_it_runs_and_ends_on_a_signal(tmp_path: Path, number: int) -> None:
    with Command.piped(migrated(site(tmp_path)), "work", "--turns", "3") as worker:
        assert worker.stdout is not None
        assert worker.stdout.readline() == "Turntable runs up to 3 turns at once.\n"
        worker.send_signal(number)
        assert worker.wait(20) == 0
