"""Rows of every kind, and the pages of the admin that show them."""

from datetime import date
from typing import Any

from django.contrib.auth.models import User
from django.db import connection, models
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from conversations.models import (
    Allowance,
    ApiToken,
    Approval,
    Attachment,
    Conversation,
    Message,
    Model,
    RequestBase,
    Round,
    ToolCall,
    Turn,
    UsageTotal,
)
from tests.turns import QUESTION, conversation_of

SONG = [{"json": {"song": "Elemental Hotel", "artist": "8 Storey Hike"}}]


def full_conversation(user: User, text: str = QUESTION, within: Conversation | None = None) -> Conversation:
    """A conversation with one row of each kind beside it, two messages."""
    base, _ = RequestBase.objects.get_or_create(sha256="0" * 64, body="{}")
    conversation = within or conversation_of(user, title=text)
    last = conversation.turns.order_by("number").last()
    turn = Turn.objects.create(
        conversation=conversation,
        number=last.number + 1 if last else 1,
        parent=last,
        user=user,
        status="completed",
        model=conversation.model,
    )
    row = Round.objects.create(
        turn=turn, number=1, base=base, status="completed", gateway_request_id=str(turn.pk)[:8]
    )
    own = {"conversation": conversation, "turn": turn}
    question = Message.objects.create(**own, role="user", content=[{"text": text}])
    file = Attachment.objects.create(
        conversation=conversation,
        kind="document",
        format="pdf",
        name="Charts.pdf",
        size=4711,
        sha256="0" * 64,
    )
    file.messages.add(question)
    Message.objects.create(**own, round=row, role="assistant", content=[{"text": "I will look that up."}])
    call = ToolCall.objects.create(
        **own, round=row, position=0, tool_use_id=f"tooluse_{turn.pk.hex}", name="top_song", status="success",
        arguments='{"sign": "WZPZ"}', input={"sign": "WZPZ"}, result=SONG,
    )  # fmt: skip
    allowance = Allowance.objects.create(user=user, tool="top_song", input={"sign": "WZPZ"}, key=turn.pk.hex)
    Approval.objects.create(call=call, status="approved", decided_by=user, allowance=allowance)
    ApiToken.issue(user, "reports")
    Model.objects.get_or_create(model_id=conversation.model)
    UsageTotal.objects.create(user=user, model=conversation.model, month=date(2026, 5, 1), total_tokens=7)
    return conversation


def rows_of(model: type[models.Model]) -> models.QuerySet[Any]:
    return model._default_manager.order_by("pk")


def list_address(model: type[models.Model]) -> str:
    return reverse(f"admin:conversations_{model._meta.model_name}_changelist")


def address_of(row: models.Model, what: str = "change") -> str:
    return reverse(f"admin:conversations_{row._meta.model_name}_{what}", args=[row.pk])


def html_of(client: Client, url: str) -> str:
    response = client.get(url)
    assert response.status_code == 200, (url, response.status_code)
    return response.content.decode()


def rows_in_list(client: Client, model: type[models.Model], /, **query: object) -> list[models.Model]:
    return list(client.get(list_address(model), query).context["cl"].result_list)


def query_count(client: Client, url: str, streamed: bool = False) -> int:
    """The number of queries that a page takes, or a file to its end."""
    with CaptureQueriesContext(connection) as statements:
        if streamed:
            b"".join(client.get(url).streaming_content)
        else:
            html_of(client, url)
    return len(statements)
