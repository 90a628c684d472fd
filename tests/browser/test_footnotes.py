"""Footnotes in an answer: numbered as they are cited, below the text, with ways both ways."""

from playwright.sync_api import Locator, Page, expect

from tests.browser.stage import Stage, write_turn

TEXT = """First.[^b] Second.[^注] Again.[^b] A pattern: [^0-9], and [late][l][^2].

[^注]: 手册 *三*
[^b]: Handbook

    With a second paragraph and $x$.

More text.

[^2]: See [there][l].
[^spare]: Nobody cites it.

[l]: https://example.com/late
"""


def citations(page: Page) -> Locator:
    """The numbers in the text."""
    return page.locator(".assistant .piece .citation")


def test_footnotes_stand_below_the_text_and_lead_both_ways(page: Page) -> None:
    stage = Stage(page)
    stage.begin_answer()
    for start in range(0, len(TEXT), 7):
        stage.record.part(TEXT[start : start + 7])
        stage.play()
    chat = stage.end_answer()
    expect(citations(page)).to_have_text(["1", "2", "1", "3"])
    notes = chat.log.locator(".notes li")
    expect(notes).to_contain_text(["Handbook", "手册 三", "See there", "Nobody cites it."])
    expect(notes.first.locator(".katex-html")).to_have_count(1)
    expect(notes.nth(2).get_by_role("link", name="there")).to_have_attribute(
        "href", "https://example.com/late"
    )
    expect(chat.messages("Assistant")).to_contain_text("A pattern: [^0-9], and")
    expect(chat.messages("Assistant")).not_to_contain_text("[^b]")
    assert chat.log.locator(".assistant > .text > :last-child").get_attribute("class") == "notes"
    for index, target in enumerate((0, 1, 0, 2)):
        href = citations(page).nth(index).locator("a").get_attribute("href")
        assert href == f"#{notes.nth(target).get_attribute('id')}"
    back = notes.first.locator(".back a")
    assert [link.get_attribute("href") for link in back.all()] == [
        f"#{citations(page).nth(index).get_attribute('id')}" for index in (0, 2)
    ]
    streamed = chat.log.locator(".assistant > .text").evaluate("element => element.outerHTML")
    stage.served()
    chat.until(
        lambda: chat.log.locator(".assistant > .text").evaluate("element => element.outerHTML") == streamed
    )


def test_a_citation_is_one_before_its_note_has_come(page: Page) -> None:
    stage = Stage(page)
    stage.begin_answer()
    stage.record.part("Claim.[^1] And more.\n\nA second one")
    stage.play()
    expect(citations(page)).to_have_text(["1"])
    stage.record.part(".\n\n[^1]: Hand")
    stage.play()
    note = page.locator(".notes li")
    expect(note).to_contain_text("Hand")
    note.evaluate("element => { element.mark = 'kept'; }")
    stage.record.part("book")
    stage.play()
    expect(note).to_contain_text("Handbook")
    assert note.evaluate("element => element.mark") == "kept"


def test_the_anchors_of_two_answers_are_apart(page: Page) -> None:
    stage = Stage(page)
    for _ in range(2):
        write_turn(stage.record, "Show it", "Claim.[^1]\n\n[^1]: Handbook")
    stage.served()
    expect(citations(page)).to_have_text(["1", "1"])
    ids = page.locator("[id^=note-], [id^=cite-]").evaluate_all("all => all.map(({id}) => id)")
    assert len(set(ids)) == 4
