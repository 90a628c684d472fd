"""Approvals in the admin: who let which call run, who may decide, and what a conversation cost."""

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client, override_settings
from django.utils import timezone

from conversations import engine
from conversations.errors import Refused
from conversations.models import Allowance, Approval, Conversation, Round, ToolCall, Turn
from conversations.tools import registry, tool
from tests.pages import address_of, full_conversation, html_of, query_count, rows_in_list
from tests.turns import conversation_of

pytestmark = pytest.mark.django_db
CALLS = "/admin/conversations/toolcall/"


@pytest.fixture
def pending(user: User) -> Approval:
    """A call that waits for a decision."""
    call = full_conversation(user).tool_calls.get()
    Turn.objects.filter(pk=call.turn_id).update(status="waiting")
    ToolCall.objects.filter(pk=call.pk).update(status="requested", result=None)
    Approval.objects.filter(call=call).update(status="pending", decided_by=None, allowance=None)
    return Approval.objects.get(call=call)


def staff(*permissions: str) -> Client:
    """The browser of somebody on the staff with these permissions alone."""
    someone = User.objects.create_user("someone", is_staff=True)
    someone.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client = Client(enforce_csrf_checks=False)
    client.force_login(someone)
    return client


Resumes = list[tuple[Conversation, User, Any]]


@pytest.fixture
def resumes(monkeypatch: pytest.MonkeyPatch) -> Resumes:
    """The arguments with which the admin calls `engine.resume`, which does nothing here."""
    calls: Resumes = []
    monkeypatch.setattr(engine, "resume", lambda *arguments: calls.append(arguments))
    return calls


def decide(client: Client, row: Approval, **form: str) -> int:
    return client.post(address_of(row, "decide"), form).status_code


# -- lists and pages


def test_an_approval_tells_who_decided_what_when_and_why(operator: Client, user: User) -> None:
    call = full_conversation(user).tool_calls.get()
    moment = timezone.now() - timedelta(days=1)
    Approval.objects.update(
        status="denied", reason="Not on a Sunday.", input={"sign": "WKRP"}, requested_at=moment,
        expires_at=moment, decided_at=moment,
    )  # fmt: skip
    minute = f"{moment:%Y-%m-%d %H:%M}"
    for page in (html_of(operator, address_of(call)), html_of(operator, address_of(call.approval))):
        assert page.count(minute) >= 3
        for words in ("jennifer", "denied", "Not on a Sunday.", "Changed arguments", "WKRP"):
            assert words in page, words
    ways = [call, call.turn, call.conversation, Allowance.objects.get()]
    page = html_of(operator, address_of(call.approval))
    assert [way for way in ways if f'href="{address_of(way)}"' not in page] == []
    assert f'href="/conversations/{call.conversation_id}/replay/#call-{call.tool_use_id}"' in page


def test_a_call_that_nobody_was_asked_about_has_no_approval(operator: Client, user: User) -> None:
    call = full_conversation(user).tool_calls.get()
    Approval.objects.all().delete()
    assert "Approval</h2>" not in html_of(operator, address_of(call))
    assert rows_in_list(operator, ToolCall) == [call]


def test_calls_are_filtered_by_what_was_decided(operator: Client, user: User, pending: Approval) -> None:
    full_conversation(user)
    assert rows_in_list(operator, ToolCall, approval="pending") == [pending.call]
    assert len(rows_in_list(operator, ToolCall, approval="approved")) == 1
    assert rows_in_list(operator, ToolCall, approval="denied") == []
    assert rows_in_list(operator, ToolCall, approval="nonsense") == []
    assert f'href="{address_of(pending)}"' in html_of(operator, CALLS)


def test_approvals_are_filtered_by_status_tool_and_decider(
    operator: Client, user: User, other_user: User, pending: Approval
) -> None:
    decided = full_conversation(other_user).tool_calls.get()
    ToolCall.objects.filter(pk=decided.pk).update(name="other")
    specs = operator.get("/admin/conversations/approval/").context["cl"].filter_specs
    offered = {spec.title: [text for _, text in getattr(spec, "lookup_choices", [])] for spec in specs}
    assert offered["tool"] == ["other", "top_song"]
    assert offered["decided by"] == ["herbert"]
    for query in ({"status__exact": "pending"}, {"tool": "top_song"}, {"q": pending.call.tool_use_id}):
        assert rows_in_list(operator, Approval, **query) == [pending], query
    assert rows_in_list(operator, Approval, by=other_user.pk) == [decided.approval]
    assert rows_in_list(operator, Approval, by="x") == []


def test_a_permission_for_any_arguments_says_so_and_so_does_the_approval_that_gave_it(
    operator: Client, user: User
) -> None:
    approval = full_conversation(user).tool_calls.get().approval
    Approval.objects.update(always="tool")
    Allowance.objects.update(input=None)
    assert "<td>Tool</td>" in html_of(operator, address_of(approval.call))
    assert "always" in html_of(operator, address_of(approval)).lower()
    [row] = rows_in_list(operator, Allowance)
    assert '<td class="field-its_arguments">any</td>' in html_of(operator, "/admin/conversations/allowance/")
    assert "null" not in html_of(operator, address_of(row)).partition("<main")[2]


def test_permissions_are_filtered_by_whether_they_stand(operator: Client, user: User) -> None:
    for _ in range(2):
        full_conversation(user)
    gone, standing = Allowance.objects.order_by("pk")
    Allowance.objects.filter(pk=gone.pk).update(revoked_at=timezone.now())
    assert rows_in_list(operator, Allowance, standing="yes") == [standing]
    assert rows_in_list(operator, Allowance, standing="no") == [gone]
    assert [
        row.uses for row in operator.get("/admin/conversations/allowance/").context["cl"].result_list
    ] == [1, 1]


def test_a_list_of_calls_joins_no_approvals_where_none_are_asked_for(
    operator: Client, user: User, django_assert_num_queries: Any
) -> None:
    full_conversation(user)
    with django_assert_num_queries(query_count(operator, CALLS)) as statements:
        html_of(operator, CALLS)
    joined = [
        query["sql"] for query in statements.captured_queries if "conversations_approval" in query["sql"]
    ]
    assert [sql for sql in joined if " LIMIT " in sql and "10000" in sql] == []
    assert len(joined) <= 1


# -- decisions


@pytest.mark.parametrize(("decision", "approved"), [("approve", True), ("deny", False)])
def test_a_waiting_call_is_decided_from_its_page(
    operator: Client, pending: Approval, resumes: Resumes, decision: str, approved: bool
) -> None:
    page = html_of(operator, address_of(pending))
    assert f'action="{address_of(pending, "decide")}"' in page
    assert decide(operator, pending, decision=decision, reason="Because.") == 302
    ((conversation, who, entries),) = resumes
    assert (conversation, who.username) == (pending.call.conversation, "arthur")
    payload = {"approved": approved, "reason": "Because."}
    assert entries == [{"interruptId": pending.call.tool_use_id, "status": "resolved", "payload": payload}]
    assert ("Approved." if approved else "Denied.") in html_of(operator, address_of(pending))


def test_a_decision_that_comes_too_late_is_told(
    operator: Client, pending: Approval, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refusing(*_: object) -> None:
        raise Refused("This call does not wait any more.")

    monkeypatch.setattr(engine, "resume", refusing)
    assert decide(operator, pending, decision="approve") == 302
    assert "This call does not wait any more." in html_of(operator, address_of(pending))


def test_what_is_decided_already_is_not_offered(operator: Client, user: User) -> None:
    full_conversation(user)
    assert 'value="approve"' not in html_of(operator, address_of(Approval.objects.get()))


@pytest.mark.parametrize(
    ("permissions", "sees", "status"),
    [
        ((), 403, 403),
        (("view_approval",), 200, 403),
        (("change_approval",), 200, 302),
        (("change_toolcall",), 403, 403),
    ],
)
def test_only_staff_with_the_permission_decide(
    pending: Approval, resumes: Resumes, permissions: tuple[str, ...], sees: int, status: int
) -> None:
    client = staff(*permissions)
    answer = client.get(address_of(pending))
    assert answer.status_code == sees
    assert ('value="approve"' in answer.content.decode()) == (status == 302)
    assert decide(client, pending, decision="approve") == status
    assert len(resumes) == (status == 302)


def test_who_is_not_staff_does_not_decide_here_even_with_the_permission(
    user: User, pending: Approval, resumes: Resumes
) -> None:
    user.user_permissions.set(Permission.objects.filter(codename="change_approval"))
    client = Client()
    assert decide(client, pending, decision="approve") == 302
    client.force_login(user)
    answer = client.post(address_of(pending, "decide"), {"decision": "approve"})
    assert (answer.status_code, "/login/" in answer["Location"]) == (302, True)
    assert resumes == []


def test_a_decision_is_a_post_of_this_site_that_says_which(
    operator: Client, pending: Approval, resumes: Resumes
) -> None:
    assert operator.get(address_of(pending, "decide")).status_code == 405
    assert decide(operator, pending) == 404
    assert decide(operator, pending, decision="perhaps") == 404
    guarded = Client(enforce_csrf_checks=True)
    guarded.force_login(User.objects.get(username="arthur"))
    assert decide(guarded, pending, decision="approve") == 403
    assert resumes == []


def test_changing_an_approval_by_its_form_is_refused_to_who_may_decide(pending: Approval) -> None:
    client = staff("change_approval")
    assert client.post(address_of(pending), {"status": "approved"}).status_code == 403
    assert client.post(address_of(pending, "delete"), {"post": "yes"}).status_code == 403


@pytest.fixture
def dangerous() -> Iterator[list[str]]:
    """A tool that wants an approval, and what it was called with."""
    called: list[str] = []
    with registry.override():

        @tool(approval=True)
        def top_song(sign: str) -> str:
            """Get the most popular song played on a radio station."""
            called.append(sign)
            return "Elemental Hotel"

        yield called


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("gateway")
@pytest.mark.parametrize(("decision", "calls"), [("approve", ["WZPZ"]), ("deny", [])])
def test_a_turn_goes_on_as_staff_decide(
    user: User, dangerous: list[str], decision: str, calls: list[str]
) -> None:
    conversation = conversation_of(user)
    engine.start(
        conversation.pk, "0190a1de-0000-7000-8000-000000000001", "What is the most popular song on WZPZ?"
    )
    assert engine.WORKER.wait(20)
    row = Approval.objects.get()
    assert (row.status, dangerous) == ("pending", [])
    client = staff("change_approval")
    assert decide(client, row, decision=decision, reason="Not now.") == 302
    assert engine.WORKER.wait(20)
    row.refresh_from_db()
    assert row.decider == "someone"
    assert (row.call.turn.status, dangerous) == ("completed", calls)
    page = html_of(client, address_of(row))
    assert ("Not now." in page) == (decision == "deny")


# -- tokens and cost


@override_settings(
    GATEWAY_PRICES={"sonnet": dict.fromkeys(("input", "output", "cacheRead", "cacheWrite"), Decimal(2))}
)
def test_a_conversation_shows_its_tokens_and_what_they_cost(operator: Client, user: User) -> None:
    conversation = full_conversation(user)
    full_conversation(user, within=conversation)
    Round.objects.filter(turn__number=1).update(model="sonnet", input_tokens=1_500_000, output_tokens=250)
    Round.objects.filter(turn__number=2).update(model="other", input_tokens=7)
    page = html_of(operator, address_of(conversation))
    assert "3.00 USD in all, no price is set for other" in page
    for cell in ("1,500,000", "250", "3.00 USD", "7", "-"):
        assert f"<td>{cell}</td>" in page, cell


def test_without_prices_tokens_are_shown_alone(operator: Client, user: User) -> None:
    page = html_of(operator, address_of(full_conversation(user)))
    assert "Tokens and cost" in page
    assert " in all" not in page
    assert "none yet" in html_of(operator, address_of(conversation_of(user)))
