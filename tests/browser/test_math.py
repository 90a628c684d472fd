"""Formulas are printed by KaTeX where they are meant, and stay as written where they are wrong."""

from playwright.sync_api import Page, expect

from tests.browser.stage import Stage

HOSTILE = (
    r"$\href{javascript:window.owned=1}{click}$",
    r"$\url{javascript:window.owned=1}$",
    r"$\includegraphics{http://attacker.invalid/1.png}$",
    r"$\htmlData{x=1}{y} \htmlId{transcript}{z} \htmlClass{turn}{c} \htmlStyle{position: fixed; inset: 0}{s}$",
    r"$\rule{1000000em}{1000000em}$",
    r"$\def\a{\a\a}\a$",
    r"$\def\a{xxxxxxxxxx}\def\b{\a\a\a\a\a\a\a\a\a\a}\def\c{\b\b\b\b\b\b\b\b\b\b}\def\d{\c\c\c\c\c\c\c\c\c\c}\d\d\d\d\d\d\d\d\d\d$",
    "$" + "{" * 2000 + "}" * 2000 + "$",
    r"$\text{<img src=x onerror=window.owned=1>}$",
    r"$\unicode{<img src=x onerror=window.owned=1>}$",
)


FORMULAS = {
    r"Of $E = mc^2$ and \(a^2\).": 2,
    "$$\nx = 1\n+ 2\n$$": 1,
    r"\[ x = 1 \]": 1,
    "So $$x$$, where $x$ is small:\n\\[\nx\n\\]\nand no more.": 3,
    "- in a list $x$\n\n> $$y$$\n\n| $a$ | b |\n| --- | --- |\n| c | $d$ |": 4,
}
PRICES = (
    "It costs $5 and $6, or US$7 to US$8, or $9/$10.",
    "Set $HOME and $PATH, `$x$`, \\$y\\$, $$ and $ z $.",
    "$$\nnever ended",
    "```\n$$\nx\n$$\n```",
)


def test_formulas_are_printed(page: Page) -> None:
    chat = Stage(page).answer_page(*FORMULAS)
    for answer, (text, formulas) in zip(chat.messages("Assistant").all(), FORMULAS.items(), strict=True):
        expect(answer.locator(".katex-html"), text).to_have_count(formulas)


def test_prices_are_no_formulas_and_load_nothing(page: Page) -> None:
    chat = Stage(page).answer_page(*PRICES)
    expect(chat.log.locator(".katex-html")).to_have_count(0)
    assert page.locator("head link[href*=katex]").count() == 0


def test_a_displayed_formula_stands_alone_and_has_mathml_for_those_who_hear_it(page: Page) -> None:
    chat = Stage(page).answer_page("$$\n\\frac{a}{b}\n$$")
    formula = chat.log.locator(".math.displayed")
    expect(formula.locator("math mfrac")).to_have_count(1)
    assert formula.evaluate("element => getComputedStyle(element).display") == "block"
    assert formula.evaluate("element => document.fonts.check('1em KaTeX_Main')")


def test_a_wrong_formula_shows_its_source(page: Page) -> None:
    chat = Stage(page).answer_page(r"Right is $x$, wrong are $\frac{a}{$ and \(\nonsense{x}\).")
    expect(chat.log.locator(".katex-html")).to_have_count(1)
    expect(chat.messages("Assistant")).to_contain_text(r"wrong are $\frac{a}{$ and \(\nonsense{x}\).")


def test_a_formula_is_printed_as_soon_as_it_is_complete(page: Page) -> None:
    stage = Stage(page)
    stage.begin_answer()
    chat = stage.chat
    stage.record.part("First $x$ and $$\ny + 1")
    stage.play()
    expect(chat.log.locator(".katex-html")).to_have_count(1)
    expect(chat.messages("Assistant")).to_contain_text("y + 1")
    stage.record.part("\n$$\n")
    stage.play()
    expect(chat.log.locator(".katex-html")).to_have_count(2)


def test_no_formula_runs_loads_names_or_covers_anything(page: Page) -> None:
    urls: list[str] = []
    page.on("request", lambda request: urls.append(request.url))
    texts = [f"First ${{x}}$.\n\n{attack}\n\nLast." for attack in HOSTILE]
    chat = Stage(page).answer_page(*texts)
    for answer in chat.messages("Assistant").all():
        expect(answer.locator(".katex-html").first).to_be_attached()
        expect(answer).to_contain_text("First")
        expect(answer).to_contain_text("Last.")
    assert page.evaluate("window.owned") is None
    assert [url for url in urls if "attacker" in url] == []
    inside = chat.log.locator(".math")
    expect(inside.locator("a, img, [id], [data-x], [onerror]")).to_have_count(0)
    expect(inside.locator(".turn")).to_have_count(0)
    heights = inside.evaluate_all(
        "elements => elements.map((element) => element.getBoundingClientRect().height)"
    )
    assert max(heights) < 2_000
