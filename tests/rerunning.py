"""Conversations to be asked again, and the commands that do it, as the tests run them."""

import io
import json
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command

from conversations.gateway.frames import encode
from conversations.models import Conversation
from conversations.rerun import Options, comparing, rerun
from conversations.rerun.report import Pair
from tests.asking import ask, conversation_of

QUESTION = "What is the most popular song on WZPZ?"


def asked(user: User, *texts: str, **fields: Any) -> Conversation:
    """A conversation in which these were asked."""
    conversation = conversation_of(user, **fields)
    for text in texts:
        ask(conversation, text)
    return conversation


def rerun_of(conversation: Conversation, **how: Any) -> list[Pair]:
    """The turns of a rerun."""
    return list(rerun(conversation, Options(**how)).run())


def reports(caplog: pytest.LogCaptureFixture) -> list[str]:
    """What the reruns in the background that are over have logged, a line each."""
    return [record.getMessage() for record in caplog.records if record.name == comparing.__name__]


def command(*arguments: str) -> tuple[int, str, str]:
    """A command's exit code, and what it printed; a CommandError is 1 and its text."""
    out, err = io.StringIO(), io.StringIO()
    try:
        call_command(*arguments, stdout=out, stderr=err)
    except SystemExit as left:
        return int(str(left.code)), out.getvalue(), err.getvalue()
    except CommandError as error:
        return 1, out.getvalue(), f"{err.getvalue()}{error}"
    return 0, out.getvalue(), err.getvalue()


def reported(*arguments: str) -> tuple[int, Any]:
    """A rerun's exit code and its JSON."""
    code, out, _ = command("rerun", "--json", *arguments)
    return code, json.loads(out)


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
