"""Servers for the tests: real ones, and a word where there are none."""

import subprocess
import sys
from pathlib import Path

import psycopg
import pytest
import redis

from bench import services

ROOT = Path(__file__).resolve().parent.parent.parent


def test_the_servers_are_real_ones(servers: dict[str, str]) -> None:
    with psycopg.connect(servers["DATABASE_URL"]) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
    with redis.Redis.from_url(servers["REDIS_URL"]) as client:
        assert client.ping()


def test_a_command_runs_beside_them_and_its_exit_code_is_told(servers: dict[str, str]) -> None:
    code = "import os, sys; sys.exit(3 if os.environ['DATABASE_URL'] and os.environ['REDIS_URL'] else 4)"
    command = [sys.executable, "-m", "bench.services", sys.executable, "-c", code]
    assert subprocess.run(command, cwd=ROOT, timeout=60, check=False).returncode == 3


def test_what_the_environment_names_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgres://jennifer@127.0.0.1/wkrp")
    monkeypatch.setenv("REDIS_URL", "redis://127.0.0.1:1/0")
    with services.postgres() as database, services.valkey() as layer:
        assert (database, layer) == ("postgres://jennifer@127.0.0.1/wkrp", "redis://127.0.0.1:1/0")


def test_where_there_is_no_server_the_command_is_left_out(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.setattr(services, "_first", lambda candidates, program, what: missing(what))
    services.main()
    assert capsys.readouterr().out == "Left out: there is no PostgreSQL here.\n"


def missing(what: str) -> None:
    raise services.Missing(f"there is no {what} here")
