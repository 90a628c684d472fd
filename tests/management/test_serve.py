import os
import re
import shlex
import shutil
import signal
import socket
import sqlite3
import sys
from pathlib import Path

import pytest

from conversations.management.interpreter import python
from tests.servers import Browser, manage, manage_anew, on_each_server, serving, serving_anew, site, slow_turn

pytestmark = pytest.mark.processes


def test_the_first_run_prints_a_link_that_signs_in_once_and_leads_into_a_conversation(tmp_path: Path) -> None:
    with serving_anew(site(tmp_path)) as server:
        assert server.path.startswith("/accounts/link/?")
        page = Browser().open(server.url + server.path)
        assert page.status == 200
        assert re.fullmatch(rf"{server.url}/conversations/[0-9a-f-]{{36}}/", page.url)
        refused = Browser().open(server.url + server.path)
        assert refused.status == 403
        assert "This link has been used" in refused.text


def test_the_link_comes_again_until_the_owner_has_signed_in(tmp_path: Path) -> None:
    with serving(site(tmp_path)) as server:
        command = server.next_line().partition("To set a password: ")[2]
        assert command.endswith(" manage.py changepassword owner\n")
        assert shutil.which(shlex.split(command)[0]) in (sys.executable, os.path.relpath(sys.executable))
    with serving(site(tmp_path)) as server:
        assert Browser().open(server.url + server.path).status == 200
    with serving(site(tmp_path)) as server:
        assert server.path == "/"


def test_a_look_ahead_does_not_use_the_link_up(tmp_path: Path) -> None:
    with serving(site(tmp_path)) as server:
        link = server.url + server.path
        assert Browser().open(link, method="HEAD").status == 405
        assert Browser().open(link).status == 200


@on_each_server
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_an_idle_server_in_seconds(tmp_path: Path, number: int, kind: str) -> None:
    with serving(site(tmp_path), kind=kind) as server:
        assert server.stop(number, patience=15) == 0


@on_each_server
def test_a_second_signal_ends_the_server_at_once(tmp_path: Path, kind: str) -> None:
    with slow_turn(tmp_path, kind) as turn:
        turn.server.process.terminate()
        assert turn.server.stop(signal.SIGINT, patience=6) == 0


def test_a_second_server_on_the_same_site_changes_nothing(tmp_path: Path) -> None:
    with serving(site(tmp_path)), serving(site(tmp_path)):
        users = sqlite3.connect(tmp_path / "db.sqlite3").execute("SELECT username FROM auth_user").fetchall()
    assert users == [("owner",)]


@on_each_server
def test_it_serves_on_another_address(tmp_path: Path, kind: str) -> None:
    with serving(site(tmp_path, ALLOWED_HOSTS="[::1]"), "--host", "::1", kind=kind) as server:
        assert server.url.startswith("http://[::1]:")
        assert Browser().open(server.url + "/healthz").text == '{"status": "ok"}'


def test_a_port_in_use_is_one_sentence(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as holder:
        port = holder.getsockname()[1]
        process = manage(site(tmp_path), "serve", "--port", str(port))
    assert process.returncode == 1
    assert process.stderr == (
        f"Cannot serve at 127.0.0.1 port {port}: something else is using it; choose another with --port.\n"
    )
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--host", "192.0.2.1"], "this machine has no such address"),
        (["--port", "70000"], "Cannot serve at 127.0.0.1 port 70000: port must be 0-65535.\n"),
    ],
)
def test_an_address_that_cannot_be_is_one_sentence(
    tmp_path: Path, arguments: list[str], sentence: str
) -> None:
    process = manage(site(tmp_path), "serve", *arguments)
    assert process.returncode == 1
    assert sentence in process.stderr
    assert process.stderr.count("\n") == 1


def test_a_database_that_cannot_be_opened_is_one_sentence(tmp_path: Path) -> None:
    process = manage(site(tmp_path, DATABASE_URL="sqlite:////nowhere/at/all.sqlite3"), "serve", "--port", "0")
    assert process.returncode == 1
    assert (
        process.stderr
        == "The database /nowhere/at/all.sqlite3 cannot be used: unable to open database file.\n"
    )


def test_a_file_that_is_no_database_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "db.sqlite3").write_text("these are the words of a letter, not of a database")
    process = manage(site(tmp_path), "serve", "--port", "0")
    assert process.returncode == 1
    assert process.stderr == f"The database {tmp_path}/db.sqlite3 cannot be used: file is not a database.\n"


def test_a_database_server_that_is_not_there_is_one_sentence_without_the_password(tmp_path: Path) -> None:
    environment = site(tmp_path, DATABASE_URL="postgres://jennifer:carlson@127.0.0.1:1/wkrp")
    process = manage(environment, "serve", "--port", "0")
    assert process.returncode == 1
    assert process.stderr.startswith("The database wkrp cannot be used: ")
    assert process.stderr.count("\n") == 1
    assert "carlson" not in process.stderr


def test_a_command_on_a_database_without_tables_says_what_to_do(tmp_path: Path) -> None:
    process = manage(site(tmp_path), "changepassword", "owner")
    assert process.returncode == 1
    assert process.stderr == f"The database is not up to date: run `{python()} manage.py migrate` first.\n"


def test_a_traceback_is_there_for_the_asking(tmp_path: Path) -> None:
    environment = site(tmp_path, DATABASE_URL="sqlite:////nowhere/at/all.sqlite3")
    assert "Traceback" in manage(environment, "migrate", "--traceback").stderr


def test_settings_that_cannot_work_are_one_sentence(tmp_path: Path) -> None:
    process = manage(site(tmp_path, GATEWAY_TIMEOUT="soon"), "serve")
    assert process.returncode == 1
    assert process.stderr == "GATEWAY_TIMEOUT must be a number above 0.\n"


def test_a_server_that_is_not_installed_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "uvicorn.py").write_text("raise ImportError")
    process = manage_anew(site(tmp_path, PYTHONPATH=str(tmp_path)), "serve", "--server", "uvicorn")
    assert process.returncode == 1
    assert process.stderr == (
        f"uvicorn is not installed: `{python()} -m pip install -r requirements-uvicorn.txt` installs it.\n"
    )
    assert not (tmp_path / "db.sqlite3").exists()


def test_a_site_can_extend_the_settings(tmp_path: Path) -> None:
    (tmp_path / "site_settings.py").write_text("from project.settings import *\nTIME_ZONE = 'Etc/GMT+5'\n")
    environment = site(tmp_path, DJANGO_SETTINGS_MODULE="site_settings", PYTHONPATH=str(tmp_path))
    code = "from django.conf import settings; print(settings.TIME_ZONE, settings.MAX_ROUNDS)"
    assert manage_anew(environment, "shell", "--no-imports", "-c", code).stdout == "Etc/GMT+5 25\n"
