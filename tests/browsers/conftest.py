"""Each browser once, on one server with the demo gateway and a tool that asks first."""

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from conversations import demo_gateway as demo
from conversations.demo_gateway import phrases
from conversations.demo_gateway.reply import say
from tests.browsers.conversing import Chat, Tab
from tests.browsers.engines import ENGINES, Missing
from tests.browsers.watching import watched_site
from tests.servers import Browser as Client
from tests.servers import Server

NUMBERED = "\n\n".join(f"{number}. one\n{number + 1}. two\n\nand" for number in (9, 98, 994, 123456788))
NUMBERS = phrases.Phrase("show numbers", "lists with long numbers", say(NUMBERED))


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    gateway = demo.start(pace=0.06)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(phrases, "PHRASES", (*phrases.PHRASES, NUMBERS))
        with watched_site(tmp_path_factory.mktemp("watched"), gateway.url) as running:
            yield running
    gateway.close()


@pytest.fixture(scope="session")
def cookies(server: Server) -> list[dict[str, str]]:
    """The owner's session, as WebDriver's cookies."""
    client = Client()
    client.open(server.url + server.path)
    pairs = [pair.split("=", 1) for pair in client.cookie.split("; ")]
    return [{"name": name, "value": value} for name, value in pairs]


@pytest.fixture(scope="session", params=list(ENGINES))
def tab(request: pytest.FixtureRequest, server: Server, cookies: list[dict[str, str]]) -> Iterator[Tab]:
    """The tab of a browser, signed in."""
    with ExitStack() as stack:
        try:
            driver = stack.enter_context(ENGINES[request.param]())
        except Missing as missing:
            pytest.skip(str(missing))
        tab = Tab(driver, server.url)
        driver.set_window_size(1280, 900)
        tab.open("/healthz")
        for cookie in cookies:
            driver.add_cookie(cookie)
        yield tab


@pytest.fixture
def chat(tab: Tab) -> Iterator[Chat]:
    """A new conversation in the tab, in which nothing may go wrong."""
    chat = Chat(tab.driver, tab.base)
    chat.begin()
    yield chat
    assert chat.run("return sessionStorage.getItem('faults')") is None
