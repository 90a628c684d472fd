"""Who is let in, and what is answered to whoever is not, or who asks for what cannot be."""

import json
from typing import Any
from uuid import uuid4

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import User
from django.test import Client, override_settings
from django.utils import timezone

from conversations.models import ApiToken, Conversation, Turn
from tests.agui.exchanges import Event, atoken_of, exchange, posted, refused, run_input
from tests.turns import conversation_of

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("gateway")]
NONE = "6f0c6c1e-58a7-4f3a-9d0e-6d8e1f1c9b42"  # no thread has this id
ADDRESSES = [
    ("POST", "/agui/"),
    ("GET", f"/agui/?threadId={NONE}"),
    ("POST", "/agui/stop"),
    ("GET", "/agui/capabilities"),
]
HERE, THERE = "https://app.example.com", "https://evil.example.com"


@pytest.mark.parametrize(("method", "path"), ADDRESSES)
@pytest.mark.parametrize("authorization", ["", "Bearer", "Bearer tt_wrong", "Basic dTpw", "Bearer \u00e9"])
async def test_without_good_credentials_it_is_401(method: str, path: str, authorization: str) -> None:
    headers = {"authorization": authorization} if authorization else {}
    assert await refused(method, path, {}, headers=headers) == (401, "unauthorized")


async def test_a_revoked_token_and_one_of_an_inactive_user_let_nobody_in(user: User) -> None:
    token = await atoken_of(user)
    await ApiToken.objects.aupdate(revoked_at=timezone.now())
    assert await refused("GET", "/agui/capabilities", token=token) == (401, "unauthorized")
    token = await atoken_of(user)
    await User.objects.aupdate(is_active=False)
    assert await refused("GET", "/agui/capabilities", token=token) == (401, "unauthorized")


def cookies_of(user: User) -> dict[str, str]:
    client = Client()
    client.force_login(user)
    client.get("/settings/")
    return {name: morsel.value for name, morsel in client.cookies.items()}


async def test_a_session_needs_its_csrf_token(user: User) -> None:
    cookies = await sync_to_async(cookies_of)(user)
    headers = {"cookie": "; ".join(f"{name}={value}" for name, value in cookies.items())}
    assert await refused("POST", body=run_input(), headers=headers) == (403, "forbidden")
    async with exchange("GET", "/agui/capabilities", headers=headers) as answered:
        assert answered.status == 200
    with_token = headers | {"x-csrftoken": cookies["csrftoken"]}
    async with exchange("POST", "/agui/", run_input(), headers=with_token) as answered:
        assert (await answered.events())[-1]["type"] == "RUN_FINISHED"


@pytest.mark.parametrize(
    ("scopes", "method", "path", "body"),
    [
        ("read", "POST", "/agui/", run_input()),
        ("read", "POST", "/agui/stop", {"threadId": NONE}),
        ("run", "GET", f"/agui/?threadId={NONE}", None),
    ],
)
async def test_a_token_is_for_its_scopes_alone(
    user: User, scopes: str, method: str, path: str, body: Any
) -> None:
    token = await atoken_of(user, scopes)
    assert await refused(method, path, body, token=token) == (403, "forbidden")
    assert not await Conversation.objects.aexists()


async def test_a_token_without_the_scope_answers_no_interrupt(user: User) -> None:
    conversation = await sync_to_async(conversation_of)(user)
    answers = run_input(None, threadId=str(conversation.pk), resume=[{"interruptId": "t"}])
    assert await refused("POST", body=answers, token=await atoken_of(user, "run")) == (403, "forbidden")


async def test_anothers_thread_is_404_and_so_is_none(user: User, other_user: User) -> None:
    theirs = str((await sync_to_async(conversation_of)(other_user)).pk)
    token = await atoken_of(user)
    assert await refused("POST", body=run_input(threadId=theirs), token=token) == (404, "not_found")
    for thread in (theirs, str(uuid4())):
        assert await refused("GET", f"/agui/?threadId={thread}", token=token) == (404, "not_found")
        assert await refused("POST", "/agui/stop", {"threadId": thread}, token=token) == (404, "not_found")
    assert not await Turn.objects.aexists()


async def test_a_deleted_thread_is_404(user: User) -> None:
    conversation = await sync_to_async(conversation_of)(user, deleted_at=timezone.now())
    wanted = run_input(threadId=str(conversation.pk))
    assert await refused("POST", body=wanted, token=await atoken_of(user)) == (404, "not_found")


DEEP = b'{"threadId": ' + b"[" * 200_000
SURROGATE = json.dumps(run_input(runId="\ud800")).encode()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"no JSON",
        b"\xff\xfe",
        b"[]",
        b"null",
        DEEP,
        SURROGATE,
        {},
        run_input(threadId="thread-1"),
        run_input(threadId=7),
        run_input(runId=""),
        run_input(runId="x" * 201),
        run_input(runId="a\x00b"),
        run_input(runId=None),
        run_input(messages="hello"),
        run_input(messages=[None, 1, "x"]),
        run_input(messages=[{"role": "assistant", "id": "a", "content": "hello"}]),
        run_input(messages=[{"role": "user", "content": "hello"}]),
        run_input(messages=[{"role": "user", "id": "a", "content": {"text": "hello"}}]),
        run_input(messages=[{"role": "user", "id": "a", "content": [None]}]),
        run_input(messages=[{"role": "user", "id": "a", "content": [{"type": "audio"}]}]),
        run_input(messages=[{"role": "user", "id": "a", "content": [{"type": "image", "source": {}}]}]),
        run_input(
            messages=[{
                "role": "user", "id": "a",
                "content": [{"type": "image", "source": {"type": "url", "value": "http://127.0.0.1/"}}],
            }]
        ),
        run_input(
            messages=[{
                "role": "user", "id": "a",
                "content": [{"type": "image", "source": {"type": "data", "value": "%%", "mimeType": "image/png"}}],
            }]
        ),
        run_input("   "),
        run_input("x" * 100_001),
        run_input(tools=[{"name": "t", "description": "", "parameters": {}}]),
        run_input(tools="t"),
        run_input(resume="yes"),
        run_input(resume=[1]),
        run_input(resume=[{"interruptId": "t", "status": "resolved"}]),
    ],
)  # fmt: skip
async def test_what_is_no_input_is_400_and_leaves_nothing(user: User, body: Any) -> None:
    assert await refused("POST", body=body, token=await atoken_of(user)) == (400, "invalid_request")
    assert not await Conversation.objects.aexists()


@pytest.mark.parametrize(
    ("method", "path"), [("PUT", "/agui/"), ("GET", "/agui/stop"), ("OPTIONS", "/agui/")]
)
async def test_another_method_is_405(user: User, method: str, path: str) -> None:
    assert (await refused(method, path, token=await atoken_of(user)))[0] == 405


@override_settings(USER_TURNS_PER_MINUTE=1)
async def test_a_users_limits_hold_here_too(user: User) -> None:
    token = await atoken_of(user)
    await posted(token, run_input())
    assert await refused("POST", body=run_input(), token=token) == (429, "throttled")
    assert await Conversation.objects.acount() == 1


@pytest.mark.parametrize("what", ["token", "conversation"])
async def test_a_stream_ends_with_its_token_and_with_its_thread(user: User, what: str) -> None:
    token, wanted = await atoken_of(user), run_input("fail silent")
    async with exchange("POST", "/agui/", wanted, token=token) as answered:
        await answered.until("TEXT_MESSAGE_CONTENT")
        if what == "token":
            await ApiToken.objects.aupdate(revoked_at=timezone.now())
        else:
            await Conversation.objects.aupdate(deleted_at=timezone.now())
        events = await answered.events()
    assert events[-1]["type"] not in ("RUN_FINISHED", "RUN_ERROR")
    assert (await Turn.objects.aget()).status == Turn.Status.RUNNING
    await sync_to_async(stop)(wanted)


def stop(wanted: Event) -> None:
    from conversations import engine

    engine.stop(wanted["threadId"])
    assert engine.WORKER.wait(20)


# -- other origins


async def cors(method: str, origin: str, **options: Any) -> tuple[int, str | None]:
    headers = {"origin": origin, "access-control-request-method": "POST"} | options.pop("headers", {})
    async with exchange(method, "/agui/capabilities", headers=headers, **options) as answered:
        await answered.rest()
        assert "access-control-allow-credentials" not in answered.headers
        assert "Origin" in answered.headers["vary"]
        return answered.status, answered.headers.get("access-control-allow-origin")


@override_settings(AGUI_ORIGINS=[HERE])
async def test_pages_of_the_origins_that_are_named_may_ask_and_read_with_a_token(user: User) -> None:
    token = await atoken_of(user)
    assert await cors("OPTIONS", HERE) == (204, HERE)
    assert await cors("GET", HERE, token=token) == (200, HERE)
    assert await cors("GET", HERE) == (401, HERE)
    assert await cors("OPTIONS", THERE) == (401, None)
    assert await cors("GET", THERE, token=token) == (200, None)
    assert await cors("GET", "null", token=token) == (200, None)


@override_settings(AGUI_ORIGINS=[HERE])
async def test_a_stream_may_be_read_from_there(user: User) -> None:
    token = await atoken_of(user)
    async with exchange("POST", "/agui/", run_input(), token=token, headers={"origin": HERE}) as answered:
        await answered.events()
        assert answered.headers["access-control-allow-origin"] == HERE


async def test_by_default_no_other_origin_may(user: User) -> None:
    assert await cors("OPTIONS", HERE) == (401, None)


# -- what it can do


async def test_the_capabilities_are_agui_ones(user: User) -> None:
    from ag_ui.core import AgentCapabilities

    async with exchange("GET", "/agui/capabilities", token=await atoken_of(user)) as answered:
        capabilities = await answered.json()
    parsed = AgentCapabilities.model_validate(capabilities)
    assert parsed.identity
    assert parsed.identity.name == "Turntable"
    assert parsed.transport
    assert parsed.transport.streaming
    assert parsed.human_in_the_loop
    assert parsed.human_in_the_loop.interrupts
    assert parsed.tools
    assert "top_song" in [tool.name for tool in parsed.tools.items or ()]
    assert not parsed.tools.client_provided
