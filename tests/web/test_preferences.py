"""The user's settings: saved prompts, standing permissions, and nothing of anybody else's."""

import re
from html import unescape

import pytest
from django.contrib.auth.models import User
from django.test import Client

from conversations.models import Allowance, Approval, Prompt
from tests.pages import full_conversation, html_of, query_count

pytestmark = pytest.mark.django_db
HOSTILE = "</textarea><script>alert(1)</script>&amp;\"'"


@pytest.fixture
def prompt(user: User) -> Prompt:
    return Prompt.objects.create(user=user, name="brief", text="Be brief.")


@pytest.fixture
def allowance(user: User) -> Allowance:
    return allowed(user)


def allowed(user: User, sign: str = "WZPZ") -> Allowance:
    arguments = {"sign": sign}
    return Allowance.objects.create(
        user=user, tool="top_song", input=arguments, key=Allowance.key_of("top_song", arguments)
    )


def prompts_of(user: User) -> dict[str, str]:
    return dict(user.prompts.values_list("name", "text"))


def add(client: Client, name: str, text: str) -> tuple[int, str]:
    answer = client.post("/settings/", {"new-name": name, "new-text": text})
    return answer.status_code, answer.content.decode()


def change(client: Client, prompt: Prompt, name: str, text: str) -> tuple[int, str]:
    form = {f"{prompt.pk}-name": name, f"{prompt.pk}-text": text}
    answer = client.post(f"/settings/prompts/{prompt.pk}/", form)
    return answer.status_code, answer.content.decode()


# -- prompts


def test_every_page_leads_to_the_settings(client: Client) -> None:
    assert 'href="/settings/"' in html_of(client, "/")


def test_a_prompt_is_added_changed_and_deleted(client: Client, user: User) -> None:
    assert add(client, "brief", "Be brief.\r\nAnd kind.")[0] == 302
    assert prompts_of(user) == {"brief": "Be brief.\nAnd kind."}
    page = html_of(client, "/settings/")
    assert "/brief is saved." in page
    assert "/brief is saved." not in html_of(client, "/settings/")
    prompt = user.prompts.get()
    assert change(client, prompt, "short", "Be short.")[0] == 302
    assert prompts_of(user) == {"short": "Be short."}
    assert client.post(f"/settings/prompts/{prompt.pk}/", {"delete": ""}).status_code == 302
    assert prompts_of(user) == {}
    assert "/short is deleted." in html_of(client, "/settings/")


BAD = {
    "no name": ("", "Text", "This field is required."),
    "no text": ("name", " \r\n ", "This field is required."),
    "a blank in the name": ("two words", "Text", "A name has letters, digits, - and _ only."),
    "a slash in the name": ("/name", "Text", "A name has letters, digits, - and _ only."),
    "a long name": ("n" * 33, "Text", "at most 32 characters"),
    "a long text": ("name", "x" * 10_001, "This is 10,001 characters long."),
    "NUL": ("name", "a\0b", "Null characters are not allowed."),
    "a name that is taken": ("brief", "Other", "You have a prompt with this name already."),
}


@pytest.mark.parametrize(("name", "text", "why"), BAD.values(), ids=BAD)
def test_what_cannot_be_a_prompt_is_told_and_nothing_is_lost(
    client: Client, user: User, prompt: Prompt, name: str, text: str, why: str
) -> None:
    other = Prompt.objects.create(user=user, name="other", text="Other text.")
    before = prompts_of(user)
    for status, page in (add(client, name, text), change(client, other, name, text)):
        assert (status, why in page) == (400, True)
        assert unescape(page).count(f'value="{name}"') >= (1 if name else 0)
        assert re.search(r"<details open>.*?</details>", page, re.DOTALL)
        assert text.strip("\r\n ") in unescape(page)
    assert prompts_of(user) == before


def test_a_long_text_is_counted_with_its_lines_as_the_chat_ends_them(client: Client, user: User) -> None:
    assert add(client, "long", "\r\n".join(["x"] * 5_000))[0] == 302
    assert len(user.prompts.get().text) == 9_999


def test_a_hostile_prompt_is_shown_and_nothing_else(client: Client, user: User) -> None:
    add(client, "evil", HOSTILE)
    for page in (html_of(client, "/settings/"), add(client, "evil", HOSTILE)[1]):
        assert "<script>alert" not in page
        assert f"\n{HOSTILE}</textarea>" in unescape(page)


def test_a_name_is_anothers_to_have_too(client: Client, prompt: Prompt, other_user: User) -> None:
    client.force_login(other_user)
    assert add(client, "brief", "Mine")[0] == 302
    assert "Be brief." not in html_of(client, "/settings/")


def test_a_prompt_may_be_saved_as_it_is(client: Client, prompt: Prompt) -> None:
    assert change(client, prompt, "brief", "Be brief.")[0] == 302


def test_there_is_an_end_to_prompts(client: Client, user: User) -> None:
    Prompt.objects.bulk_create(Prompt(user=user, name=f"p{n}", text="Text") for n in range(100))
    status, page = add(client, "one-more", "Text")
    assert (status, "You have 100 prompts already. Delete one first." in page) == (400, True)
    assert 'value="one-more"' in page
    assert user.prompts.count() == 100


# -- permissions


def test_a_permission_tells_what_it_lets_through_and_how_often_it_was_used(
    client: Client, user: User, allowance: Allowance
) -> None:
    assert "not used yet" in html_of(client, "/settings/")
    call = full_conversation(user).tool_calls.get()
    Approval.objects.update_or_create(call=call, defaults={"status": "approved", "allowance": allowance})
    page = unescape(html_of(client, "/settings/"))
    assert '"sign": "WZPZ"' in page
    assert "used 1 time<" in page
    assert f"{allowance.created_at:%Y-%m-%d %H:%M}" in page


def test_a_revoked_permission_is_gone_from_the_page_and_stays_on_record(
    client: Client, allowance: Allowance
) -> None:
    where = f"/settings/allowances/{allowance.pk}/revoke/"
    assert client.post(where)["Location"] == "/settings/"
    page = html_of(client, "/settings/")
    assert "top_song will ask again." in page
    assert "Revoke" not in page
    allowance.refresh_from_db()
    first = allowance.revoked_at
    assert first is not None
    client.post(where)
    allowance.refresh_from_db()
    assert allowance.revoked_at == first


def test_arguments_can_reorder_no_text_around_them(client: Client, user: User) -> None:
    allowed(user, "a\u202eb")
    page = html_of(client, "/settings/")
    assert "\u202e" not in page
    assert "[U+202E]" in page


# -- doors


def test_what_is_anothers_is_not_there(
    client: Client, prompt: Prompt, allowance: Allowance, other_user: User
) -> None:
    client.force_login(other_user)
    form = {f"{prompt.pk}-name": "taken", f"{prompt.pk}-text": "over", "delete": ""}
    for where in (f"prompts/{prompt.pk}/", f"allowances/{allowance.pk}/revoke/"):
        assert client.post(f"/settings/{where}", form).status_code == 404
    page = html_of(client, "/settings/")
    assert "Be brief." not in page
    assert "WZPZ" not in page
    prompt.refresh_from_db()
    allowance.refresh_from_db()
    assert (prompt.name, allowance.revoked_at) == ("brief", None)


def test_only_a_post_changes_anything(client: Client, prompt: Prompt, allowance: Allowance) -> None:
    for where in (f"prompts/{prompt.pk}/", f"allowances/{allowance.pk}/revoke/"):
        assert client.get(f"/settings/{where}").status_code == 405


def test_the_page_takes_as_many_queries_for_many_as_for_few(client: Client, user: User) -> None:
    counts = []
    for more in range(3):
        for n in range(5):
            Prompt.objects.create(user=user, name=f"p{more}-{n}", text="Text")
            allowed(user, f"{more}-{n}")
        counts.append(query_count(client, "/settings/"))
    assert counts[0] == counts[2] < 9
