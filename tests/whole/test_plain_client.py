"""The product as a program of one's own meets it: a real server, a websocket, AG-UI events."""

import json
from pathlib import Path
from typing import Any
from uuid import uuid4

from ag_ui_validate.pytest_plugin import assert_valid_agui
from websockets.sync.client import ClientConnection

from tests.servers import Browser, manage, on_each_server, serving, site
from tests.turns import QUESTION, answer


def until_end(page: ClientConnection) -> list[dict[str, Any]]:
    """The events of the record up to the end of a run, acknowledged as they come."""
    events: list[dict[str, Any]] = []
    while not events or events[-1]["type"] not in ("RUN_FINISHED", "RUN_ERROR"):
        event = json.loads(page.recv(timeout=30))
        if "metadata" in event:  # a notice has none
            events.append(event)
            page.send(json.dumps({"type": "ack", "seq": event["metadata"]["seq"]}))
    return events


@on_each_server
def test_a_plain_websocket_client_asks_and_the_terminal_goes_on_with_the_same_conversation(
    tmp_path: Path, kind: str
) -> None:
    environment = site(tmp_path)
    with serving(environment, kind=kind) as server:
        reader = Browser()
        address = reader.open(server.url + server.path).url
        conversation = address.rstrip("/").rpartition("/")[2]
        with reader.connect(address) as page:
            page.send(json.dumps({"type": "message", "id": str(uuid4()), "text": QUESTION}))
            snapshot, *events = until_end(page)
            assert snapshot["type"] == "MESSAGES_SNAPSHOT"
            assert '"Elemental Hotel" by 8 Storey Hike' in answer(events)
            assert_valid_agui(events)
            terminal = manage(
                environment, "ask", "What is the top song on WKRP?", "--conversation", conversation
            )
            assert "Station WKRP not found." in terminal.stdout
            assert answer(until_end(page)).endswith("Station WKRP not found.")
        assert "Station WKRP not found." in reader.open(address).text
