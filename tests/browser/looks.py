"""How a page looks: its width, its colours and their contrast, and the size of its controls."""

import re

from playwright.sync_api import Page

OVERFLOW = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
"""How far the page scrolls sideways."""

COLOUR = """token => {
    const probe = document.body.appendChild(document.createElement("i"));
    probe.style.color = `var(--${token})`;
    const {color} = getComputedStyle(probe);
    probe.remove();
    return color;
}"""


def colour(page: Page, token: str) -> tuple[float, ...]:
    """The red, green and blue of a token, from 0 to 1."""
    return tuple(int(part) / 255 for part in re.findall(r"\d+", page.evaluate(COLOUR, token)))


def contrast(one: tuple[float, ...], other: tuple[float, ...]) -> float:
    """The ratio of WCAG 2.2."""
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def luminance(colour: tuple[float, ...]) -> float:
    """Relative luminance of WCAG 2.2."""
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in colour
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


SMALL_TARGETS = """() => [...document.querySelectorAll("button, input:not([type=hidden]), select, summary, .bar a")]
    .map(control => control.closest("label") ?? control)
    .filter(target => {
        const {width, height} = target.getBoundingClientRect();
        return target.checkVisibility({visibilityProperty: true}) && width && height && Math.min(width, height) < 44;
    })
    .map(target => target.innerText || target.outerHTML)"""


def small_targets(page: Page) -> list[str]:
    """The controls that are smaller than 44 by 44 pixels, with their labels."""
    return page.evaluate(SMALL_TARGETS)  # type: ignore[no-any-return]
