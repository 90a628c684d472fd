"""The list of tool calls: filters, figures, files; and the page of a call."""

import csv
import io
import json
import logging
from datetime import UTC, datetime, timedelta

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import Permission, User
from django.db import connections
from django.test import AsyncClient, Client
from django.utils import timezone

from conversations.admin.figures import percentile
from conversations.models import Conversation, ToolCall
from tests.pages import SONG, address_of, full_conversation, html_of, query_count, rows_in_list

pytestmark = pytest.mark.django_db
CALLS = "/admin/conversations/toolcall/"
EXPORT = f"{CALLS}export."


# -- filters and figures


def test_filters_leave_out_what_they_should(operator: Client, call: ToolCall, other: ToolCall) -> None:
    ToolCall.objects.filter(pk=call.pk).update(duration_ms=150)
    chosen: dict[str, tuple[object, object]] = {
        "name__exact": ("top_song", "other"),
        "status__exact": ("success", "error"),
        "error__exact": (None, "timeout"),
        "user": (call.turn.user_id, other.turn.user_id),
        "model": (call.turn.model, "another"),
    }
    for column, (one, another) in chosen.items():
        assert one is None or rows_in_list(operator, ToolCall, **{column: one}) == [call], column
        assert rows_in_list(operator, ToolCall, **{column: another}) == [other], column
    slow = {step: len(rows_in_list(operator, ToolCall, slower=step)) for step in (100, 1_000, 10_000, 60_000)}
    assert slow == {100: 2, 1_000: 1, 10_000: 1, 60_000: 0}
    for column, value in (
        ("user", "x"),
        ("user", "9" * 30),
        ("slower", "x"),
        ("slower", "9" * 30),
        ("name__exact", "none"),
    ):
        assert operator.get(CALLS, {column: value}).status_code == 200


def test_filters_offer_what_there_is_with_a_query_each(
    operator: Client, call: ToolCall, other: ToolCall
) -> None:
    specs = {spec.title: spec for spec in operator.get(CALLS).context["cl"].filter_specs}
    offered = {
        title: [text for _, text in getattr(spec, "lookup_choices", [])] for title, spec in specs.items()
    }
    assert offered["name"] == ["other", "top_song"]
    assert offered["error class"] == ["timeout"]
    assert offered["user"] == ["herbert", "jennifer"]
    assert set(offered["model"]) == {"another", "cohere.command-r-v1:0"}
    assert list(specs) == ["status", "name", "error class", "duration", "user", "model", "approval"]


def test_figures_are_those_of_the_calls_that_are_listed(
    operator: Client, call: ToolCall, other: ToolCall
) -> None:
    for position, duration in enumerate([100, 200, 300, None], 1):
        ToolCall.objects.create(
            conversation=call.conversation, turn=call.turn, round=call.round, position=position,
            tool_use_id=f"t{position}", name="top_song", status="success" if duration else "error", duration_ms=duration,
        )  # fmt: skip
    figures = operator.get(CALLS).context["figures"]
    assert [(tool.name, tool.calls, tool.failed) for tool in figures] == [
        ("top_song", 5, 1),
        ("other", 1, 1),
        ("", 6, 2),
    ]
    assert (figures[0].p50, figures[0].p95, figures[0].p99) == ("200 ms", "290 ms", "298 ms")
    assert figures[1].p50 == "12.00 s"
    (only,) = operator.get(CALLS, {"q": "other"}).context["figures"]
    assert (only.name, only.calls) == ("other", 1)
    assert operator.get(CALLS, {"q": "turkey"}).context["figures"] == []


@pytest.mark.parametrize("percent", [50, 95, 99])
def test_percentiles_are_those_of_postgresql(percent: int) -> None:
    """Linear between the two values beside it, as in percentile_cont."""
    values = [5, 1, 9, 40]
    at = (len(values) - 1) * percent / 100
    low, high = sorted(values)[int(at)], sorted(values)[min(3, int(at) + 1)]
    assert percentile(values, percent) == pytest.approx(low + (high - low) * (at - int(at)))
    assert percentile([7], percent) == 7
    assert percentile([], percent) is None


def test_a_long_list_is_counted_and_paged_to_a_limit(
    operator: Client, call: ToolCall, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("conversations.admin.lists.LISTED", 3)
    for _ in range(4):
        full_conversation(call.turn.user)
    page = operator.get(CALLS)
    assert page.context["cl"].result_count == 3
    assert "The newest 3 are listed." in page.content.decode()


def test_a_day_of_the_calls_can_be_chosen(operator: Client, call: ToolCall, other: ToolCall) -> None:
    ToolCall.objects.filter(pk=call.pk).update(created_at=datetime(2026, 3, 17, 12, tzinfo=UTC))
    day = {"created_at__year": 2026, "created_at__month": 3, "created_at__day": 17}
    assert rows_in_list(operator, ToolCall, **day) == [call]


# -- files


def exported(client: Client, kind: str, **query: object) -> str:
    response = client.get(f"{EXPORT}{kind}", query)
    assert response.status_code == 200
    assert response.streaming
    return b"".join(response.streaming_content).decode()


def test_the_list_is_exported_as_json_lines(operator: Client, call: ToolCall, other: ToolCall) -> None:
    lines = [json.loads(line) for line in exported(operator, "jsonl").splitlines()]
    assert [line["id"] for line in lines] == [str(other.pk), str(call.pk)]
    line = lines[1]
    assert line["input"] == {"sign": "WZPZ"}
    assert line["result"] == SONG
    assert (line["user"], line["turnNumber"], line["round"], line["attempt"]) == ("jennifer", 1, 1, 1)
    assert datetime.fromisoformat(line["createdAt"]) == call.created_at


def test_the_list_is_exported_as_csv(operator: Client, call: ToolCall, other: ToolCall) -> None:
    rows = list(csv.DictReader(io.StringIO(exported(operator, "csv"))))
    assert [row["id"] for row in rows] == [str(other.pk), str(call.pk)]
    assert rows[1]["result"] == '{"song": "Elemental Hotel", "artist": "8 Storey Hike"}'
    assert rows[1]["arguments"] == '{"sign": "WZPZ"}'
    assert (rows[0]["result"], rows[0]["durationMs"]) == ("", "12000")


@pytest.mark.parametrize(
    "query",
    [
        {"q": "hotel"},
        {"name__exact": "top_song"},
        {"status__exact": "success"},
        {"model": "cohere.command-r-v1:0"},
    ],
)
def test_the_export_has_the_lists_filters_and_search(
    operator: Client, call: ToolCall, other: ToolCall, query: dict[str, object]
) -> None:
    assert [json.loads(line)["id"] for line in exported(operator, "jsonl", **query).splitlines()] == [
        str(call.pk)
    ]


@pytest.mark.parametrize("begin", ["=", "+", "-", "@", "\t", "\r"])
def test_no_cell_is_a_formula(operator: Client, call: ToolCall, begin: str) -> None:
    evil = f"{begin}HYPERLINK(1)"
    ToolCall.objects.update(name=evil, arguments=evil, input=None, error=evil, result=[{"text": evil}])
    User.objects.filter(username="jennifer").update(username=evil)
    (row,) = csv.DictReader(io.StringIO(exported(operator, "csv")))
    assert {row[name] for name in ("name", "arguments", "error", "result", "user")} == {f"'{evil}"}
    assert not [cell for cell in row.values() if cell.startswith(begin)]


def test_an_export_is_logged_without_content(
    operator: Client, call: ToolCall, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    exported(operator, "csv", q="hotel")
    user = User.objects.get(username="arthur")
    assert f"user {user.pk} exported 1 tool calls as csv" in caplog.text
    assert "hotel" not in caplog.text.lower()


def test_an_export_takes_one_query_for_many_rows(operator: Client, user: User, call: ToolCall) -> None:
    few = query_count(operator, f"{EXPORT}jsonl", streamed=True)
    for _ in range(10):
        full_conversation(user)
    assert query_count(operator, f"{EXPORT}jsonl", streamed=True) == few < 20


def test_only_those_who_may_see_calls_export_them(client: Client, call: ToolCall, user: User) -> None:
    assert client.get(f"{EXPORT}csv").status_code == 302
    User.objects.filter(pk=user.pk).update(is_staff=True)
    client.force_login(user)
    assert client.get(f"{EXPORT}csv").status_code == 403
    assert client.get(f"{CALLS}{call.pk}/result.json").status_code == 403


def test_an_export_of_nonsense_is_refused(operator: Client, call: ToolCall) -> None:
    assert operator.get(f"{EXPORT}exe").status_code == 404
    assert operator.get(f"{EXPORT}csv", {"nothing": 1}).status_code == 302
    assert operator.get(f"{EXPORT}csv", {"turn__user__password": "x"}).status_code == 400


@pytest.mark.django_db(transaction=True)
async def test_an_asynchronous_server_streams_it_too(user: User) -> None:
    await sync_to_async(full_conversation)(user)
    client = AsyncClient()
    await client.aforce_login(await User.objects.acreate_superuser("arthur"))
    response = await client.get(f"{EXPORT}jsonl")
    lines = b"".join([piece async for piece in response.streaming_content]).splitlines()
    await sync_to_async(connections.close_all)()
    assert [json.loads(line)["name"] for line in lines] == ["top_song"]


# -- a call's page


def test_a_calls_page_shows_what_came_of_it(operator: Client, call: ToolCall) -> None:
    html = html_of(operator, address_of(call))
    for text in (
        "<b>&quot;sign&quot;</b>: <q>&quot;WZPZ&quot;</q>",
        "Elemental Hotel",
        "jennifer",
        "Success",
        "tooluse_",
    ):
        assert text in html, text


def test_a_value_that_would_drown_the_page_is_cut_and_to_be_had_whole(
    operator: Client, call: ToolCall
) -> None:
    result = [{"text": "x" * 100_000}]
    ToolCall.objects.update(result=result)
    html = html_of(operator, address_of(call))
    assert len(html) < 60_000
    assert "… 80,002 more characters" in html
    whole = f"{CALLS}{call.pk}/result.json"
    assert f'href="{whole}"' in html
    assert operator.get(whole).json() == result
    assert operator.get(f"{CALLS}{call.pk}/nothing.json").status_code == 404


def test_playback_and_chat_are_linked_for_those_who_may_open_them(client: Client, call: ToolCall) -> None:
    def links() -> list[bool]:
        html = html_of(client, address_of(call)).replace("/admin/conversations/", "")
        chat = f"/conversations/{call.conversation_id}/"
        return [f'href="{chat}replay/#' in html, f'href="{chat}"' in html]

    operator = User.objects.create_user("arthur", is_staff=True)
    view = Permission.objects.filter(content_type__app_label="conversations", codename__startswith="view_")
    operator.user_permissions.set(view.exclude(codename="view_conversation"))
    client.force_login(operator)
    assert links() == [False, False]
    operator.user_permissions.set(view)
    assert links() == [True, False]
    Conversation.objects.update(owner=operator)
    assert links() == [True, True]


def test_times_are_those_of_the_rows(operator: Client, call: ToolCall) -> None:
    now = timezone.now()
    ToolCall.objects.update(started_at=now - timedelta(seconds=2), finished_at=now, duration_ms=2000)
    assert "2.00 s" in html_of(operator, address_of(call))
