"""A real browser, and a real server with a database of its own and the demo gateway."""

import asyncio
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    Error,
    Page,
    Playwright,
    StorageState,
    expect,
    sync_playwright,
)

from conversations import demo_gateway as demo
from tests.browser.attacks import Attacker, attacking
from tests.browser.calls import Calls
from tests.browser.chat import Chat, Connection
from tests.browser.stage import Stage
from tests.servers import Server, serving, site

# The shell has no window and spends the least.
CHROMIUMS = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--process-per-site",  # a new tab finds the scripts of the last one compiled
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-features=LocalNetworkAccessChecks",  # else nothing could reach an attacker on loopback, guarded or not
)
ROOMY = {"width": 1100, "height": 700}


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    """Adds to a failure what the tab showed."""
    report = yield
    tab = getattr(item, "funcargs", {}).get("page")
    if report.when == "call" and report.failed and tab is not None:
        with suppress(Error):
            report.sections.append((f"tab at {tab.url}", tab.locator("body").inner_text()))
    return report


@pytest.fixture(scope="session")
def chromium() -> Iterator[tuple[Browser, asyncio.AbstractEventLoop]]:
    """A headless Chromium for all modules, and Playwright's event loop.

    Playwright leaves its loop running in the thread: between the modules it is hidden from other tests.
    """
    expect.set_options(timeout=20_000)  # a busy machine is no failure
    with sync_playwright() as playwright:
        loop = asyncio.get_running_loop()
        browser = _launched(playwright)
        asyncio._set_running_loop(None)
        yield browser, loop
        asyncio._set_running_loop(loop)
        browser.close()
    asyncio._set_running_loop(None)


def _launched(playwright: Playwright) -> Browser:
    installed = filter(None, map(shutil.which, CHROMIUMS))
    program = os.environ.get("CHROMIUM") or next(installed, None)
    try:
        return playwright.chromium.launch(executable_path=program, args=FLAGS)
    except Error:
        pytest.skip("no Chromium: install one, or name it in the environment variable CHROMIUM")


@pytest.fixture(scope="module")
def browser(chromium: tuple[Browser, asyncio.AbstractEventLoop]) -> Iterator[Browser]:
    """The Chromium for a module, with nothing open."""
    browser, loop = chromium
    asyncio._set_running_loop(loop)
    yield browser
    for context in browser.contexts:
        context.close()
    asyncio._set_running_loop(None)


@pytest.fixture(scope="session")
def quick_gateway() -> Iterator[demo.DemoGateway]:
    """The demo gateway, at eight times its pace: still slow enough to see it write."""
    gateway = demo.start(pace=0.125)
    yield gateway
    gateway.close()


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory, quick_gateway: demo.DemoGateway) -> Iterator[Server]:
    """`manage.py serve` with two models and without limits on turns."""
    variables = {
        "GATEWAY_URL": quick_gateway.url,
        "GATEWAY_MODELS": "cohere.command-r-v1:0,other.model-v1",
        "USER_TURNS_PER_MINUTE": "0",
    }
    with serving(site(tmp_path_factory.mktemp("site"), **variables)) as running:
        yield running


@pytest.fixture(scope="module")
def signed_in(browser: Browser, server: Server) -> StorageState:
    """The cookies of the owner; the link works once, so they are kept for the next module."""
    if not hasattr(server, "cookies"):
        context = browser.new_context()
        context.new_page().goto(server.url + server.path)
        server.cookies = context.storage_state()  # type: ignore[attr-defined]
        context.close()
    return server.cookies  # type: ignore[attr-defined, no-any-return]


@contextmanager
def owners(browser: Browser, server: Server, signed_in: StorageState) -> Iterator[BrowserContext]:
    """The signed-in owner's browser."""
    context = browser.new_context(
        base_url=server.url, storage_state=signed_in, viewport=ROOMY, reduced_motion="reduce"
    )
    context.set_default_timeout(30_000)
    yield context
    context.close()


@pytest.fixture(scope="module")
def shared(browser: Browser, server: Server, signed_in: StorageState) -> Iterator[BrowserContext]:
    """The owner's browser for all tests of a module, which keeps what it has fetched.

    A tab stays open in it, since the process that has the scripts ends with its last tab.
    """
    with owners(browser, server, signed_in) as context:
        context.new_page().goto("/healthz")
        yield context


@pytest.fixture
def context(
    request: pytest.FixtureRequest, browser: Browser, server: Server, signed_in: StorageState
) -> Iterator[BrowserContext]:
    """The owner's browser as it was at first: the module's, or the test's if marked `own_browser`."""
    if request.node.get_closest_marker("own_browser"):
        with owners(browser, server, signed_in) as context:
            yield context
        return
    context = request.getfixturevalue("shared")
    idle = len(context.pages)
    yield context
    for page in context.pages[idle:]:
        page.close()
    context.set_offline(False)
    context.clear_permissions()
    context.clear_cookies()
    context.add_cookies(signed_in["cookies"])  # type: ignore[typeddict-item]


@pytest.fixture
def page(context: BrowserContext) -> Iterator[Page]:
    """A tab, in which no script may fail."""
    page = context.new_page()
    failures: list[str] = []
    page.on("pageerror", lambda error: failures.append(str(error)))
    yield page
    assert failures == []


@pytest.fixture
def chat(page: Page) -> Chat:
    """A new conversation in the tab."""
    return Chat.new(page)


@pytest.fixture
def connection(chat: Chat) -> Connection:
    """The connection of the conversation's page, which the test can cut."""
    connection = Connection(chat.page)
    chat.page.reload()
    return connection


@pytest.fixture
def stage(page: Page) -> Stage:
    return Stage(page)


@pytest.fixture
def calls(page: Page) -> Calls:
    return Calls(page)


@pytest.fixture
def attacker(page: Page) -> Iterator[Attacker]:
    """The attacker's server, to which no page may send any request."""
    with attacking() as attacker:
        yield attacker
        page.wait_for_timeout(300)  # what would be fetched late
        assert attacker.paths == []
