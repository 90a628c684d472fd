"""The operator who looks at the record, and two tool calls in it."""

import pytest
from django.contrib.auth.models import User
from django.test import Client

from conversations.models import ToolCall, Turn
from tests.pages import full_conversation


@pytest.fixture
def operator(client: Client) -> Client:
    client.force_login(User.objects.create_superuser("arthur"))
    return client


@pytest.fixture
def call(user: User) -> ToolCall:
    return full_conversation(user).tool_calls.get()


@pytest.fixture
def other(other_user: User) -> ToolCall:
    """A call that has nothing in common with the first."""
    call = full_conversation(other_user, "Another song").tool_calls.get()
    call.name, call.arguments, call.input, call.result = "other", "", None, None
    call.error, call.status, call.duration_ms = "timeout", "error", 12_000
    call.save()
    Turn.objects.filter(pk=call.turn_id).update(model="another")
    return call
