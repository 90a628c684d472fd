"""A running call's question in its card, on a real server with a server of MCP beside it."""

import json
from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from conversations import demo_gateway as demo
from tests.browser.chat import Chat
from tests.mcp.servers import STDIO
from tests.servers import Server, serving, site


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, quick_gateway: demo.DemoGateway) -> Iterator[Server]:
    """A site that is offered the small server's tools, and those of one that is not there."""
    folder = tmp_path_factory.mktemp("asking")
    servers = {"radio": STDIO | {"approval": "never"}, "gone": {"command": "/nowhere/at/all"}}
    (folder / "mcp.json").write_text(json.dumps({"mcpServers": servers}))
    with serving(
        site(folder, GATEWAY_URL=quick_gateway.url, MCP_SERVERS=str(folder / "mcp.json"))
    ) as running:
        yield running


def test_a_question_is_answered_in_its_card_and_a_server_that_is_gone_is_told(chat: Chat) -> None:
    chat.page.route("**/waiting/?*", lambda route: route.abort())
    chat.say("Call radio__greet")
    card = chat.tool("radio__greet")
    expect(card.locator(".tool-state")).to_have_text("Asks you")
    expect(card.get_by_text("The question could not be loaded.")).to_be_visible()
    chat.page.unroute("**/waiting/?*")
    card.get_by_role("button", name="Try again").click()
    name, age = card.get_by_label("Name", exact=True), card.get_by_label("Age", exact=True)
    expect(name).to_be_focused()
    expect(age).to_have_value("30")
    name.fill("Les")
    age.fill("1.5")
    card.get_by_role("button", name="Answer").click()
    expect(card.get_by_role("alert")).to_contain_text("age: 1.5 is not of type 'integer'")
    expect(name).to_have_value("Les")
    age.fill("41")
    card.get_by_role("button", name="Answer").click()
    expect(card.locator(".tool-state")).to_have_text("Succeeded")
    expect(card.locator(".decision")).to_have_text("Answered by owner")
    expect(card.locator(".result")).to_contain_text("accept: Les, 41")
    expect(chat.log.get_by_text("Without the tools of gone", exact=True)).to_be_visible()
