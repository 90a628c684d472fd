"""No secret is kept, shown or logged, whether turns succeed or fail."""

import json
import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client, override_settings
from pytest_django.fixtures import Settings

from conversations import demo_gateway as demo
from conversations import engine
from conversations.gateway.frames import encode
from conversations.models import Conversation, Turn
from project.links import sign_in_path
from tests.gateway.wire import Answer, Request, WireServer
from tests.sockets.pages import page_of
from tests.turns import conversation_of

pytestmark = pytest.mark.django_db(transaction=True)
CANARY = "canary"
ACCESS_KEY, SECRET_ACCESS_KEY = "AKIACANARY0000000001", "canary-2-secret-access-key"
HEADER, SECRET_KEY, PASSWORD = "canary-3-header", "canary-4-secret-key-" * 3, "canary-5-password"
URL_USER, URL_PASSWORD = "canary-6-user", "canary-7-password"


@pytest.fixture(autouse=True)
def secrets(settings: Settings, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    settings.AWS_ACCESS_KEY_ID, settings.AWS_SECRET_ACCESS_KEY = ACCESS_KEY, SECRET_ACCESS_KEY
    settings.GATEWAY_HEADERS = {"apikey": HEADER, "X-Key": f"Bearer {HEADER}; {{user}}"}
    settings.SECRET_KEY, settings.GATEWAY_RETRIES = SECRET_KEY, 1
    settings.GATEWAY_TIMEOUT = 5


@pytest.fixture
def owner(db: None) -> User:
    return User.objects.create_superuser("jennifer", password=PASSWORD)


def echo(request: Request) -> str:
    """An error of a gateway that repeats all headers of a request."""
    return f"not allowed: {json.dumps(request.headers)}"


def in_stream(request: Request) -> Answer:
    return Answer.stream(encode("validationException", {"message": echo(request)}, kind="exception"))


FAILURES: dict[str, Callable[[Request], Answer]] = {
    "401": lambda request: Answer.error(401, {"message": echo(request)}),
    "403 as text": lambda request: Answer.error(403, echo(request).encode()),
    "502 as a page": lambda request: Answer.error(502, f"<title>{echo(request)}</title>".encode()),
    "400 in a list": lambda request: Answer.error(400, [{"error": {"message": echo(request)}}]),
    "no stream": lambda request: Answer.error(200, {"message": echo(request)}),
    "in the stream": in_stream,
}


@pytest.fixture
def refusing() -> Iterator[WireServer]:
    with WireServer([]) as server:
        yield server


async def turn(user: User, conversation: Conversation, text: str) -> str:
    """All frames of a turn that is run to its end."""
    async with page_of(user, conversation) as page:
        await page.receive()
        await page.ask(text)
        await page.until_end()
        frames = page.frames
    assert await sync_to_async(engine.WORKER.wait)(20)
    async with page_of(user, conversation) as page:
        return json.dumps([*frames, await page.receive()])


def stored() -> Iterator[str]:
    """Every value of every table, unpacked."""
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT * FROM "{table}"')  # noqa: S608 (the database's own names)
            yield from (f"{table}: {unpacked(value)}" for row in cursor.fetchall() for value in row)


def unpacked(value: object) -> str:
    if isinstance(value, bytes | memoryview):
        with suppress(zlib.error):
            return zlib.decompress(value).decode()
    return str(value)


def pages(owner: User, conversation: Conversation) -> Iterator[str]:
    """Every page that shows stored values, the admin's too."""
    client = Client()
    client.force_login(owner)
    addresses = [
        "/",
        f"/conversations/{conversation.pk}/",
        f"/admin/conversations/conversation/{conversation.pk}/change/",
    ]
    for name, rows in (
        ("turn", conversation.turns.values_list("pk", flat=True)),
        ("toolcall", conversation.tool_calls.values_list("pk", flat=True)),
        ("round", conversation.turns.values_list("rounds", flat=True).exclude(rounds=None)),
    ):
        addresses += [
            f"/admin/conversations/{name}/",
            *(f"/admin/conversations/{name}/{pk}/change/" for pk in rows),
        ]
    for address in addresses:
        answer = client.get(address)
        assert answer.status_code == 200, address
        yield f"{address}: {answer.content.decode()}"


def places_of(texts: Iterator[str] | list[str], *secrets: str) -> list[str]:
    """The places of secrets in texts, with what stands round them."""
    places = []
    for text in texts:
        at = max(text.lower().find(secret.lower()) for secret in (CANARY, *secrets))
        if at >= 0:
            places.append(text[:40] + " ... " + text[max(0, at - 80) : at + 60])
    return places


async def check(
    owner: User, conversation: Conversation, frames: str, log: pytest.LogCaptureFixture, *secrets: str
) -> None:
    """Checks that no secret is in the frames, the database, a page or the log."""
    log_lines = [f"{entry.name} {entry.getMessage()} {entry.exc_text or ''}" for entry in log.records]
    assert places_of([frames], *secrets) == []
    assert await sync_to_async(lambda: places_of(stored(), *secrets))() == []
    assert await sync_to_async(lambda: places_of(pages(owner, conversation), *secrets))() == []
    assert places_of(log_lines, *secrets) == []


async def test_a_turn_that_succeeds_tells_no_secret(
    owner: User, caplog: pytest.LogCaptureFixture, demo_gateway: demo.DemoGateway
) -> None:
    conversation = await sync_to_async(conversation_of)(owner)
    with override_settings(GATEWAY_URL=demo_gateway.url):
        frames = await turn(owner, conversation, "What is the most popular song on WZPZ?")
    assert "Elemental Hotel" in frames
    await check(owner, conversation, frames, caplog)


@pytest.mark.parametrize("name", FAILURES)
async def test_a_gateway_that_says_back_what_it_was_sent_gives_no_secret_away(
    owner: User, caplog: pytest.LogCaptureFixture, refusing: WireServer, name: str
) -> None:
    refusing.play(FAILURES[name])
    conversation = await sync_to_async(conversation_of)(owner)
    with override_settings(GATEWAY_URL=refusing.url):
        frames = await turn(owner, conversation, "hello")
    assert HEADER in echo(refusing.requests[0])
    assert (await Turn.objects.aget()).status == "failed"
    await check(owner, conversation, frames, caplog)


@pytest.mark.parametrize("url", ["http://127.0.0.1:1", f"http://{URL_USER}:{URL_PASSWORD}@127.0.0.1:1"])
async def test_a_gateway_that_cannot_be_reached_gives_no_secret_away(
    owner: User, caplog: pytest.LogCaptureFixture, url: str
) -> None:
    conversation = await sync_to_async(conversation_of)(owner)
    with override_settings(GATEWAY_URL=url):
        frames = await turn(owner, conversation, "hello")
        assert (await Turn.objects.aget()).status == "failed"
        await check(owner, conversation, frames, caplog)


async def test_passwords_and_links_are_kept_nowhere_right_or_wrong(
    owner: User, caplog: pytest.LogCaptureFixture
) -> None:
    conversation, texts = await sync_to_async(conversation_of)(owner), []
    link = await sync_to_async(sign_in_path)(owner)
    token = link.partition("token=")[2]

    def sign_in() -> None:
        client = Client()
        for password in (PASSWORD + "-wrong", PASSWORD):
            answer = client.post("/accounts/login/", {"username": "jennifer", "password": password})
            texts.append(answer.content.decode())
        assert answer.status_code == 302
        client.post("/accounts/login/", {"username": PASSWORD, "password": "in the wrong field"})
        texts.extend(Client().get(link + "&next=/nowhere/").content.decode() for _ in range(2))

    await sync_to_async(sign_in)()
    await check(owner, conversation, "".join(texts), caplog, token)
