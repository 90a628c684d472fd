"""The settings of a conversation: stored at once, heeded by the next message, live in every tab."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.chat import Chat, new_conversation
from tests.gateway.wire import Answer, WireServer, answer_frames
from tests.servers import serving, site

OTHER = "us.anthropic.claude-sonnet-4-20250514-v1:0"


class Settings:
    """The settings of the conversation in a tab."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.button = page.get_by_role("button", name="Settings of this conversation")
        self.model = page.get_by_role("combobox", name="Model")
        self.instructions = page.get_by_role("textbox", name="Instructions")
        self.temperature = page.get_by_role("spinbutton", name="Temperature")
        self.tool = page.get_by_role("checkbox", name="top_song")
        self.reasoning = page.get_by_role("checkbox", name="Reasoning")

    def open(self) -> "Settings":
        self.button.click()
        expect(self.temperature).to_be_visible()
        return self

    def close(self) -> None:
        self.page.keyboard.press("Escape")
        expect(self.temperature).to_be_hidden()


@pytest.fixture(scope="module")
def gateway() -> Iterator[WireServer]:
    """A gateway that keeps every request."""
    with WireServer([Answer.stream(*answer_frames("All is ", "well."))]) as server:
        yield server


@pytest.fixture(scope="module")
def tab(browser: Browser, gateway: WireServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    """A tab of a site with two models."""
    variables = {"GATEWAY_URL": gateway.url, "GATEWAY_MODELS": f"cohere.command-r-v1:0,{OTHER}"}
    with serving(site(Path(tmp_path_factory.mktemp("site")), **variables)) as server:
        context = browser.new_context(base_url=server.url, viewport={"width": 1280, "height": 720})
        page = context.new_page()
        page.goto(server.path)
        yield page
        context.close()


def newest_request(gateway: WireServer) -> dict[str, Any]:
    """The newest request."""
    import json

    body: dict[str, Any] = json.loads(gateway.requests[-1].body)
    return body | {"path": gateway.requests[-1].path}


def test_what_is_changed_goes_with_the_very_next_message(tab: Page, gateway: WireServer) -> None:
    tab.goto(new_conversation(tab))
    chat, settings = Chat(tab), Settings(tab).open()
    settings.instructions.fill("Be brief.")
    settings.temperature.fill("0.3")
    settings.tool.uncheck()
    chat.ask("hello")
    body = newest_request(gateway)
    assert (body["system"], body["inferenceConfig"]["temperature"]) == ([{"text": "Be brief."}], 0.3)
    assert "toolConfig" not in body
    expect(chat.log).to_contain_text("temperature 0.3 · without top_song · instructions “Be brief.”")
    settings.temperature.fill("")
    settings.model.select_option(OTHER)
    expect(tab.get_by_text("Tools, pictures, documents, reasoning.")).to_be_visible()
    settings.reasoning.check()
    expect(tab.get_by_role("spinbutton", name="Its budget of tokens")).to_have_value("2048")
    chat.ask("hello")
    body = newest_request(gateway)
    assert "claude-sonnet-4" in body["path"]
    assert body["additionalModelRequestFields"]["thinking"]["budget_tokens"] == 2048
    assert "temperature" not in body["inferenceConfig"]
    expect(tab.get_by_role("banner")).to_contain_text(OTHER)
    expect(chat.log).to_contain_text(f"{OTHER} · up to 2,048 tokens of reasoning · without top_song")


def test_what_cannot_be_is_said_beside_its_field_and_every_tab_has_the_same(tab: Page) -> None:
    tab.goto(new_conversation(tab))
    settings, other = Settings(tab).open(), Settings(tab.context.new_page())
    other.page.goto(tab.url)
    other.open()
    other.instructions.fill("half a thou")
    settings.temperature.fill("7")
    settings.temperature.press("Enter")
    expect(tab.get_by_role("alert")).to_have_text("This is a number from 0 to 1.")
    expect(settings.temperature).to_have_value("7")
    settings.tool.uncheck()
    expect(other.tool).not_to_be_checked()
    expect(other.temperature).to_have_value("")
    expect(other.instructions).to_have_value("half a thou")
    settings.temperature.fill("1")
    settings.instructions.focus()
    expect(tab.get_by_role("alert")).to_have_count(0)
    expect(other.temperature).to_have_value("1.0")
    settings.close()
    expect(settings.button).to_be_focused()
    other.page.close()


def test_instructions_are_kept_as_a_preset_and_chosen_again(tab: Page) -> None:
    tab.goto(new_conversation(tab))
    settings = Settings(tab).open()
    settings.instructions.fill("Answer in rhymes.")
    tab.get_by_role("button", name="Keep as a preset").click()
    title = tab.get_by_role("textbox", name="Title of the preset")
    expect(title).to_be_focused()
    title.fill("Poet")
    title.press("Enter")
    expect(title).to_be_hidden()
    settings.instructions.fill("")
    tab.get_by_role("combobox", name="Presets").select_option("Poet")
    expect(settings.instructions).to_have_value("Answer in rhymes.")
    tab.reload()
    expect(settings.open().instructions).to_have_value("Answer in rhymes.")
    tab.goto("/")
    tab.get_by_text("Title and instructions").click()
    tab.get_by_role("combobox", name="Presets").select_option("Poet")
    instructions = tab.get_by_role("textbox", name="Instructions (system prompt)")
    expect(instructions).to_have_value("Answer in rhymes.")
