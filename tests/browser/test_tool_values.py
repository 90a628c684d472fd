"""Arguments and results of tools as keys and values, tables and pictures."""

import json

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.calls import SONGS, Calls, card_of, cards_of, opened, picture_in_base64

# -- keys and values


def test_arguments_are_keys_and_values_in_their_order(calls: Calls) -> None:
    card = card_of(calls, "ok", '{"zeta": "one", "10": true, "9": null, "list": [1, 2], "no": {}}')
    expect(card.locator(".request").get_by_role("listitem")).to_have_text(
        ["zetaone", "10true", "9null", "list[1, 2]", "no{}"]
    )


def test_values_keep_their_digits_their_quotes_and_keys_that_come_twice_and_words_stay_before_them(
    calls: Calls,
) -> None:
    texts = {"a": "5", "b": "true", "c": "", "d": " x", "e": "8 Storey Hike", "f": "978-3"}
    numbers, quoted, mixed = cards_of(
        calls,
        '{"n": 12345678901234567890, "f": 1.10, "e": 1E400, "n": -0}',
        texts,
        'The user changed the arguments.\nTwice.\n{"copies": 3}',
    )
    expect(numbers.locator(".outcome").get_by_role("listitem")).to_have_text(
        ["n12345678901234567890", "f1.10", "e1E400", "n-0"]
    )
    expect(mixed.locator(".outcome .paragraph")).to_have_text("The user changed the arguments.\nTwice.")
    expect(mixed.locator(".outcome").get_by_role("listitem")).to_have_text("copies3")
    expect(quoted.locator(".outcome .value")).to_have_text(
        ['"5"', '"true"', '""', '" x"', "8 Storey Hike", "978-3"], use_inner_text=False
    )


def test_a_tree_is_unfolded_by_keyboard(calls: Calls) -> None:
    card = card_of(calls, {"station": {"owner": {"name": "Ada"}}, "filler": "x" * 2000})
    name = card.get_by_text("Ada", exact=True)
    expect(name).to_have_count(0)
    branch = card.locator(".outcome summary").first
    expect(branch).to_contain_text("station")
    expect(branch).to_contain_text("owner")
    branch.focus()
    calls.stage.chat.page.keyboard.press("Enter")
    expect(card.locator(".outcome summary")).to_have_count(2)
    calls.stage.chat.page.keyboard.press("Tab")
    calls.stage.chat.page.keyboard.press("Space")
    expect(name).to_be_visible()


def test_a_long_list_comes_a_part_at_a_time(calls: Calls) -> None:
    card = card_of(calls, json.dumps(list(range(250))))
    items = card.locator(".outcome").get_by_role("listitem")
    expect(items).to_have_count(100)
    card.get_by_role("button", name="Show 100 more of 150").click()
    expect(items).to_have_count(200)
    card.get_by_role("button", name="Show 50 more of 50").press("Enter")
    expect(items).to_have_count(250)
    expect(items.nth(200)).to_be_focused()
    expect(items.last).to_have_text("249249")


def test_a_long_text_is_cut_until_it_is_asked_for(calls: Calls) -> None:
    text = "word " * 1000 + "end"
    card = card_of(calls, {"text": text})
    value = card.locator(".outcome .value")
    assert len(value.text_content() or "") < 1000
    card.get_by_role("button", name="Show all 5,003 characters").click()
    assert value.text_content() == text
    expect(value).to_be_focused()


def test_what_stays_unfolded_is_not_folded_again_by_news(calls: Calls) -> None:
    call, other = calls.round(("top_song", {"a": {"b": 1}, "long": "x" * 3000}), ("other", {}))
    chat = calls.live()
    card = opened(chat.tool("top_song"))
    card.locator(".request summary").click()
    expect(card.get_by_text("1", exact=True)).to_be_visible()
    calls.answer(call, "short")
    calls.answer(other, "short")
    calls.stage.play()
    expect(card).to_contain_text("short")
    opened(card)
    expect(card.get_by_text("1", exact=True)).to_be_visible()


UNSTRUCTURED = ("Station WKRP not found.", "{broken", "5", "null", '"quoted"', "[]", "[1] a footnote")


def test_what_is_no_structure_is_shown_as_text(calls: Calls) -> None:
    for card, text in zip(cards_of(calls, *UNSTRUCTURED), UNSTRUCTURED, strict=True):
        expect(card.locator(".result")).to_be_visible()
        expect(card.locator(".result")).to_have_text(text)
        expect(card.locator(".outcome .view")).to_be_hidden()


# -- tables


def column(card: Locator, number: int) -> list[str]:
    """The texts of a column."""
    return card.locator(f"tbody td:nth-child({number})").all_text_contents()


@pytest.mark.parametrize("result", [SONGS, {"total": 3, "songs": SONGS}], ids=["list", "object with a list"])
def test_a_list_of_flat_objects_is_a_table_that_can_be_sorted(calls: Calls, result: object) -> None:
    card = card_of(calls, result)
    expect(card.get_by_role("columnheader")).to_have_text(["song", "artist", "plays"])
    plays = card.get_by_role("columnheader", name="plays")
    press = plays.get_by_role("button")
    press.press("Enter")
    expect(plays).to_have_attribute("aria-sort", "ascending")
    assert column(card, 3) == ["12", "9007199254740992", "9007199254740993"]
    press.press("Enter")
    expect(plays).to_have_attribute("aria-sort", "descending")
    assert column(card, 1) == ["Brick Lane", "Cold Tea", "Elemental Hotel"]
    expect(press).to_be_focused()
    press.press("Enter")
    assert plays.get_attribute("aria-sort") is None
    assert column(card, 1) == ["Elemental Hotel", "Brick Lane", "Cold Tea"]
    card.get_by_role("button", name="artist").click()
    assert column(card, 2) == ["8 Storey Hike", "Ada", "Zoë"]
    expect(card.locator("[aria-sort]")).to_have_count(1)


def test_rows_that_lack_a_value_come_last_either_way(calls: Calls) -> None:
    card = card_of(calls, [{"n": 2}, {"n": None, "m": "x"}, {"n": 1}, {"m": "y"}])
    press = card.get_by_role("button", name="n", exact=True)
    press.click()
    assert column(card, 1) == ["1", "2", "null", ""]
    press.click()
    assert column(card, 1) == ["2", "1", "null", ""]


def test_a_long_table_comes_a_part_at_a_time_and_is_sorted_whole(calls: Calls) -> None:
    card = card_of(calls, [{"n": n} for n in range(120)])
    rows = card.locator("tbody tr")
    expect(rows).to_have_count(50)
    card.get_by_role("button", name="Show 50 more of 70").click()
    expect(rows).to_have_count(100)
    press = card.get_by_role("button", name="n", exact=True)
    press.click()
    press.click()
    assert column(card, 1)[:2] == ["119", "118"]


def test_what_a_cell_holds_is_unfolded_in_it(calls: Calls) -> None:
    sizes = {"least": 1, "most": [2, [3]]}
    card = card_of(
        calls, {"page": {"next": 2}, "rows": [{"path": "a", "sizes": sizes}, {"path": "b", "sizes": {}}]}
    )
    expect(card.get_by_role("columnheader")).to_have_text(["path", "sizes"])
    expect(card.get_by_role("cell")).to_have_text(["a", "least, most", "b", "{}"])
    card.get_by_role("cell").nth(1).locator("summary").press("Enter")
    expect(card.get_by_role("cell").nth(1).get_by_role("listitem").first).to_have_text("least1")
    table = card.get_by_role("group", name="Table of 2 rows")
    expect(table).to_have_attribute("tabindex", "0")  # so that keys scroll it


# -- pictures


def image(form: str, data: str) -> dict[str, object]:
    """A picture as Converse has it."""
    return {"image": {"format": form, "source": {"bytes": data}}}


def test_a_picture_is_shown(calls: Calls) -> None:
    card = card_of(calls, image("png", picture_in_base64()))
    image_element = card.get_by_role("img", name="Picture from top_song")
    calls.stage.chat.until(lambda: image_element.evaluate("(one) => one.naturalWidth") == 96)
    expect(card.get_by_role("link", name="Save")).to_have_attribute("download", "picture.png")
    card.get_by_role("button", name="As text").click()
    expect(card.locator(".result")).to_contain_text('{"image": {"format": "png"')


def test_a_picture_opens_large(calls: Calls) -> None:
    card = card_of(calls, image("png", picture_in_base64(1600, 300)))
    page = calls.stage.chat.page
    dialog = page.get_by_role("dialog", name="Picture from top_song")
    opener = card.get_by_role("button", name="Open large")
    opener.press("Enter")
    large = dialog.get_by_role("img", name="Picture from top_song")
    expect(large).to_be_in_viewport(ratio=1)
    whole = dialog.get_by_role("button", name="Actual size")
    whole.press("Enter")
    expect(whole).to_have_attribute("aria-pressed", "true")
    calls.stage.chat.until(lambda: large.evaluate("(one) => one.clientWidth") == 1600)
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    expect(opener).to_be_focused()
    page.set_viewport_size({"width": 390, "height": 700})
    card.get_by_role("img").click()
    expect(large).to_be_in_viewport(ratio=1)
    dialog.get_by_role("button", name="Close").click()
    expect(dialog).to_have_count(0)
    expect(opener).to_be_focused()


def test_pictures_stand_among_the_words_of_their_result(calls: Calls) -> None:
    card = card_of(
        calls,
        f"Two of them:\n{json.dumps(image('png', picture_in_base64()))}\n{json.dumps(image('png', picture_in_base64()))}",
    )
    expect(card.locator(".outcome .paragraph")).to_have_text("Two of them:")
    expect(card.get_by_role("img")).to_have_count(2)


SVG = "PHN2ZyB4bWxucz0iaHR0cDovL3d3dy53My5vcmcvMjAwMC9zdmciIG9ubG9hZD0id2luZG93Lm93bmVkPTEiLz4="


UNTRUSTED = (
    image("svg+xml", SVG),
    image("svg", SVG),
    image("png", '" onerror="x'),
    image("__proto__", SVG),
    {"image": {"format": "png"}},
)


def test_what_is_no_picture_that_can_be_trusted_is_not_drawn(calls: Calls) -> None:
    for card in cards_of(calls, *UNTRUSTED):
        expect(card.locator(".outcome")).to_contain_text("image")
        expect(card.get_by_role("img")).to_have_count(0)


def test_a_picture_that_is_too_large_to_be_sent_or_is_none_is_told(calls: Calls) -> None:
    large, none = cards_of(calls, {"image": {"format": "jpeg", "size": 512 * 1024}}, image("png", SVG))
    expect(large.locator(".outcome")).to_contain_text("A picture, JPEG, 512 KB: too large to be shown here.")
    expect(none.locator(".outcome")).to_contain_text("This picture cannot be shown.")
    assert calls.stage.chat.page.evaluate("window.owned") is None
