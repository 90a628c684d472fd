import re

import pytest
from django.contrib.auth.models import User
from django.test import AsyncClient, Client
from django.urls import URLPattern

from conversations.web import urlpatterns

POLICY = {
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data:",
    "font-src 'self'",
    "connect-src 'self'",
    "form-action 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
    "object-src 'none'",
}
TRUSTED_TYPES = {"require-trusted-types-for 'script'", "trusted-types dompurify"}


def policy(header: str) -> set[str]:
    return {directive.strip() for directive in header.split(";")}


def test_a_page_gets_the_strict_policy(client: Client) -> None:
    answer = client.get("/accounts/login/")
    assert answer.status_code == 200
    assert policy(answer["Content-Security-Policy"]) == POLICY | TRUSTED_TYPES


def test_the_admin_gets_it_without_trusted_types(client: Client, admin_user: User) -> None:
    client.force_login(admin_user)
    answer = client.get("/admin/")
    assert answer.status_code == 200
    assert policy(answer["Content-Security-Policy"]) == POLICY


def test_a_page_that_is_not_there_gets_the_strict_policy_too(client: Client) -> None:
    answer = client.get("/nothing/")
    assert answer.status_code == 404
    assert policy(answer["Content-Security-Policy"]) == POLICY | TRUSTED_TYPES


def test_browsers_are_told_not_to_guess_embed_or_tell(client: Client) -> None:
    answer = client.get("/accounts/login/")
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["X-Frame-Options"] == "DENY"
    assert answer["Referrer-Policy"] == "same-origin"
    assert answer["Cross-Origin-Opener-Policy"] == "same-origin"


def example(pattern: URLPattern) -> str:
    """An address that the pattern matches."""
    with_ids = re.sub(r"<uuid:\w+>", "6b95a221-5126-4deb-8a77-a4104e145dab", str(pattern.pattern))
    return "/" + re.sub(r"<int:\w+>", "7", with_ids)


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/admin/", "/admin/conversations/toolcall/", *map(example, urlpatterns)])
@pytest.mark.parametrize("method", ["get", "post"])
def test_every_page_asks_for_a_signed_in_user(client: Client, path: str, method: str) -> None:
    answer = getattr(client, method)(path)
    if path.endswith("/attachments/"):  # a script asks, which reads JSON
        assert (answer.status_code, answer.json()["error"]["code"]) == (401, "no_session")
        return
    assert answer.status_code == 302
    assert answer["Location"].startswith(("/accounts/login/?next=", "/admin/login/?next="))


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/accounts/login/", "/static/admin/css/base.css"])
def test_what_signing_in_needs_is_open(client: Client, path: str) -> None:
    assert client.get(path).status_code == 200


@pytest.mark.django_db
def test_a_static_file_is_sent_once_and_then_only_confirmed(client: Client) -> None:
    answer = client.get("/static/admin/css/base.css")
    assert answer["Content-Type"] == 'text/css; charset="utf-8"'
    assert answer["Cache-Control"] == "max-age=0, public"
    again = client.get("/static/admin/css/base.css", headers={"If-Modified-Since": answer["Last-Modified"]})
    assert (again.status_code, again.content) == (304, b"")


async def test_the_asynchronous_server_sends_static_files_and_pages_alike(async_client: AsyncClient) -> None:
    answer = await async_client.get("/static/admin/css/base.css", headers={"Range": "bytes=0-9"})
    assert answer.status_code == 206
    assert len(answer.content) == 10
    assert not answer.streaming
    assert (await async_client.get("/nothing/")).status_code == 404


def test_a_static_path_cannot_climb_out(client: Client) -> None:
    assert client.get("/static/../manage.py").status_code == 404
    assert client.get("/static/%2e%2e/manage.py").status_code == 404
