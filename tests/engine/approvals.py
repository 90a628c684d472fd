"""Decisions about calls of the station's tool, which asks first, and what it has played."""

from typing import Any

from django.contrib.auth.models import User

from conversations import engine
from conversations.models import Approval, Conversation, Turn
from tests.turns import decision, news, record

PLAYED: list[str] = []
"""The signs that the tool was run with in this test."""


def entry(approved: bool, call: str = "", **payload: object) -> dict[str, Any]:
    """An answer to the call that waits."""
    return decision(call or Approval.objects.get(status="pending").call.tool_use_id, approved, **payload)


def decide(turn: Turn, *entries: dict[str, Any], user: User | None = None) -> Turn:
    """The turn after the decisions, when it has come to rest."""
    engine.resume(turn.conversation, user or turn.user, list(entries))
    assert engine.WORKER.wait(20)
    return Turn.objects.get(pk=turn.pk)


def decisions(conversation: Conversation) -> list[dict[str, Any]]:
    """The decisions on record."""
    return news(record(conversation), "approval")
