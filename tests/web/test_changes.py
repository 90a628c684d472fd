"""What is done with conversations in their list: names, pins, archive, deletion, undo, exports."""

import io
import json
import re
from zipfile import ZipFile

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.http import HttpResponse
from django.test import Client

from conversations.models import Conversation
from tests.records import recorded_turn
from tests.turns import conversation_of

JSON = {"Accept": "application/json"}


@pytest.fixture
def conversation(user: User) -> Conversation:
    return conversation_of(user, title="Turkeys")


def change(client: Client, action: str, *rows: Conversation, **fields: str) -> HttpResponse:
    form = {"action": action, "ids": [str(row.pk) for row in rows], **fields}
    answer: HttpResponse = client.post("/conversations/change/", form, headers=JSON)
    return answer


def titles(client: Client, address: str = "/") -> list[str]:
    """The titles in the list of a page, without those beside it."""
    html = client.get(address).content.decode()
    return re.findall(r'<a dir="auto".*?>(.*?)</a>', html.partition('<ol class="conversations">')[2])


# -- names


def test_a_new_name_is_its_own(client: Client, conversation: Conversation) -> None:
    answer = change(client, "rename", conversation, title="  Flying \r\n birds\0 ")
    assert answer.json() == {"ids": [str(conversation.pk)], "title": "Flying birds\ufffd"}
    conversation.refresh_from_db()
    assert (conversation.title, conversation.has_own_title) == ("Flying birds\ufffd", True)
    assert titles(client, "/?q=flying") == ["Flying birds\ufffd"]
    assert titles(client, "/?q=turkeys") == []


@pytest.mark.parametrize("title", ["", "   ", "\n", "\u200b \u202e"])
def test_a_name_says_something(client: Client, conversation: Conversation, title: str) -> None:
    assert change(client, "rename", conversation, title=title).status_code == 400
    conversation.refresh_from_db()
    assert conversation.title == "Turkeys"


def test_a_long_name_is_cut_between_what_people_take_for_letters(
    client: Client, conversation: Conversation
) -> None:
    family = "\U0001f468\u200d\U0001f469\u200d\U0001f467"
    assert change(client, "rename", conversation, title=family * 50).json()["title"] == family * 40


# -- pins and the archive


def test_what_is_pinned_and_put_away_is_where_it_was_once_that_is_taken_back(
    client: Client, conversation: Conversation
) -> None:
    change(client, "pin", conversation)
    assert 'data-name="Pinned"' in client.get("/").content.decode()
    change(client, "archive", conversation)
    assert (titles(client), titles(client, "/?archived")) == ([], ["Turkeys"])
    assert 'data-name="Pinned"' not in client.get("/").content.decode()
    assert titles(client, "/?q=turkeys") == ["Turkeys"]
    change(client, "unarchive", conversation)
    assert (titles(client), titles(client, "/?archived")) == (["Turkeys"], [])
    change(client, "unpin", conversation)
    assert 'data-name="Pinned"' not in client.get("/").content.decode()


def test_several_are_changed_at_once_by_a_form_that_leads_back(client: Client, user: User) -> None:
    rows = [conversation_of(user, title=f"number {number}") for number in range(3)]
    form = {"action": "archive", "ids": [str(row.pk) for row in rows[:2]]}
    assert client.post("/conversations/change/", form)["Location"] == "/#all"
    assert titles(client) == ["number 2"]
    form |= {"action": "unarchive", "archived": ""}
    assert client.post("/conversations/change/", form)["Location"] == "/?archived#all"
    assert len(titles(client)) == 3
    page = f"/conversations/{rows[0].pk}/"
    form = {"action": "unarchive", "ids": [str(rows[0].pk)], "here": ""}
    assert client.post("/conversations/change/", form)["Location"] == page


def test_an_empty_archive_says_what_to_do(client: Client) -> None:
    assert "The archive is empty." in client.get("/?archived").content.decode()


# -- deletion


def test_what_is_deleted_is_gone_for_everybody_and_comes_back_as_it_was(
    client: Client, conversation: Conversation
) -> None:
    recorded_turn(conversation, "hello")
    own = f"/conversations/{conversation.pk}/"
    pages = [own, f"{own}export/", f"{own}replay/", f"{own}tree/", f"{own}again/", f"{own}delete/"]
    assert change(client, "delete", conversation).status_code == 200
    assert [client.get(page).status_code for page in pages] == [404] * len(pages)
    assert titles(client) + titles(client, "/?q=turkeys") + titles(client, "/?q=hello") == []
    with pytest.raises(CommandError):
        call_command("replay", str(conversation.pk))
    assert change(client, "pin", conversation).status_code == 404
    assert change(client, "restore", conversation).status_code == 200
    assert [client.get(page).status_code for page in pages] == [200] * len(pages)
    assert titles(client, "/?q=hello") == ["Turkeys"]


def test_after_a_form_the_list_offers_once_to_bring_back_what_it_deleted(
    client: Client, conversation: Conversation
) -> None:
    answer = client.post(f"/conversations/{conversation.pk}/delete/")
    fetched = client.get("/", headers={"X-Requested-With": "XMLHttpRequest"}).content.decode()
    assert ">Undo</button>" not in fetched  # by a script of the page that was left, or of another tab
    page = client.get(answer["Location"]).content.decode()
    assert "“<bdi>Turkeys</bdi>” is deleted." in page
    assert ">Undo</button>" in page
    assert f'name="ids" value="{conversation.pk}"' in page
    assert ">Undo</button>" not in client.get("/").content.decode()
    client.post("/conversations/change/", {"action": "restore", "ids": str(conversation.pk)})
    assert titles(client) == ["Turkeys"]


def test_the_admin_says_what_is_deleted(client: Client, user: User, conversation: Conversation) -> None:
    User.objects.filter(pk=user.pk).update(is_staff=True, is_superuser=True)
    change(client, "delete", conversation)
    assert "Turkeys (deleted)" in client.get("/admin/conversations/conversation/").content.decode()
    page = client.get(f"/admin/conversations/conversation/{conversation.pk}/change/").content.decode()
    assert "Deleted:" in page
    assert "Play it back" not in page
    assert client.get(f"/conversations/{conversation.pk}/replay/").status_code == 404


# -- exports


def test_several_are_taken_home_in_one_file(client: Client, user: User, conversation: Conversation) -> None:
    recorded_turn(conversation, "hello")
    other = conversation_of(user, title="Turkeys")
    answer = client.post(
        "/conversations/change/", {"action": "export", "ids": [str(conversation.pk), str(other.pk)]}
    )
    assert answer["Content-Disposition"] == 'attachment; filename="conversations.zip"'
    with ZipFile(io.BytesIO(b"".join(answer))) as zipped:
        exports = [json.loads(zipped.read(name)) for name in zipped.namelist()]
    assert {export["id"] for export in exports} == {str(conversation.pk), str(other.pk)}
    assert sorted(len(export["messages"]) for export in exports) == [0, 1]


# -- what is refused

ACTIONS = ["rename", "pin", "unpin", "archive", "unarchive", "delete", "restore", "export"]


@pytest.mark.parametrize("action", ACTIONS)
def test_somebody_elses_is_404_and_what_stands_beside_it_stays(
    client: Client, other_user: User, conversation: Conversation, action: str
) -> None:
    theirs = conversation_of(other_user, title="Secret plans")
    before = list(Conversation.with_deleted.order_by("pk").values())
    assert change(client, action, conversation, theirs, title="mine").status_code == 404
    assert change(client, action, theirs, title="mine").status_code == 404
    assert list(Conversation.with_deleted.order_by("pk").values()) == before


@pytest.mark.parametrize(
    ("form", "status"),
    [
        ({"action": "explode"}, 400),
        ({}, 400),
        ({"action": "pin", "ids": "x"}, 404),
        ({"action": "pin", "ids": "6b95a221-5126-4deb-8a77-a4104e145dab"}, 404),
        ({"action": "rename", "title": "x"}, 400),
        ({"action": "pin"}, 302),
        ({"action": "export"}, 302),
    ],
)
def test_a_form_that_makes_no_sense_changes_nothing(
    client: Client, conversation: Conversation, form: dict[str, str], status: int
) -> None:
    before = Conversation.objects.values().get()
    assert client.post("/conversations/change/", form).status_code == status
    assert Conversation.objects.values().get() == before
