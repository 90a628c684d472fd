"""What waits for its user: on a page of its own, decided there, and counted on every page."""

import re
from html import unescape
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from conversations import engine
from conversations.models import Allowance, Approval
from conversations.web import waiting as page
from tests.engine.station import top_song_as
from tests.lost_turns import pending_approvals
from tests.records import running
from tests.turns import conversation_of

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def no_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leaves turns that go on to another process."""
    monkeypatch.setattr(engine.WORKER, "takes_turns", False)


def waiting_page(client: Client) -> str:
    return unescape(client.get("/waiting/").content.decode())


def decide(client: Client, approval: Approval, decision: str, **form: Any) -> Any:
    return client.post("/waiting/", {"call": approval.pk, "decision": decision} | form)


def test_each_call_stands_under_its_conversation_and_the_number_on_every_page(
    client: Client, user: User, other_user: User
) -> None:
    first, second = (conversation_of(user, title=title) for title in ("Songs", "Other songs"))
    pending_approvals(first, "one", "two")
    pending_approvals(second, "three")
    pending_approvals(conversation_of(other_user, title="Secret plans"), "four")
    text = waiting_page(client)
    assert text.count('role="group" aria-label="Tool call top_song"') == 3
    assert [text.count(f">{title}</a></h2>") for title in ("Songs", "Other songs")] == [1, 1]
    assert text.index(">Songs</a></h2>") < text.index(">Other songs</a></h2>")
    assert "Secret plans" not in text
    for path in ("/", "/settings/", "/waiting/", f"/conversations/{first.pk}/"):
        html = client.get(path).content.decode()
        assert '<span class="number">3</span> <span class="word">waiting</span>' in html
        assert "(3) " in html[html.index("<title") : html.index("</title>")]


def test_where_nothing_waits_the_page_says_what_it_is_for(client: Client, user: User) -> None:
    pending_approvals(conversation_of(user), "one")[0].call.turn.conversation.turns.update(status="stopped")
    text = waiting_page(client)
    assert "Nothing waits for you." in text
    assert '<title data-waiting="0">Waiting for you · Turntable</title>' in text


@pytest.mark.parametrize(("decision", "status"), [("approve", "approved"), ("deny", "denied")])
def test_a_decision_is_stored_as_in_the_conversation(
    client: Client, user: User, decision: str, status: str
) -> None:
    first, second = pending_approvals(conversation_of(user), "one", "two")
    answer = decide(client, first, decision, reason="no thanks", arguments=page.arguments_of(first))
    assert answer["Location"] == "/waiting/"
    text = waiting_page(client)
    assert f"top_song is {status}." in text
    assert (str(first.pk) in text, str(second.pk) in text) == (False, True)
    first.refresh_from_db()
    assert (first.status, first.decided_by, first.input) == (status, user, None)
    assert first.reason == ("no thanks" if status == "denied" else "")
    assert first.call.turn.status == "waiting"
    decide(client, second, decision)
    assert "Nothing waits for you." in waiting_page(client)
    assert Approval.objects.get(pk=second.pk).call.turn.status == "running"


def test_arguments_may_be_changed_and_allowed_always(client: Client, user: User) -> None:
    [approval] = pending_approvals(conversation_of(user), "one")
    decide(client, approval, "approve", arguments='{"sign": "WKRP"}', always="on")
    approval.refresh_from_db()
    assert approval.input == {"sign": "WKRP"}
    assert Allowance.objects.get().input == {"sign": "WKRP"}


def test_a_whole_tool_is_allowed_where_it_may_be_and_listed_until_it_is_revoked(
    client: Client, user: User
) -> None:
    first, second = pending_approvals(conversation_of(user), "one", "two")
    assert "Always for this tool with these arguments" in waiting_page(client)
    answer = decide(client, first, "approve", always="tool")
    assert "This tool may be let through with the same arguments alone" in unescape(answer.content.decode())
    with top_song_as(str, approval=True, always="tool"):
        page = waiting_page(client)
        assert page.count("Always for these arguments") == page.count("Always for this tool") == 2
        decide(client, second, "approve", always="tool")
    second.refresh_from_db()
    allowance = Allowance.objects.get()
    assert (second.always, allowance.input) == ("tool", None)
    assert "With any arguments." in client.get("/settings/").content.decode()
    client.post(f"/settings/allowances/{allowance.pk}/revoke/")
    assert "With any arguments." not in client.get("/settings/").content.decode()


@pytest.mark.parametrize(
    ("form", "problem"),
    [
        ({"decision": "approve", "arguments": '{"sign"'}, "The arguments are not JSON: line 1, column 8."),
        ({"decision": "approve", "arguments": "[]"}, "Arguments are a JSON object."),
        ({"decision": "perhaps"}, "Choose Approve or Deny."),
    ],
)
def test_what_cannot_be_decided_is_said_and_what_was_written_stays(
    client: Client, user: User, form: dict[str, str], problem: str
) -> None:
    [approval] = pending_approvals(conversation_of(user), "one")
    answer = client.post("/waiting/", {"call": approval.pk} | form)
    text = unescape(answer.content.decode())
    assert answer.status_code == 400
    assert problem in text
    assert form.get("arguments", page.arguments_of(approval)) in text
    approval.refresh_from_db()
    assert approval.status == "pending"


@pytest.mark.parametrize("status", ["approved", "expired", "withdrawn", "deleted", "of another user"])
def test_a_call_that_waits_no_more_is_told_to_be_gone(
    client: Client, user: User, other_user: User, status: str
) -> None:
    conversation = conversation_of(other_user if status == "of another user" else user)
    [approval] = pending_approvals(conversation, "one")
    if status == "deleted":
        conversation.delete()
    elif status != "of another user":
        Approval.objects.update(status=status, decided_at=timezone.now())
    answer = decide(client, approval, "approve")
    assert answer.status_code == 409
    assert engine.DECIDED_ALREADY in answer.content.decode()
    assert not Approval.objects.filter(status="approved").exclude(decided_by=None).exists()


@pytest.mark.parametrize("call", ["", "no id"])
def test_a_form_that_names_no_call_changes_nothing(client: Client, user: User, call: str) -> None:
    pending_approvals(conversation_of(user), "one")
    assert client.post("/waiting/", {"call": call, "decision": "approve"}).status_code == 409


def test_of_very_many_calls_the_oldest_are_shown(
    client: Client, user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(page, "MOST", 2)
    pending_approvals(conversation_of(user), "one", "two", "three")
    text = waiting_page(client)
    assert text.count('role="group"') == 2
    assert "These are the 2 that have waited longest." in text


def test_lists_say_in_words_what_is_new_and_what_waits(client: Client, user: User) -> None:
    pending_approvals(conversation_of(user, title="Songs"), "one")
    running(conversation_of(user, title="News"), status="completed")
    conversation_of(user, title="Nothing")
    marks = {}
    for path in ("/", "/sidebar/"):
        rows = client.get(path).content.decode().split("<li data-id")[1:]
        marks[path] = [re.findall(r'class="state" data-mark="(\w*)">([^<]*)<', row)[0] for row in rows]
    states = [("", ""), ("unread", "Unread"), ("waiting", "Waiting for approval")]
    assert marks == {"/sidebar/": states, "/": states * 2}
