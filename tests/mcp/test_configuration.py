"""The file that MCP_SERVERS names: what is taken, and how a mistake is told."""

import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import SystemCheckError
from pytest_django.fixtures import Settings

from conversations import mcp
from conversations.errors import ConfigurationError
from tests.servers import manage, migrated, site

GOOD = {"command": "radio"}
WRONG: list[tuple[Any, str]] = [
    (
        GOOD | {"url": "http://127.0.0.1/"},
        "server 'radio' has both command and url, of which it may have one",
    ),
    ({}, "server 'radio' has neither command nor url, of which it needs one"),
    (GOOD | {"aproval": "never"}, "server 'radio': aproval is no key that a server has"),
    (GOOD | {"headers": {"A": "b"}}, "server 'radio' has command together with headers, which is not for it"),
    (GOOD | {"type": "http"}, "server 'radio' has type http together with command"),
    ({"url": "ftp://127.0.0.1/"}, "server 'radio': url is no http or https URL"),
    ({"url": "http://127.0.0.1/", "headers": {"A": "b\r\nc: d"}}, "a name or value that http cannot send"),
    (GOOD | {"timeout": 0}, "server 'radio': timeout input should be greater than 0"),
    (GOOD | {"approval": "sometimes"}, "server 'radio': approval input should be 'always' or 'never'"),
    (
        GOOD | {"env": {"KEY": "${NO_SUCH_VARIABLE}"}},
        "env.KEY needs the variable NO_SUCH_VARIABLE, which is not set",
    ),
    ([], "server 'radio' is no JSON object"),
]


@pytest.fixture
def file(tmp_path: Path, settings: Settings) -> Path:
    path = tmp_path / "mcp.json"
    settings.MCP_SERVERS = str(path)
    return path


def of_one(server: Any) -> str:
    return json.dumps({"mcpServers": {"radio": server}})


@pytest.mark.parametrize(("server", "sentence"), WRONG, ids=[sentence for _, sentence in WRONG])
def test_a_mistake_is_told_with_setting_server_and_keys(server: Any, sentence: str, file: Path) -> None:
    file.write_text(of_one(server))
    with pytest.raises(ConfigurationError, match="MCP_SERVERS") as refusal:
        mcp.read()
    assert sentence in str(refusal.value)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [("{", "which is not JSON"), ("[]", "mcpServers is no JSON object"), ("{}", "mcpServers is not there")],
)
def test_a_file_that_is_none_is_told(text: str, sentence: str, file: Path) -> None:
    file.write_text(text)
    with pytest.raises(ConfigurationError, match=sentence):
        mcp.read()


def test_a_file_that_is_not_there_is_told(file: Path) -> None:
    with pytest.raises(ConfigurationError, match="cannot be read: No such file"):
        mcp.read()


def test_a_secret_is_not_repeated(file: Path) -> None:
    file.write_text(of_one({"url": "http://127.0.0.1/", "headers": {"Authorization": ["Bearer s3cret"]}}))
    with pytest.raises(ConfigurationError) as refusal:
        mcp.read()
    assert "s3cret" not in str(refusal.value)


def test_variables_are_filled_in_and_labels_are_left(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RADIO_KEY", "s3cret")
    headers = {"Authorization": "Bearer ${RADIO_KEY}", "X-User": "{user}", "X-Station": "${STATION:-WKRP}"}
    file.write_text(of_one({"type": "http", "url": "http://127.0.0.1/", "headers": headers}))
    assert mcp.read()["radio"].headers == {
        "Authorization": "Bearer s3cret",
        "X-User": "{user}",
        "X-Station": "WKRP",
    }


def test_what_others_keep_in_the_file_and_disabled_servers_are_passed_over(file: Path) -> None:
    file.write_text(json.dumps({"theme": "dark", "mcpServers": {"radio": GOOD | {"disabled": True}}}))
    assert mcp.read() == {}


@pytest.mark.processes
def test_a_mistake_ends_serve_with_the_sentence(tmp_path: Path) -> None:
    path = tmp_path / "mcp.json"
    path.write_text(of_one(GOOD | {"url": "http://127.0.0.1/"}))
    process = manage(migrated(site(tmp_path, MCP_SERVERS=str(path))), "serve", "--port", "0")
    assert (process.returncode, process.stdout) == (1, "")
    assert process.stderr.startswith(f"MCP_SERVERS ({path}): server 'radio' has both command and url")


def test_djangos_check_tells_a_mistake(file: Path) -> None:
    file.write_text("{")
    with pytest.raises(SystemCheckError, match=r"conversations\.E101.*MCP_SERVERS"):
        call_command("check")


@pytest.mark.processes
def test_the_sdk_is_not_imported_without_the_setting(tmp_path: Path) -> None:
    code = "import sys, conversations.engine; print(sorted({'mcp', 'jsonschema', 'httpx2'} & sys.modules.keys()))"
    process = manage(site(tmp_path), "shell", "--no-imports", "-c", code)
    assert (process.returncode, process.stdout.strip()) == (0, "[]")
