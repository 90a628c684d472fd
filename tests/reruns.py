"""Conversations to be asked again, their reruns, reports and fixtures."""

import json
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User

from conversations.gateway.frames import encode
from conversations.models import Conversation
from conversations.rerun import Options, comparing, rerun
from conversations.rerun.report import Pair
from tests.commands import command
from tests.turns import ask, conversation_of


def conversation_with(user: User, *texts: str, **fields: Any) -> Conversation:
    """A conversation with a turn for each of the texts."""
    conversation = conversation_of(user, **fields)
    for text in texts:
        ask(conversation, text)
    return conversation


def rerun_of(conversation: Conversation, **how: Any) -> list[Pair]:
    """The turns of a rerun."""
    return list(rerun(conversation, Options(**how)).run())


def reports(caplog: pytest.LogCaptureFixture) -> list[str]:
    """The log lines of the background reruns that are over, one each."""
    return [record.getMessage() for record in caplog.records if record.name == comparing.__name__]


def json_report(*arguments: str) -> tuple[int, Any]:
    """A rerun's exit code and its JSON."""
    code, out, _ = command("rerun", "--json", *arguments)
    return code, json.loads(out)


def fixture_of(conversation: Conversation, folder: Path) -> Path:
    """A file with the conversation's fixture, in the folder."""
    path = folder / "fixture.jsonl"
    code, _, err = command("fixture", str(conversation.pk), "-o", str(path))
    assert code == 0, err
    return path


def tool_frames(tool_use_id: str, name: str, arguments: str) -> list[bytes]:
    """The frames of a message that asks for one tool call."""
    start = {"toolUse": {"toolUseId": tool_use_id, "name": name}}
    payloads: list[tuple[str, dict[str, Any]]] = [
        ("messageStart", {"role": "assistant"}),
        ("contentBlockStart", {"contentBlockIndex": 0, "start": start}),
        ("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"toolUse": {"input": arguments}}}),
        ("contentBlockStop", {"contentBlockIndex": 0}),
        ("messageStop", {"stopReason": "tool_use"}),
    ]
    return [encode(name, payload) for name, payload in payloads]
