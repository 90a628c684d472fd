"""Code in answers: coloured in both schemes, copied as it was written, and never anything but text."""

from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.looks import colour, contrast
from tests.browser.stage import Stage

PYTHON = "def minutes(seconds: int) -> float:\n    # a side\n    return seconds / 60 if seconds else None\n"
COLOURS = ("key", "name", "type", "text", "value", "note")


def test_code_is_coloured_and_says_what_it_is(page: Page) -> None:
    chat = Stage(page).answer_page(f"```python\n{PYTHON}```")
    box = chat.log.locator(".code")
    expect(box.locator(".hljs-keyword").first).to_have_text("def")
    expect(box.locator("code")).to_have_text(PYTHON)
    expect(box).to_have_attribute("data-language", "python")


def test_code_in_no_language_that_is_known_stays_plain(page: Page) -> None:
    languages = ("", "nonsense", "constructor", "__proto__")
    chat = Stage(page).answer_page(*(f"```{language}\n{PYTHON}```\n\nThen." for language in languages))
    expect(chat.messages("Assistant")).to_contain_text(["Then."] * len(languages))
    expect(chat.log.locator(".code code")).to_have_text([PYTHON] * len(languages))
    expect(chat.log.locator(".code code *")).to_have_count(0)


def test_code_can_be_copied_as_it_was_written(page: Page, context: BrowserContext) -> None:
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    chat = Stage(page).answer_page(f"```python\n{PYTHON}```")
    expect(chat.log.locator(".hljs-keyword").first).to_be_visible()
    chat.log.get_by_role("button", name="Copy the code").click()
    chat.until(lambda: page.evaluate("navigator.clipboard.readText()") == PYTHON)


def test_an_open_block_of_code_stays_where_it_is_and_is_coloured_once_it_is_finished(page: Page) -> None:
    stage = Stage(page)
    stage.begin_answer()
    stage.record.part("```python\nimport math\n")
    stage.play()
    code = stage.chat.log.locator(".code code")
    expect(code).to_contain_text("import math")
    code.evaluate("element => { element.closest('.code').mark = 'kept'; }")
    stage.record.part("import json\n```\n\nThat was it.\n\nIndeed.")
    stage.play()
    expect(code.locator(".hljs-keyword")).to_have_count(2)
    assert code.evaluate("element => element.closest('.code').mark") == "kept"


def test_no_code_becomes_anything_but_text(page: Page) -> None:
    attack = "<script>window.owned=1</script><img src=x onerror=window.owned=1>&lt;b&gt;\n<style>* { display: none }</style>\n"
    languages = ("html", "xml", "javascript", "css", "markdown", "php")
    chat = Stage(page).answer_page(*(f"```{language}\n{attack}```" for language in languages))
    code = chat.log.locator(".code code")
    expect(code).to_have_text([attack] * len(languages))
    for block in code.all():
        expect(block.locator("span").first).to_be_attached()
    expect(code.locator(":not(span)")).to_have_count(0)
    attributes = code.locator("*").evaluate_all("all => all.flatMap(element => element.getAttributeNames())")
    assert set(attributes) <= {"class"}
    assert page.evaluate("window.owned") is None


def test_every_colour_of_code_can_be_told_from_its_ground(page: Page) -> None:
    Stage(page).answer_page("Nothing.")
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        for name in COLOURS:
            assert contrast(colour(page, f"code-{name}"), colour(page, "tint")) >= 4.5, (scheme, name)
