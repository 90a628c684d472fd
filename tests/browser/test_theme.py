"""The theme that a reader chooses, seen."""

import pytest
from playwright.sync_api import Page, expect

GROUND = "getComputedStyle(document.body).backgroundColor"
LIGHT, DARK = "rgb(250, 248, 244)", "rgb(23, 22, 20)"
PAPER = "rgb(255, 255, 255)"


@pytest.mark.own_browser
def test_a_theme_is_seen_at_once_and_everywhere_until_the_systems_is_chosen(page: Page) -> None:
    page.goto("/settings/")
    for system, own, ground in (("light", "Dark", DARK), ("dark", "Light", LIGHT)):
        page.emulate_media(color_scheme=system)  # type: ignore[arg-type]
        with page.expect_response("**/settings/theme/"):
            page.get_by_role("radio", name=own).check()
        assert page.evaluate(GROUND) == ground
        page.goto("/")
        assert page.evaluate(GROUND) == ground
        page.emulate_media(media="print")
        assert page.evaluate(GROUND) == PAPER
        page.emulate_media(media="screen")
        page.goto("/settings/")
        expect(page.get_by_role("radio", name=own)).to_be_checked()
    with page.expect_response("**/settings/theme/"):
        page.get_by_role("radio", name="System").check()
    for system, ground in (("light", LIGHT), ("dark", DARK)):
        page.emulate_media(color_scheme=system)  # type: ignore[arg-type]
        assert page.evaluate(GROUND) == ground
