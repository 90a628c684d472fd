"""The server's answers to the player: the outline, stored lines and ends, and who may have them.

Neither the gateway nor a tool is called.
"""

import json
import zlib
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client

from conversations import gateway as gateways
from conversations.journal import pack
from conversations.models import Conversation, Turn
from conversations.playback.outline import outline
from conversations.protocol.agui import events
from conversations.tools import execution
from tests.records import recorded_turn, text_events
from tests.turns import QUESTION, ask, conversation_of, record

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def client(user: User) -> Client:
    """The user's browser, which takes compressed answers."""
    client = Client(headers={"Accept-Encoding": "gzip, deflate"})
    client.force_login(user)
    return client


@pytest.fixture
def conversation(user: User) -> Conversation:
    return conversation_of(user, title="Turkeys")


def recording_part(client: Client, conversation: Conversation, part: str = "outline/") -> Any:
    """A part of the recording, as JSON."""
    return client.get(f"/conversations/{conversation.pk}/replay/{part}").json()


def lines(*rows: tuple[int, dict[str, Any]], parts: str = "") -> list[str]:
    """Events with their times, as they are stored; `parts` are the last one's."""
    numbered = [
        event | {"timestamp": at, "metadata": event.get("metadata", {}) | {"seq": seq}}
        for seq, (at, event) in enumerate(rows, 1)
    ]
    stored = [json.dumps(event, separators=(",", ":")) + "\t" for event in numbered]
    return [*stored[:-1], stored[-1] + parts]


QUESTION_EVENT = (1000, {"type": "TEXT_MESSAGE_CONTENT", "messageId": "q", "delta": "hello"})


def delta(text: str = "x") -> dict[str, Any]:
    return {"type": "TEXT_MESSAGE_CONTENT", "messageId": "a", "delta": text}


# -- the outline


def test_an_outline_has_span_question_and_what_is_of_note() -> None:
    call = {"type": "TOOL_CALL_START", "toolCallId": "t1", "toolCallName": "top_song"}
    turn = outline(
        lines(
            (500, events.run_started("c", "t")),
            QUESTION_EVENT,
            (1200, events.step_started(1)),
            (1300, call),
            (1400, events.tool_call_result("t1", "no", status="error", duration_ms=5)),
            (1500, {"type": "STEP_FINISHED", "stepName": "round 1", "metadata": {"interrupted": True}}),
            (1600, events.run_error("It broke.", "timeout")),
        )
    )
    assert (turn.begin, turn.end, turn.question, turn.waits) == (500, 1600, "hello", [])
    assert turn.marks == [
        ("round", 1200, "round 1", ""),
        ("call", 1300, "top_song", "t1"),
        ("error", 1400, "Tool call failed: no", "t1"),
        ("error", 1500, "Interrupted", ""),
        ("error", 1600, "It broke.", ""),
    ]


def test_a_wait_of_more_than_a_second_is_named_by_what_came_after_it() -> None:
    result = events.tool_call_result("t1", "no", status="success", duration_ms=5)
    turn = outline(
        lines(
            QUESTION_EVENT, (2000, delta()), (3001, delta()), (5000, events.step_started(2)), (5001, result)
        )
    )
    assert [(wait.begin, wait.end, wait.key, wait.is_idle) for wait in turn.waits] == [
        (2000, 3001, "a", False),
        (3001, 5000, "call:t1", False),
    ]


def test_a_wait_between_merged_deltas_counts() -> None:
    turn = outline(lines(QUESTION_EVENT, (2000, delta("abc")), parts="[[0,1],[1500,1],[1600,1]]"))
    assert [(wait.begin, wait.end, wait.key) for wait in turn.waits] == [(2000, 3500, "a")]
    assert turn.end == 3600


def test_a_text_that_speaks_of_timestamps_misleads_nobody() -> None:
    hostile = 'x","timestamp":9999999999999,"y\\'
    turn = outline(lines(QUESTION_EVENT, (1100, delta(hostile)), (1200, delta(hostile))))
    assert (turn.begin, turn.end, turn.waits) == (1000, 1200, [])


def test_a_person_s_pause_in_a_turn_is_told_apart() -> None:
    turn = outline(
        lines(
            QUESTION_EVENT,
            (2000, events.run_finished("c", "t", "interrupt", [])),
            (90_000, events.run_started("c", "t:2")),
        )
    )
    assert [wait.is_idle for wait in turn.waits] == [True]


def test_what_is_said_before_a_turn_goes_on_leaves_it_a_person_s_pause() -> None:
    news = events.custom("conversation", {"title": "Hotels"})
    turn = outline(
        lines(
            QUESTION_EVENT,
            (2000, events.run_finished("c", "t", "interrupt", [])),
            (9_000, news),
            (90_000, events.run_started("c", "t:2")),
            (92_000, delta()),
            (92_500, events.run_finished("c", "t:2", "success", [])),
        )
    )
    assert [(wait.begin, wait.end, wait.key, wait.is_idle) for wait in turn.waits] == [
        (2000, 9_000, "a", True),
        (9_000, 90_000, "a", True),
        (90_000, 92_000, "a", False),
    ]


def test_a_clock_that_was_set_back_does_not_turn_time_round() -> None:
    turn = outline(lines(QUESTION_EVENT, (900, delta()), (950, delta())), after=1500)
    assert (turn.begin, turn.end) == (1500, 1500)


def test_turns_are_told_in_order_packed_or_not(client: Client, conversation: Conversation) -> None:
    first, second = (
        recorded_turn(conversation, "one", *text_events("1")),
        recorded_turn(conversation, "two", *text_events("2")),
    )
    pack(first)
    turns = recording_part(client, conversation)["turns"]
    assert [(turn["id"], turn["number"], turn["question"]) for turn in turns] == [
        (str(first.pk), 1, "one"),
        (str(second.pk), 2, "two"),
    ]
    assert turns[0]["last"] + 1 == turns[1]["first"]


def test_a_turn_is_told_with_what_it_followed_on(client: Client, conversation: Conversation) -> None:
    first, second, third = (recorded_turn(conversation, text) for text in ("one", "two", "two again"))
    pack(first)
    Turn.objects.filter(pk__in=(second.pk, third.pk)).update(parent=first)
    parents = [turn["parent"] for turn in recording_part(client, conversation)["turns"]]
    assert parents == [None, str(first.pk), str(first.pk)]


# -- lines and ends


def test_a_turn_s_lines_are_its_row_s_own_bytes(client: Client, conversation: Conversation) -> None:
    turn = recorded_turn(conversation, "one", *text_events("1"))
    path = f"/conversations/{conversation.pk}/replay/turns/{turn.pk}/"
    unpacked = zlib.decompress(client.get(path).content)
    pack(turn)
    answer = client.get(path)
    assert answer["Content-Encoding"] == "deflate"
    assert answer.content == bytes(Turn.objects.get().recording.body)
    assert zlib.decompress(answer.content) == unpacked
    plain = Client()
    plain.force_login(conversation.owner)
    assert plain.get(path).content == unpacked


def test_a_turn_of_another_conversation_is_not_there(
    client: Client, user: User, conversation: Conversation
) -> None:
    turn = recorded_turn(conversation_of(user), "one")
    assert client.get(f"/conversations/{conversation.pk}/replay/turns/{turn.pk}/").status_code == 404


def test_ends_are_what_turns_had_come_to(client: Client, conversation: Conversation) -> None:
    turns = [recorded_turn(conversation, text, *text_events(text)) for text in ("one", "two", "three")]
    pack(turns[0])
    spans = {
        turn["id"]: (turn["first"], turn["last"]) for turn in recording_part(client, conversation)["turns"]
    }
    first, last = spans[str(turns[0].pk)][0], spans[str(turns[1].pk)][1]
    ends = recording_part(client, conversation, f"ends/?first={first}&last={last}")
    assert [end["state"]["id"] for end in ends] == [str(turn.pk) for turn in turns[:2]]
    assert [end["messages"][1]["content"] for end in ends] == ["one", "two"]


@pytest.mark.parametrize(
    "query", ["", "?first=1", "?first=a&last=2", "?first=-1&last=2", "?first=1&last=" + "9" * 99]
)
def test_ends_without_a_range_are_refused(client: Client, conversation: Conversation, query: str) -> None:
    assert client.get(f"/conversations/{conversation.pk}/replay/ends/{query}").status_code == 400


# -- who, and what is never done


def test_who_may_see_conversations_in_the_admin_may_watch_them(
    other_user: User, conversation: Conversation
) -> None:
    recorded_turn(conversation, "one")
    client = Client()
    client.force_login(other_user)
    page = f"/conversations/{conversation.pk}/replay/"
    assert client.get(page).status_code == 404
    other_user.is_staff = True
    other_user.save()
    assert client.get(page).status_code == 404
    other_user.user_permissions.add(Permission.objects.get(codename="view_conversation"))
    answer = client.get(page)
    assert answer.status_code == 200
    assert "Back to the admin" in answer.content.decode()
    assert f'href="/conversations/{conversation.pk}/"' not in answer.content.decode()
    assert client.get(f"{page}outline/").status_code == 200
    assert client.get(f"/conversations/{conversation.pk}/").status_code == 404
    assert client.get(f"/conversations/{conversation.pk}/export/").status_code == 404


def test_playback_needs_neither_gateway_nor_tools(
    client: Client, conversation: Conversation, gateway: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    turn = ask(conversation, QUESTION)
    before = record(conversation)

    def unplugged(*_: object, **__: object) -> None:
        raise AssertionError("called")

    monkeypatch.setattr(gateways, "get_gateway", unplugged)
    monkeypatch.setattr(execution, "execute", unplugged)
    parts = ("", "outline/", f"turns/{turn.pk}/", "ends/?first=1&last=99")
    for part in parts:
        assert client.get(f"/conversations/{conversation.pk}/replay/{part}").status_code == 200
    marks = recording_part(client, conversation)["turns"][0]["marks"]
    assert [(kind, name) for kind, _, name, _ in marks] == [
        ("round", "round 1"),
        ("call", "top_song"),
        ("round", "round 2"),
    ]
    assert record(conversation) == before


def test_nothing_of_a_recording_is_kept_in_a_cache(client: Client, conversation: Conversation) -> None:
    turn = recorded_turn(conversation, "one")
    for part in ("", "outline/", f"turns/{turn.pk}/", "ends/?first=1&last=9"):
        answer = client.get(f"/conversations/{conversation.pk}/replay/{part}")
        assert "no-store" in answer["Cache-Control"]
        assert answer["X-Content-Type-Options"] == "nosniff"
