"""The number of attempts to sign in has a limit."""

from datetime import timedelta

import pytest
from axes.models import AccessAttempt
from django.contrib.auth.models import User
from django.db.models import F
from django.test import AsyncClient, Client

from project.links import sign_in_path

LOGIN = "/accounts/login/"
pytestmark = pytest.mark.django_db
WRONG = {"username": "jennifer", "password": "wrong"}
RIGHT = {"username": "jennifer", "password": "flycatcher"}


def fail(times: int, address: str = "192.0.2.1", **fields: str) -> list[int]:
    """The statuses of so many wrong passwords."""
    client = Client(REMOTE_ADDR=address)
    return [client.post(LOGIN, WRONG | fields).status_code for _ in range(times)]


def sign_in(address: str = "192.0.2.1", path: str = LOGIN) -> int:
    return Client(REMOTE_ADDR=address).post(path, RIGHT).status_code


def test_the_tenth_wrong_password_locks_the_name_out_at_that_address(user: User) -> None:
    assert fail(10) == [200] * 9 + [429]
    assert sign_in() == 429
    assert sign_in(path="/admin/login/") == 429
    assert sign_in("192.0.2.2") == 302


def test_another_name_at_the_same_address_is_let_in(user: User, other_user: User) -> None:
    fail(10)
    answer = Client(REMOTE_ADDR="192.0.2.1").post(LOGIN, {"username": "herbert", "password": "turkeys-away"})
    assert answer.status_code == 302


def test_nine_wrong_passwords_are_forgiven_when_the_right_one_comes(user: User) -> None:
    fail(9)
    assert sign_in() == 302
    assert fail(9) == [200] * 9
    assert sign_in() == 302


def test_trying_on_while_locked_out_makes_it_no_longer(user: User) -> None:
    fail(10)
    AccessAttempt.objects.update(attempt_time=F("attempt_time") - timedelta(minutes=10))
    fail(5)
    AccessAttempt.objects.update(attempt_time=F("attempt_time") - timedelta(minutes=5, seconds=1))
    assert sign_in() == 302


def test_who_is_locked_out_is_told_in_our_own_words(user: User) -> None:
    fail(10)
    answer = Client(REMOTE_ADDR="192.0.2.1").post(
        LOGIN, RIGHT, headers={"X-Requested-With": "XMLHttpRequest"}
    )
    page = answer.content.decode()
    assert "Wait 15 minutes, then sign in again." in page
    assert 'name="password"' in page
    assert answer["Retry-After"] == "900"
    assert "Access-Control-Allow-Origin" not in answer


@pytest.mark.django_db(transaction=True)
async def test_the_asynchronous_server_tells_the_same(user: User) -> None:
    client = AsyncClient(REMOTE_ADDR="192.0.2.1")
    statuses = [(await client.post(LOGIN, WRONG)).status_code for _ in range(10)]
    assert statuses == [200] * 9 + [429]


def test_guessed_sign_in_links_are_throttled_too(user: User) -> None:
    client = Client(REMOTE_ADDR="192.0.2.1")
    assert [client.get("/accounts/link/?token=guess").status_code for _ in range(10)] == [403] * 9 + [429]
    assert client.get(sign_in_path(user)).status_code == 429
    assert Client(REMOTE_ADDR="192.0.2.2").get(sign_in_path(user)).status_code == 302


def test_a_name_of_any_shape_is_answered(user: User) -> None:
    for name in ("", "x" * 100_000, "\0", "\u202e", "😀" * 150, "a\nb"):
        assert fail(2, username=name) == [200, 200]


def test_neither_passwords_nor_what_may_be_one_are_kept(user: User, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    fail(11, username="hunter2-in-the-wrong-field", password="hunter2")
    Client().get("/accounts/link/?token=hunter2")
    Client().post(LOGIN + "?next=/hunter2", WRONG)
    values = [str(value) for row in AccessAttempt.objects.values() for value in row.values()]
    assert len(values) > 10
    assert not [text for text in [*values, caplog.text] if "hunter2" in text]


def test_sign_in_attempts_are_not_in_the_admin(client: Client, admin_user: User) -> None:
    client.force_login(admin_user)
    assert "axes" not in client.get("/admin/").content.decode()
    assert client.get("/admin/axes/accessattempt/").status_code == 404
