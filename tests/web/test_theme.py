"""The theme that a browser keeps."""

import re

import pytest
from django.test import Client

from tests.pages import html_of

pytestmark = pytest.mark.django_db


def look(client: Client, path: str) -> tuple[str, str, str]:
    """A page's theme for the style sheet and for the browser, and the choice that is checked."""
    html = html_of(client, path)
    root = re.findall(r'<html lang="en"(.*)>', html)[0].strip()
    [meta] = re.findall(r'<meta name="color-scheme" content="(.*?)">', html)
    return root, meta, "".join(re.findall(r'name="theme" value="(\w*)" checked', html))


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_chosen_theme_is_on_every_page_at_once_and_the_systems_comes_back(
    client: Client, theme: str
) -> None:
    assert look(client, "/settings/") == ("", "light dark", "")
    answer = client.post("/settings/theme/", {"theme": theme})
    assert answer["Location"] == "/settings/"
    assert answer.cookies["theme"]["max-age"] > 30_000_000
    assert look(client, "/settings/") == (f'data-theme="{theme}"', theme, theme)
    assert look(client, "/")[:2] == (f'data-theme="{theme}"', theme)
    client.post("/settings/theme/", {"theme": ""})
    assert look(client, "/settings/") == ("", "light dark", "")


def test_the_sign_in_keeps_the_theme(client: Client) -> None:
    client.post("/settings/theme/", {"theme": "dark"})
    client.logout()
    client.cookies["theme"] = "dark"
    assert look(client, "/accounts/login/")[:2] == ('data-theme="dark"', "dark")


@pytest.mark.parametrize("theme", ['"><script>', "Dark", "system", "dark light"])
def test_what_is_no_theme_is_the_systems(client: Client, theme: str) -> None:
    assert "theme" not in {
        name: cookie.value
        for name, cookie in client.post("/settings/theme/", {"theme": theme}).cookies.items()
        if cookie.value
    }
    client.cookies["theme"] = theme
    assert look(client, "/settings/") == ("", "light dark", "")


def test_only_a_post_chooses_a_theme(client: Client) -> None:
    assert client.get("/settings/theme/").status_code == 405
