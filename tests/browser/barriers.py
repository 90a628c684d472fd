"""Barriers that keep people from using a page, by axe-core, by measuring, and by the Tab key."""

from importlib import resources
from typing import Any, Literal

from playwright.sync_api import Page

AXE = resources.files("axe_playwright_python").joinpath("axe.min.js").read_text()
RULES = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")
MOST_STOPS = 200  # more than any page here has

# Without `preload`, which would read the style sheets once more in a way that the page's policy forbids.
AXE_RUN = """async ([rules, exclude, off, impacts]) => {
    const rule = Object.fromEntries(off.map((name) => [name, {enabled: false}]));
    const options = {runOnly: rules, rules: rule, resultTypes: ["violations"], preload: false, iframes: false};
    const {violations} = await axe.run({exclude}, options);
    return violations.filter(({impact}) => impacts.includes(impact)).flatMap(({id, impact, nodes}) =>
        nodes.map(({target, failureSummary}) =>
            `${id} (${impact}): ${target.join(" ")}: ${failureSummary.split("\\n").slice(1).join(" ")}`));
}"""

MEASURE = """() => {
    const root = document.documentElement;
    const seen = (one) => one.checkVisibility({checkVisibilityCSS: true}) && !one.closest(".unseen, .skip, [aria-hidden=true]");
    const all = (selector) => [...document.querySelectorAll(selector)].filter(seen);
    const wrong = root.scrollWidth > root.clientWidth ? [`scrolls sideways by ${root.scrollWidth - root.clientWidth}`] : [];
    for (const [name, selector, least, most] of [
        ["main", "main", 1, 1], ["banner", "body > header", 0, 1], ["h1", "main h1:not([role=log] *)", 1, 1],
    ]) if (all(selector).length < least || all(selector).length > most) wrong.push(`${all(selector).length} of ${name}`);
    const names = all("nav").map((one) => one.ariaLabel);
    if (new Set(names).size < names.length || names.includes(null)) wrong.push(`navigation: ${names}`);
    for (const one of all("a[href], button, input:not([type=hidden]), select, textarea, summary, [role=option]")) {
        if (one.disabled || (one.matches("a") && getComputedStyle(one).display === "inline")) continue;
        const laid = getComputedStyle(one, "::after").position === "absolute" ? one.offsetParent : one;
        const {width, height} = (one.closest("label") ?? laid).getBoundingClientRect();
        if (Math.min(width, height) < 43.99)
            wrong.push(`${one.tagName} ${one.ariaLabel ?? one.textContent.trim()} ${one.className}: ${width} x ${height}`);
    }
    return wrong;
}"""

# Where the focus is now, and what is wrong there; null at the end, or where it has been before.
STOP = """() => {
    const one = document.activeElement, before = window.stops.at(-1);
    if (one === document.body || window.stops.includes(one)) return null;
    window.stops.push(one);
    const box = one.getBoundingClientRect(), wrong = [];
    const round = [one, one.parentElement, one.parentElement.parentElement].map((element) => getComputedStyle(element));
    if (!round.some((style) => style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2)) wrong.push("no outline");
    const places = [.5, .1, .9].flatMap((x) => [.5, .1, .9].map((y) => [box.left + x * box.width, box.top + y * box.height]));
    if (!places.some((place) => one.contains(document.elementFromPoint(...place)))) wrong.push("covered");
    if (one.tabIndex > 0) wrong.push("positive tabindex");
    const part = (element) => element.closest(".dock, header, nav, [role=log], main");
    if (innerWidth < 600 && before?.isConnected && part(before) === part(one)) {  // wider, things stand side by side
        const last = before.getBoundingClientRect();
        if (box.bottom <= last.top + 1) wrong.push("above the stop before it");
        if (Math.abs(box.top - last.top) < 4 && box.left < last.left) wrong.push("left of the stop before it");
    }
    return `${one.tagName} ${one.ariaLabel ?? one.textContent.trim().slice(0, 60)} ${one.id || one.className}: ${wrong}`;
}"""

RUNNING = """() => document.getAnimations().filter((one) => one.effect.getComputedTiming().activeDuration > 200)
    .map((one) => one.animationName ?? String(one))"""


def barriers(
    page: Page,
    rules: tuple[str, ...] = RULES,
    exclude: tuple[str, ...] = (),
    off: tuple[str, ...] = (),
    impacts: tuple[str, ...] = ("critical", "serious", "moderate", "minor"),
) -> list[str]:
    """The violations that axe sees: the rule, how bad it is, where and why."""
    if page.evaluate("typeof axe") == "undefined":
        page.evaluate(AXE)
    violations: list[str] = page.evaluate(AXE_RUN, [rules, exclude, off, impacts])
    return violations


def mismeasured(page: Page) -> list[str]:
    """Things too wide for the screen or too small for a finger (WCAG 2.5.5), and wrong landmarks.

    As the guideline has it, size is not asked of links within a sentence, nor of what has an equivalent on the page: the marks above the
    player's slider, which are hidden from assistive technology, are listed below it.
    """
    wrong: list[str] = page.evaluate(MEASURE)
    return wrong


def show(page: Page, width: int, scheme: Literal["light", "dark"]) -> None:
    """Makes the page as wide as this, in these colours."""
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    page.set_viewport_size({"width": width, "height": 800})


def stops(page: Page) -> list[str]:
    """The stops of the Tab key in their order: each one's name, and what is wrong there after a colon."""
    page.evaluate("window.stops = []; document.querySelector('.skip').focus()")
    names: list[str] = []
    while len(names) < MOST_STOPS:
        page.keyboard.press("Tab")
        stop: Any = page.evaluate(STOP)
        if stop is None:
            return names
        names.append(stop)
    raise AssertionError("the Tab key comes to no end")
