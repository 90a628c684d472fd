"""No address, frame or command reaches what is somebody else's.

The cases are compared with the site's own tables, so that none is missing.
"""

import io
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.apps import apps
from django.contrib.auth.models import User
from django.core import serializers
from django.core.management import call_command, get_commands
from django.db.models import Model
from django.test import Client

from conversations.models import (
    Allowance,
    ApiToken,
    Approval,
    Conversation,
    Message,
    Preset,
    Prompt,
    ToolCall,
    Turn,
)
from conversations.sockets import consumer
from tests.files import attached
from tests.sockets.pages import page_of
from tests.turns import ask, conversation_of
from tests.whole.routes import ADMIN, ROUTES, filled

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("gateway")]
METHODS = ("get", "head", "post", "put", "patch", "delete", "options")
SECRET = "the turkeys can fly"


OPEN = {"accounts/login/": 200, "accounts/link/": 403, "accounts/unsent/": 302, "healthz": 200}
"""What anybody may see, and its answer to somebody without a session."""

OWN = {
    *("accounts/logout/", "", "conversations/", "conversations/new/", "conversations/change/"),
    *(
        "find/",
        "settings/",
        "settings/presets/",
        "settings/prompts/",
        "settings/theme/",
        "settings/tokens/",
        "sidebar/",
        "waiting/",
    ),
}
"""What asks for a session and names nothing of anybody's."""

OF_ONE_CONVERSATION = {path for path in ROUTES if "<uuid:pk>" in path and path != "attachments/<uuid:pk>/"}

OF_ONE_USER: dict[str, type[Model]] = {
    "settings/allowances/<int:pk>/revoke/": Allowance,
    "settings/presets/<int:pk>/": Preset,
    "settings/prompts/<int:pk>/": Prompt,
    "settings/tokens/<int:pk>/revoke/": ApiToken,
}
"""What names a row of somebody's settings."""

OF_PROGRAMS = {"agui/", "agui/stop", "agui/capabilities"}
"""Addresses for programs: 401 without credentials, never the sign-in. See tests/agui for threads."""

OF_ONE_FILE = "attachments/<uuid:pk>/"


@pytest.fixture
def theirs(other_user: User) -> Conversation:
    """Somebody else's conversation, with a turn and an approved tool call, and their settings."""
    conversation = conversation_of(other_user, title="Flight", system=SECRET, draft=SECRET)
    ask(conversation, "What is the most popular song on WZPZ?")
    allowance = Allowance.objects.create(user=other_user, tool="Flight", input={"to": SECRET}, key="0" * 64)
    Approval.objects.create(
        call=ToolCall.objects.get(), status="approved", reason=SECRET, allowance=allowance
    )
    Prompt.objects.create(user=other_user, name="Flight", text=SECRET)
    Preset.objects.create(user=other_user, name="Flight", text=SECRET)
    ApiToken.issue(other_user, f"Flight {SECRET}")
    return conversation


@pytest.fixture
def client(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def everything() -> str:
    """All stored rows of the app, as text."""
    models = apps.get_app_config("conversations").get_models()
    return "".join(serializers.serialize("json", model._default_manager.order_by("pk")) for model in models)


# -- addresses


def test_every_address_has_a_case() -> None:
    assert set(ROUTES) == {*OPEN, *OWN, *OF_PROGRAMS, *OF_ONE_CONVERSATION, *OF_ONE_USER, OF_ONE_FILE}
    assert "conversations/<uuid:pk>/" in OF_ONE_CONVERSATION


def test_a_form_from_elsewhere_is_refused_at_every_address(user: User) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(user)
    keys = {"uuid": conversation_of(user).pk, "int": 1}
    before = everything()
    for path in {*ROUTES} - OF_PROGRAMS:
        answer = client.post(filled(path, keys["int" if "<int:" in path else "uuid"]), {"title": "x"})
        assert (path, answer.status_code) == (path, 403)
    assert everything() == before


@pytest.mark.parametrize("path", sorted(OF_ONE_CONVERSATION))
def test_somebody_elses_conversation_is_404_and_unchanged(
    client: Client, theirs: Conversation, path: str
) -> None:
    before = everything()
    answers = [getattr(client, method)(filled(path, theirs.pk)) for method in METHODS]
    assert {answer.status_code for answer in answers} <= {404, 405}
    assert 404 in {answer.status_code for answer in answers}
    assert not [
        answer
        for answer in answers
        if SECRET in answer.content.decode() or "Flight" in answer.content.decode()
    ]
    assert everything() == before


@pytest.mark.parametrize(("path", "model"), OF_ONE_USER.items())
def test_somebody_elses_settings_are_404_and_unchanged(
    client: Client, theirs: Conversation, path: str, model: type[Model]
) -> None:
    before, pk = everything(), model._default_manager.get().pk
    for method in METHODS:
        answer = getattr(client, method)(filled(path, pk), {f"{pk}-name": "x", f"{pk}-text": "x"})
        assert answer.status_code == (404 if method == "post" else 405)
        assert SECRET not in answer.content.decode()
    assert everything() == before


def test_somebody_elses_file_is_404(client: Client, theirs: Conversation) -> None:
    file = attached(theirs, f"{SECRET}.txt", SECRET.encode())
    before = everything()
    for method in METHODS:
        answer = getattr(client, method)(filled(OF_ONE_FILE, file.pk))
        assert answer.status_code == (404 if method in ("get", "head", "post", "delete") else 405)
        assert SECRET not in answer.content.decode()
    assert everything() == before


def test_ones_own_settings_tell_nothing_of_anothers(client: Client, theirs: Conversation) -> None:
    page = client.get("/settings/").content.decode()
    assert SECRET not in page
    assert "Flight" not in page


@pytest.mark.parametrize("path", sorted({*ROUTES} - {*OPEN}))
def test_without_a_session_there_is_nothing_but_the_way_in(theirs: Conversation, path: str) -> None:
    before = everything()
    pk = OF_ONE_USER[path]._default_manager.get().pk if path in OF_ONE_USER else theirs.pk
    for method in METHODS:
        answer = getattr(Client(), method)(filled(path, pk))
        assert answer.status_code in {302, 401, 403, 404, 405}
        assert answer.get("Location", "/accounts/login/").startswith("/accounts/login/")
    assert everything() == before


@pytest.mark.parametrize(("path", "status"), OPEN.items())
def test_what_is_open_tells_nothing(theirs: Conversation, path: str, status: int) -> None:
    answer = Client().get("/" + path)
    assert answer.status_code == status
    assert "Flight" not in answer.content.decode()


def test_a_message_of_somebody_elses_is_no_page_mark(
    client: Client, user: User, theirs: Conversation
) -> None:
    own = conversation_of(user)
    for message in (Message.objects.get(role="user").public_id, f"{Turn.objects.get().pk}:1:0"):
        assert client.get(f"/conversations/{own.pk}/", {"before": str(message)}).status_code == 404


# -- the admin


def admin_addresses(theirs: Conversation) -> list[str]:
    keys = (theirs.pk, Turn.objects.get().pk, ToolCall.objects.get().pk, 1)
    return [filled(path, key) for path in ADMIN for key in keys if not path.endswith("(?P<url>.*)$")]


@pytest.mark.parametrize("is_signed_in", [True, False])
def test_the_admin_is_for_staff_alone(client: Client, theirs: Conversation, is_signed_in: bool) -> None:
    who, before = client if is_signed_in else Client(), everything()
    addresses = admin_addresses(theirs)
    assert len(addresses) > 50
    for address in addresses:
        for method in ("get", "post"):
            answer = getattr(who, method)(address)
            assert (answer.status_code, SECRET in answer.content.decode()) in {
                (302, False), (200, False), (404, False), (403, False),
            }  # fmt: skip
            if answer.status_code == 200:
                assert 'name="password"' in answer.content.decode() or address == "/admin/jsi18n/"
    assert everything() == before


# -- the websocket

FRAMES: dict[str, dict[str, Any]] = {
    "ack": {"seq": 1},
    "message": {"id": "0190a1de-0000-7000-8000-000000000001", "text": "hello"},
    "stop": {},
    "regenerate": {},
    "edit": {"message": "0190a1de-0000-7000-8000-000000000001", "id": "0190a1de-0000-7000-8000-000000000002", "text": "x"},
    "resume": {"resume": [{"interruptId": "t", "status": "resolved", "payload": {"approved": True}}]},
    "withdraw": {"message": "0190a1de-0000-7000-8000-000000000001"},
    "branch": {"turn": "0190a1de-0000-7000-8000-000000000001"},
    "run": {"call": "t", "id": "0190a1de-0000-7000-8000-000000000002"},
    "draft": {"text": "mine now"},
}  # fmt: skip


def test_every_frame_has_a_case() -> None:
    assert set(FRAMES) == {"ack", *consumer.COMMANDS}


@pytest.mark.parametrize("kind", FRAMES)
@pytest.mark.parametrize("query", ["", "?after=0"])
async def test_a_frame_to_somebody_elses_conversation_is_4404_and_changes_nothing(
    user: User, theirs: Conversation, kind: str, query: str
) -> None:
    before = await sync_to_async(everything)()
    async with page_of(user, theirs, query) as page:
        await page.send({"type": kind} | FRAMES[kind])
        frames = []
        while (message := await page.communicator.receive_output(timeout=20))["type"] != "websocket.close":
            frames.append(message)
        assert message["code"] == 4404
    assert not [frame for frame in frames if '"turntable.refused"' not in frame["text"]]
    assert await sync_to_async(everything)() == before


async def test_a_message_with_the_id_of_somebody_elses_is_a_message_of_ones_own(
    user: User, theirs: Conversation
) -> None:
    their_id = (await Message.objects.aget(role="user")).public_id
    own = await sync_to_async(conversation_of)(user)
    async with page_of(user, own, "?after=0") as page:
        await page.ask("What is the most popular song on WZPZ?", str(their_id))
        await page.until_end()
    assert await Message.objects.filter(public_id=their_id).acount() == 2
    assert await theirs.turns.acount() == 1


async def test_whoever_no_longer_owns_a_conversation_is_let_go(user: User, other_user: User) -> None:
    own = await sync_to_async(conversation_of)(user)
    async with page_of(user, own) as page:
        await page.receive()
        await Conversation.objects.filter(pk=own.pk).aupdate(owner=other_user)
        await page.send({"type": "stop"})
        assert await page.closed() == 4404


# -- commands of the terminal

COMMANDS: dict[str, list[str]] = {
    "ask": ["hello", "--conversation", "{theirs}", "--user", "jennifer"],
    "chat": ["--conversation", "{theirs}", "--user", "jennifer"],
}
"""What names a conversation, and whose."""

OPERATORS = {
    *("serve", "work", "migrate", "demo_gateway"),
    *("token", "export", "fixture", "import", "prune", "reindex", "replay", "rerun"),
}
"""What is the operator's, who may see all."""


def test_every_command_has_a_case() -> None:
    ours = {name for name, app in get_commands().items() if app == "conversations"}
    assert ours <= {*COMMANDS, *OPERATORS}
    assert {*COMMANDS} <= ours


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_as_one_user_finds_no_conversation_of_anothers(
    user: User, theirs: Conversation, name: str
) -> None:
    before, output = everything(), io.StringIO()
    arguments = [argument.format(theirs=theirs.pk) for argument in COMMANDS[name]]
    with pytest.raises(SystemExit):
        call_command(name, *arguments, stdout=output, stderr=output)
    assert f"jennifer has no conversation {theirs.pk}" in output.getvalue()
    assert SECRET not in output.getvalue()
    assert everything() == before
