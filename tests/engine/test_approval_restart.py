"""A call that waits for a decision outlives its server and every page."""

import json
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from websockets.sync.client import ClientConnection

from tests.servers import Browser, serving, site
from tests.turns import decision

pytestmark = pytest.mark.processes

TOOLS = '''
from pathlib import Path

from conversations.tools import tool


@tool(approval=True)
def demolish(building: str) -> str:
    """Tear a building down."""
    with Path({log!r}).open("a") as log:
        log.write(building + chr(10))
    return f"{{building}} is gone"
'''
SETTINGS = 'from project.settings import *\nINSTALLED_APPS = [*INSTALLED_APPS, "guarded"]\n'
WISH = 'Please demolish the building "Hotel Elemental"'


def guarded_site(folder: Path, log: Path) -> dict[str, str]:
    """A site with an app of its own, whose tool asks first."""
    (folder / "guarded").mkdir()
    (folder / "guarded" / "__init__.py").touch()
    (folder / "guarded" / "tools.py").write_text(TOOLS.format(log=str(log)))
    (folder / "guarded_settings.py").write_text(SETTINGS)
    return site(folder, DJANGO_SETTINGS_MODULE="guarded_settings", PYTHONPATH=str(folder))


def frames_until(page: ClientConnection, *kinds: str) -> list[dict[str, Any]]:
    """The frames up to one of these types, acknowledged."""
    frames: list[dict[str, Any]] = []
    while not frames or frames[-1]["type"] not in kinds:
        frames.append(json.loads(page.recv(timeout=30)))
        if seq := frames[-1].get("metadata", {}).get("seq"):
            page.send(json.dumps({"type": "ack", "seq": seq}))
    return frames


def test_a_call_that_waits_is_decided_after_a_kill_and_runs_once(tmp_path: Path) -> None:
    log = tmp_path / "demolished"
    environment, reader = guarded_site(tmp_path, log), Browser()
    with serving(environment) as server:
        address = reader.open(server.url + server.path).url
        with reader.connect(address) as page:
            page.send(json.dumps({"type": "message", "id": str(uuid4()), "text": WISH}))
            (interrupt,) = frames_until(page, "RUN_FINISHED", "RUN_ERROR")[-1]["outcome"]["interrupts"]
        server.process.kill()
    with serving(environment) as server:
        new_address = f"{server.url}/{address.split('/', 3)[3]}"
        with reader.connect(new_address) as page:
            snapshot = json.loads(page.recv(timeout=30))
            turn = snapshot["metadata"]["turns"][-1]
            assert (turn["status"], [waiting["id"] for waiting in turn["interrupts"]]) == (
                "waiting",
                [interrupt["id"]],
            )
            assert not log.exists()
            page.send(json.dumps({"type": "resume", "resume": [decision(interrupt["id"])]}))
            frames = frames_until(page, "RUN_FINISHED", "RUN_ERROR")
    results = [frame["metadata"]["status"] for frame in frames if frame["type"] == "TOOL_CALL_RESULT"]
    assert (results, frames[-1]["outcome"]["type"]) == (["success"], "success")
    assert len(log.read_text().splitlines()) == 1
