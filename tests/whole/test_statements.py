"""A page takes no more statements for many rows than for few, and a turn takes few."""

from collections.abc import Callable, Iterator
from io import BytesIO
from statistics import median
from threading import current_thread
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import User
from django.db import connection
from django.db.backends.utils import CursorWrapper
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from pytest_django.fixtures import Settings

from bench.statements.log import CONTROL
from conversations import engine, journal
from conversations.models import (
    Allowance,
    ApiToken,
    Conversation,
    Preset,
    Prompt,
    ToolCall,
    ToolDefinition,
    Turn,
)
from conversations.protocol.converse.content import picture_facts
from conversations.web import urlpatterns
from tests.files import attached, picture
from tests.gateway.wire import Answer, Request, WireServer, answer_frames
from tests.pages import address_of, full_conversation, list_address, rows_of
from tests.reruns import rerun_of
from tests.turns import QUESTION, ask, conversation_of

pytestmark = pytest.mark.django_db(transaction=True)
FEW, MANY = 2, 20
A_TURN = 2
"""Statements of an export for each turn's part of the record; it holds one part at a time."""

REFUSED = ("preset", "prompt", "ask_two")
"""Forms that are answered with what is wrong with them."""

Visit = Callable[[Client], Any]


@pytest.fixture
def conversation(user: User, settings: Settings, gateway: object) -> Conversation:
    settings.USER_TURNS_PER_MINUTE = 0
    User.objects.filter(pk=user.pk).update(is_staff=True, is_superuser=True)
    return conversation_of(user)


def grow(conversation: Conversation, number: int) -> Conversation:
    """Adds so many rows of every kind that a user can have; returns a rerun of the conversation."""
    user, beside = conversation.owner, None
    for at in range(number):
        ask(conversation, QUESTION)
        beside = full_conversation(user, within=beside)
        conversation_of(user, title=f"another {at}")
        attached(conversation)
        Prompt.objects.create(user=user, name=f"prompt-{user.prompts.count()}", text="Be brief.")
        Preset.objects.create(user=user, name=f"preset {user.presets.count()}", text="Be brief.")
        tool = f"tool {ToolDefinition.objects.count()}"
        ToolDefinition.objects.create(
            server="records", name=tool, agreed={"name": tool}, agreed_sha256="0" * 64
        )
    rerun_of(conversation)
    return Conversation.objects.get(rerun_of=conversation, turns__number=conversation.turns.count())


def getting(path: str) -> Visit:
    return lambda client: client.get(path)


def posting(path: str, **form: Any) -> Visit:
    return lambda client: client.post(path, form)


def own_pages(conversation: Conversation, rerun: Conversation) -> Iterator[tuple[str, Visit]]:
    """A visit to each address of the site, by its name."""

    def path(name: str, *arguments: object) -> str:
        return reverse(f"conversations:{name}", args=arguments)

    prompt, allowance = Prompt.objects.latest("pk"), Allowance.objects.filter(revoked_at=None).latest("pk")
    yield "index", getting(path("index"))
    yield "index, a search", getting(path("index") + "?q=song")
    yield "create", posting(path("create"))
    yield "change", posting(path("change"), action="pin", ids=str(rerun.pk))
    yield "index, the archive", getting(path("index") + "?archived")
    yield "new", posting(path("new"))
    yield "sidebar", getting(path("sidebar"))
    yield "theme", posting(path("theme"), theme="dark")
    yield "waiting", getting(path("waiting"))
    yield "settings", getting(path("settings"))
    yield (
        "prompt",
        posting(path("prompt", prompt.pk), **{f"{prompt.pk}-name": "none", f"{prompt.pk}-text": ""}),
    )
    yield "find", getting(path("find") + "?q=song")
    yield "find, the newest", getting(path("find"))
    preset = Preset.objects.latest("pk")
    yield "presets", getting(path("presets") + f"?id={preset.pk}")
    yield "preset", posting(path("preset", preset.pk), **{f"preset-{preset.pk}-name": ""})
    yield "prompts", getting(path("prompts"))
    yield "prompts, one", getting(path("prompts") + f"?id={prompt.pk}")
    yield "theme", posting(path("theme"), theme="dark")
    yield "revoke", posting(path("revoke", allowance.pk))
    token = ApiToken.objects.filter(revoked_at=None).latest("pk")
    yield "tokens", posting(path("tokens"), name="reports", scope="read")
    yield "revoke_token", posting(path("revoke_token", token.pk))
    yield "compare", getting(path("compare", rerun.pk))
    for name in ("conversation", "again", "delete", "options", "replay", "replay_outline", "tree"):
        yield name, getting(path(name, conversation.pk))
    for kind in ("json", "md", "jsonl"):
        yield f"export, {kind}", getting(path("export", conversation.pk) + f"?format={kind}")
    ends = f"?first=1&last={journal.last_seq(conversation.pk)}"
    yield "replay_ends", getting(path("replay_ends", conversation.pk) + ends)
    turn = conversation.turns.latest("number")
    yield "replay_turn", getting(path("replay_turn", conversation.pk, turn.pk))
    yield "card", getting(path("card", conversation.pk) + f"?call={turn.tool_calls.get().tool_use_id}")
    first = conversation.turns.earliest("number")
    yield "attach", posting(path("attach", conversation.pk), file=BytesIO(picture()))
    yield "attachment", getting(path("attachment", conversation.attachments.latest("created_at").pk))
    yield "ask_two", posting(path("ask_two", conversation.pk), message="hello", second="none")
    yield "beside", getting(path("beside", conversation.pk, rerun.pk))
    yield "column", getting(path("column", conversation.pk))
    [image] = [block["image"] for block in first.messages.get(role="assistant").content if "image" in block]
    yield "picture", getting(path("picture", conversation.pk, first.pk, picture_facts(image)["sha256"]))


def admin_pages(conversation: Conversation) -> Iterator[tuple[str, Visit]]:
    """A visit to the list and to a row of each kind."""
    yield "admin", getting(reverse("admin:index"))
    turn = conversation.turns.latest("number")
    largest = {Conversation: conversation, Turn: turn, ToolCall: turn.tool_calls.get()}
    for model in admin.site._registry:
        if model._meta.app_label == "conversations":
            row = largest.get(model) or rows_of(model).last()
            yield f"list of {model.__name__}", getting(list_address(model))
            yield f"a {model.__name__}", getting(address_of(row))


def counts(client: Client, visits: Iterator[tuple[str, Visit]]) -> dict[str, int]:
    """The number of statements of each visit; none may fail."""
    numbers = {}
    for name, visit in visits:
        with CaptureQueriesContext(connection) as statements:
            answer = visit(client)
            b"".join(answer)  # what is streamed, too
        assert answer.status_code in (200, 201, 204, 302) or name in REFUSED, (name, answer.status_code)
        numbers[name] = len(statements)
    return numbers


def test_no_page_takes_more_statements_for_many_rows_than_for_few(conversation: Conversation) -> None:
    client = Client()
    client.force_login(conversation.owner)
    all_counts = []
    ask(conversation, "show a picture")
    for number in (FEW, FEW, MANY):  # at first more is asked, once for the whole process
        rerun = grow(conversation, number)
        pages = dict(own_pages(conversation, rerun))
        assert {name.partition(",")[0] for name in pages} == {pattern.name for pattern in urlpatterns}
        all_counts.append(counts(client, iter((pages | dict(admin_pages(conversation))).items())))
    _, few, many = all_counts
    for name in few:
        few[name] += name.startswith("export") * A_TURN * MANY
    assert {name: (few[name], number) for name, number in many.items() if number > few[name]} == {}


@pytest.fixture
def statements(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The statements of all threads from now on, without transactions and heartbeats.

    The number of heartbeats is that of the seconds.
    """
    texts: list[str] = []
    for name in ("execute", "executemany"):
        _note(monkeypatch, name, texts)
    return texts


def _note(monkeypatch: pytest.MonkeyPatch, name: str, texts: list[str]) -> None:
    execute = getattr(CursorWrapper, name)

    def execute_and_note(self: CursorWrapper, sql: Any, params: Any = None) -> Any:
        if not CONTROL.match(str(sql)) and not current_thread().name.startswith("keeper"):
            texts.append(str(sql))
        return execute(self, sql, params)

    monkeypatch.setattr(CursorWrapper, name, execute_and_note)


def test_a_turn_of_one_delta_takes_few_statements_and_fewer_before_the_gateway_is_asked(
    conversation: Conversation, settings: Settings, statements: list[str]
) -> None:
    before, whole = [], []

    def answer(_: Request) -> Answer:
        before.append(len(statements))
        return Answer.stream(*answer_frames("Hello."))

    with WireServer([answer]) as server:
        settings.GATEWAY_URL = server.url
        for number in range(5):
            statements.clear()
            engine.start(conversation.pk, f"00000000-0000-4000-8000-{number:012}", "Hello?")
            assert engine.WORKER.wait(20)
            whole.append(len(statements))
    # in the median: sweeps have statements of their own, now and then
    print(before, whole)
    assert median(before) <= 10
    assert median(whole) <= 20
