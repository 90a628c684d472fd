"""Attacks at every place that shows text: they run nothing, reach nothing, and can be read."""

import re
from contextlib import suppress

import pytest
from playwright.sync_api import Page, expect

from conversations.protocol.text import visible
from tests.browser.attacks import MARKED, RAW, Attacker, attacking, check_nothing_lives
from tests.browser.chat import Chat
from tests.browser.stage import Stage


@pytest.fixture
def attacks(attacker: Attacker) -> list[str]:
    """All attacks, aimed."""
    return [attacker.aimed(attack) for attack in (*MARKED, *RAW)]


@pytest.fixture
def stage(page: Page, attacks: list[str]) -> Stage:
    """A conversation of attacks.

    Each is a question, reasoning, an answer, a tool's name, its arguments, its result, and an error.
    """
    together = " ".join(attacks)
    stage = Stage(page, title=together, model=together)
    record = stage.record
    for attack in attacks:
        record.ask(attack)
        record.step()
        for begin in (record.reasoning, record.text):
            begin()
            record.part(attack)
            record.end()
        record.call(name=attack)
        record.part(attack)
        record.end()
        record.finish_step(reason=attack)
        record.answer(attack)
        record.title(together)
        record.fail(attack)
    return stage


@pytest.mark.parametrize("way", ["live", "snapshot", "served"])
def test_no_attack_reaches_anything_and_every_one_can_be_read(
    stage: Stage, attacks: list[str], way: str
) -> None:
    chat: Chat = getattr(stage, way)()
    address = chat.page.url
    visible_attacks = [visible(attack) for attack in attacks]
    expect(chat.log.locator(".you .text")).to_have_count(len(attacks), timeout=30_000)
    expect(chat.log.locator(".reasoning .rendered")).to_have_count(len(attacks), timeout=30_000)
    for place in (".you .text", ".tool-name", ".failure", ".arguments", ".result"):
        texts = chat.log.locator(place)
        with suppress(AssertionError):  # what is drawn in a later frame is waited for
            chat.until(lambda texts=texts: readable(texts.all_text_contents()) == readable(visible_attacks))
        assert readable(texts.all_text_contents()) == readable(visible_attacks), place
    for raw, text in zip(
        RAW, chat.log.locator(".assistant > .text").all_text_contents()[len(MARKED) :], strict=True
    ):
        assert letters(raw) <= letters(text) | HIDDEN
    if way != "snapshot":
        expect(chat.page.locator("#title")).to_have_text(visible(" ".join(attacks)))
    check_nothing_lives(chat)
    assert chat.page.url == address


HIDDEN = {"lt", "gt", "60", "62", "61"}
"""The letters of an entity, which are gone where it has become its character."""


def readable(texts: list[str]) -> list[str]:
    """The texts without the differences that a text node may have from its source."""
    return [re.sub(r"\s+", " ", text).strip() for text in texts]


def letters(text: str) -> set[str]:
    """The words of a text, whatever stands between them."""
    return set(re.findall(r"[A-Za-z0-9]+", re.sub(r"127\.0\.0\.1:\d+|attacker\.invalid", "", text)))


def test_unguarded_the_attacks_do_reach_the_attacker(page: Page) -> None:
    """Without this the tests above would prove nothing: a page served without policy and escaping."""
    with attacking() as attacker:
        body = "\n".join(attacker.aimed(attack) for attack in RAW[:8])
        page.route("**/accounts/login/", lambda route: route.fulfill(body=body, content_type="text/html"))
        page.goto("/accounts/login/")
        Chat(page).until(lambda: {"/5.js", "/6.png"} <= set(attacker.paths))
        assert page.evaluate("window.owned") == 1
