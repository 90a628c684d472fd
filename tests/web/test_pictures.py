"""A model's pictures: for whom there are any, and what a browser makes of them."""

import base64
import hashlib
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client

from conversations.models import Conversation, Message, RequestBase, Round
from tests.records import recorded_turn

PNG = base64.b64decode("iVBORw0KGgo=")


def picture_of(user: User, kind: str = "png") -> str:
    """The address of a picture in a conversation of the user's."""
    conversation = Conversation.objects.create(owner=user, model="m")
    turn = recorded_turn(conversation, "Draw.")
    content: list[dict[str, Any]] = [
        {"text": "Here:"},
        {"image": {"format": "png"}},
        {"image": {"format": kind, "source": {"bytes": base64.b64encode(PNG).decode()}}},
    ]
    base = RequestBase.objects.create(sha256="a" * 64, body="{}")
    row = Round.objects.create(turn=turn, number=1, model="m", base=base)
    Message.objects.create(conversation=conversation, turn=turn, round=row, role="assistant", content=content)
    return f"/conversations/{conversation.pk}/pictures/{turn.pk}/{hashlib.sha256(PNG).hexdigest()}/"


def test_the_owner_gets_the_picture_as_such(client: Client, user: User) -> None:
    answer = client.get(picture_of(user))
    assert (answer.content, answer["Content-Type"]) == (PNG, "image/png")
    assert answer["X-Content-Type-Options"] == "nosniff"


def test_a_browser_keeps_it_and_asks_each_time_whether_it_may_show_it(client: Client, user: User) -> None:
    address = picture_of(user)
    first = client.get(address)
    assert first["Cache-Control"] == "private, no-cache"
    again = client.get(address, headers={"if-none-match": first["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    client.logout()
    assert client.get(address, headers={"if-none-match": first["ETag"]}).status_code == 302


def test_nobody_else_gets_it_but_who_may_watch(client: Client, user: User, other_user: User) -> None:
    address = picture_of(other_user)
    assert client.get(address).status_code == 404
    user.is_staff = True
    user.save()
    user.user_permissions.add(Permission.objects.get(codename="view_conversation"))
    assert client.get(address).status_code == 200


@pytest.mark.parametrize(
    "change", [lambda path: path[:-2] + "0/", lambda path: path.replace(path[-66:], "x/")]
)
def test_a_name_that_no_picture_has_is_not_there(client: Client, user: User, change: Any) -> None:
    assert client.get(change(picture_of(user))).status_code == 404


@pytest.mark.parametrize("kind", ["svg", "svg+xml", "html"])
def test_what_may_hold_script_is_not_given_as_a_picture(client: Client, user: User, kind: str) -> None:
    assert client.get(picture_of(user, kind)).status_code == 404
