"""The attacks in the admin, which shows what users, models and tools wrote to those who may do most."""

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from playwright.sync_api import Page, Route

from conversations.models import Conversation, Message, RequestBase, Round, ToolCall, Turn
from tests.browser.attacks import LIVE_IN_ADMIN, MARKED, RAW, Attacker

MODELS = (Conversation, Turn, Round, Message, ToolCall)


@pytest.fixture(autouse=True)
def database_beside_the_browser(monkeypatch: pytest.MonkeyPatch, browser: object) -> None:
    """Playwright keeps an event loop in this thread, beside which Django would refuse the database."""
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")


def write_rows(user: User, text: str) -> None:
    """Writes a row of each kind, with the text wherever it holds text of others."""
    base = RequestBase.objects.create(sha256="0" * 64, body="{}")
    conversation = Conversation.objects.create(owner=user, model=text, title=text, system=text)
    error = {"status": "failed", "error_code": "internal", "error_text": text, "error_detail": text}
    turn = Turn.objects.create(
        conversation=conversation, number=1, user=user, model=text, system=text, **error
    )
    row = Round.objects.create(
        turn=turn, number=1, base=base, model=text, stop_reason=text, gateway_request_id=text, **error
    )
    own = {"conversation": conversation, "turn": turn}
    Message.objects.create(**own, role="user", content=[{"text": text}])
    ToolCall.objects.create(
        **own, round=row, position=0, tool_use_id=text, name=text, status="error", error=text,
        arguments=text, input={text: text}, result=[{"text": text}],
    )  # fmt: skip


def pages(client: Client) -> dict[str, tuple[bytes, dict[str, str]]]:
    """The server's answers for each list and each row's page: bodies and headers, by address."""
    addresses = [reverse(f"admin:conversations_{model._meta.model_name}_changelist") for model in MODELS]
    for model in MODELS:
        row = model._default_manager.get()
        addresses.append(reverse(f"admin:conversations_{model._meta.model_name}_change", args=[row.pk]))
    answers = {address: client.get(address) for address in addresses}
    assert {answer.status_code for answer in answers.values()} == {200}
    return {address: (answer.content, dict(answer.headers)) for address, answer in answers.items()}


def fulfilling(body: bytes, headers: dict[str, str]) -> Callable[[Route], None]:
    """A handler that answers with this."""
    return lambda route: route.fulfill(body=body, headers=headers)


def test_no_attack_in_the_admin_reaches_anything(page: Page, attacker: Attacker, user: User) -> None:
    attacks = "\n".join(attacker.aimed(attack) for attack in (*RAW, *MARKED))
    write_rows(user, attacks)
    client = Client()
    client.force_login(User.objects.create_superuser("arthur"))
    for address, (body, headers) in pages(client).items():
        page.route(f"**{address}", fulfilling(body, headers))
        page.goto(address)
        text = page.locator("body").text_content() or ""
        assert "<img src=x onerror=window.owned=1>" in text, address
        assert "\u202e" not in text
        assert page.evaluate("window.owned") is None
        assert page.locator(LIVE_IN_ADMIN).count() == 0, address
        assert page.url.endswith(address)
