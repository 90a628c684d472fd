"""Live servers, read by `@ag-ui/client`, by readers that take nothing, from two processes."""

import json
import shutil
import socket
import subprocess
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from conversations import demo_gateway as demo
from tests.agui.exchanges import run_input
from tests.conditions import until
from tests.servers import NO_PROC, ROOT, Server, manage, on_each_server, serving, site

HAS_CLIENT = shutil.which("node") and (ROOT / "node_modules/@ag-ui/client").exists()
WITH_CLIENT = pytest.mark.skipif(not HAS_CLIENT, reason="node and `npm ci` bring @ag-ui/client")
TOOLS = '''
from conversations.tools import tool

@tool(approval=True)
def delete_file(path: str) -> dict[str, str]:
    """Delete a file."""
    return {"deleted": path}
'''
SETTINGS = 'from project.settings import *\nINSTALLED_APPS = [*INSTALLED_APPS, "filing"]\n'


def token_for(environment: dict[str, str]) -> str:
    result = manage(environment, "token", "owner")
    assert result.returncode == 0, result.stderr
    return result.stdout.split()[-1]


class Connection:
    """A request on a socket of its own."""

    def __init__(self, server: Server, token: str, body: Any) -> None:
        address = urlsplit(server.url)
        self.socket = socket.socket()
        self.socket.settimeout(30)
        self.socket.connect((address.hostname, address.port))
        data = json.dumps(body).encode()
        head = (
            f"POST /agui/ HTTP/1.1\r\nHost: {address.netloc}\r\nAuthorization: Bearer {token}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(data)}\r\n\r\n"
        )
        self.socket.sendall(head.encode() + data)
        self.text = b""

    def close(self) -> None:
        self.socket.close()

    def read_until(self, words: bytes) -> None:
        """Reads on up to the words, and keeps their end alone."""
        while words not in self.text:
            more = self.socket.recv(65536)
            assert more, self.text[-500:]
            self.text = self.text[-200:] + more


@pytest.fixture
def gateway() -> Iterator[demo.DemoGateway]:
    with closing(demo.start(pace=0)) as gateway:
        yield gateway


@pytest.fixture
def environment(tmp_path: Path, gateway: demo.DemoGateway) -> dict[str, str]:
    """A site with a tool that asks first."""
    (tmp_path / "filing").mkdir()
    (tmp_path / "filing" / "__init__.py").touch()
    (tmp_path / "filing" / "tools.py").write_text(TOOLS)
    (tmp_path / "filing_settings.py").write_text(SETTINGS)
    own = {"DJANGO_SETTINGS_MODULE": "filing_settings", "PYTHONPATH": str(tmp_path)}
    return site(tmp_path, GATEWAY_URL=gateway.url, USER_TURNS_PER_MINUTE="0", **own)


@WITH_CLIENT
@on_each_server
def test_the_protocols_own_client_is_content(environment: dict[str, str], kind: str) -> None:
    with serving(environment, kind=kind) as server:
        script = ROOT / "tests/agui/client.js"
        command = ["node", str(script), f"{server.url}/agui/", token_for(environment)]
        result = subprocess.run(command, capture_output=True, text=True, timeout=90, cwd=ROOT, check=False)
        assert result.returncode == 0, result.stderr
        assert "warn" not in result.stderr.lower(), result.stderr
    came = json.loads(result.stdout.splitlines()[-1])
    assert "8 Storey Hike" in came["tool"]["messages"][-1]["content"]
    assert [message["role"] for message in came["tool"]["messages"]] == [
        "assistant",
        "assistant",
        "tool",
        "assistant",
    ]
    approval = came["approval"]
    assert (approval["waiting"]["pending"], approval["answered"]["pending"]) == (1, 0)
    assert [json.loads(call["function"]["arguments"]) for call in approval["calls"]] == [{"path": "old.csv"}]
    assert json.loads(approval["answered"]["messages"][0]["content"]) == {"deleted": "old.csv"}
    assert came["reconnect"]["first"] == came["reconnect"]["again"]
    assert (came["stopped"], came["refused"]["status"]) == (200, 401)
    assert came["refused"]["payload"]["error"]["code"] == "unauthorized"
    assert (came["history"][0], came["history"][-1]) == ("RUN_STARTED", "RUN_FINISHED")


@on_each_server
def test_the_gateways_stream_is_closed_within_seconds_of_a_reader_who_leaves_for_good(
    environment: dict[str, str], gateway: demo.DemoGateway, kind: str
) -> None:
    wanted = run_input("fail silent", forwardedProps={"onDisconnect": "cancel"})
    with serving(environment, kind=kind) as server:
        token = token_for(environment)
        reader = Connection(server, token, wanted)
        reader.read_until(b"TEXT_MESSAGE_CONTENT")
        assert gateway.connections == 1
        reader.close()
        until(lambda: gateway.connections == 0)
        assert end_of(server, token, wanted["threadId"]) == "cancelled"


@NO_PROC
@on_each_server
def test_streams_hold_no_thread(environment: dict[str, str], kind: str) -> None:
    with serving(environment, kind=kind) as server, ExitStack() as stack:
        token, wanted = token_for(environment), run_input("fail silent")
        with closing(Connection(server, token, wanted)) as first:
            first.read_until(b"TEXT_MESSAGE_CONTENT")
        threads = threads_of(server)
        for _ in range(20):
            reader = stack.enter_context(closing(Connection(server, token, wanted)))
            reader.read_until(b"TEXT_MESSAGE_CONTENT")
        until(lambda: threads_of(server) <= threads + 4)


def test_a_run_that_another_process_carries_is_read_stopped_and_answered_here(
    environment: dict[str, str], gateway: demo.DemoGateway
) -> None:
    with serving(environment, "--no-turns") as front, serving(environment) as back:
        token, wanted = token_for(environment), run_input("fail silent")
        with closing(Connection(front, token, wanted)) as reader:
            reader.read_until(b"TEXT_MESSAGE_CONTENT")
            assert stop(front, token, wanted["threadId"]) == {"stopped": True}
            reader.read_until(b"cancelled")
        assert end_of(back, token, wanted["threadId"]) == "cancelled"
        until(lambda: gateway.connections == 0)


def threads_of(server: Server) -> int:
    return len(list(Path(f"/proc/{server.process.pid}/task").iterdir()))


def stop(server: Server, token: str, thread: str) -> Any:
    body = json.dumps({"threadId": thread}).encode()
    with urllib.request.urlopen(asking(server, token, "/agui/stop", body), timeout=30) as answer:
        return json.load(answer)


def end_of(server: Server, token: str, thread: str) -> str:
    """How the thread's last run ends."""
    with urllib.request.urlopen(asking(server, token, f"/agui/?threadId={thread}"), timeout=30) as answer:
        last = json.loads(answer.read().decode().strip().split("\n\n")[-1].removeprefix("data: "))
    return str(last.get("outcome", last)["type"])


def asking(server: Server, token: str, path: str, body: bytes | None = None) -> urllib.request.Request:
    return urllib.request.Request(server.url + path, body, {"Authorization": f"Bearer {token}"})
