"""A conversation's page in any browser, by what stands on it."""

import time
from collections.abc import Callable
from typing import Any

from selenium.common.exceptions import StaleElementReferenceException
from selenium.webdriver import Remote
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement

from tests.browser.chat import UNDRAWN

NEW = """const body = new URLSearchParams({csrfmiddlewaretoken: document.querySelector("[name=csrfmiddlewaretoken]").value});
    return fetch("/conversations/", {method: "POST", body}).then(({url}) => url)"""
TEXTS = "return [...document.querySelectorAll(arguments[0])].map((one) => one.textContent.trim())"
ELEMENT = """const [selector, name] = arguments;
    const isNamed = (one) => !name || name === (one.ariaLabel || one.innerText.trim());
    return [...document.querySelectorAll(selector)].findLast((one) => one.checkVisibility() && isNamed(one));"""
# What can be played has ended; the script has come, which says so.
SETTLED = """return Boolean(document.querySelector("#transcript .turn:last-of-type [data-play]:not([hidden])"))
    && !document.querySelector(arguments[0])"""
FOLLOWED = "return document.scrollingElement.scrollHeight - innerHeight - scrollY <= 1"
GROWN = "return [...document.querySelectorAll(arguments[0])].at(-1)?.textContent.length > arguments[1]"
STATE = """const box = document.querySelector("#message");
    return `${location} ${document.activeElement.id} ${box?.value}\n${document.body.innerText}`"""
PATIENCE = 30  # seconds: a busy machine is no failure
ANSWER = "#transcript .assistant"
QUESTION = "#transcript .you > .text"


class Tab:
    """The one tab of a browser."""

    def __init__(self, driver: Remote, base: str) -> None:
        self.driver = driver
        self.base = base

    def open(self, path: str) -> None:
        """Goes to a page of the site."""
        self.driver.get(path if path.startswith("http") else self.base + path)

    def run(self, script: str, *arguments: object) -> Any:
        """What a script returns."""
        return self.driver.execute_script(script, *arguments)

    def until(self, script: str, *arguments: object) -> Any:
        """What a script returns, as soon as that is true."""
        return self.eventually(lambda: self.run(script, *arguments))

    def eventually(self, condition: Callable[[], Any]) -> Any:
        """The value of a condition, as soon as it holds."""
        deadline = time.monotonic() + PATIENCE
        while not (value := condition()):
            assert time.monotonic() < deadline, self.run(STATE)
            time.sleep(0.02)
        return value

    def texts(self, selector: str) -> list[str]:
        """The texts of elements."""
        return self.run(TEXTS, selector)  # type: ignore[no-any-return]

    def element(self, selector: str, name: str = "") -> WebElement:
        """The last element that is visible and has the name, as soon as there is one."""
        return self.until(ELEMENT, selector, name)  # type: ignore[no-any-return]

    def key(self, keys: str) -> None:
        """Presses keys where the focus is."""
        self.run("return document.activeElement").send_keys(keys)

    def press(self, name: str, within: str = "body") -> None:
        """Clicks a button or link."""
        self._act(lambda element: element.click(), f"{within} :is(button, a)", name)

    def type(self, keys: str, selector: str) -> None:
        """Presses keys in an element."""
        self._act(lambda element: element.send_keys(keys), selector)

    def _act(self, action: Callable[[WebElement], None], selector: str, name: str = "") -> None:
        """Acts on an element, or on the one by which the page has replaced it meanwhile."""

        def has_acted() -> bool:
            try:
                action(self.element(selector, name))
            except StaleElementReferenceException:
                return False
            return True

        self.eventually(has_acted)


class Chat(Tab):
    """The page of one conversation."""

    def begin(self) -> None:
        """Opens a new conversation."""
        self.open("/settings/")
        self.open(self.run(NEW))

    @property
    def box(self) -> WebElement:
        """Where a message is written."""
        return self.element("#message")

    def say(self, text: str) -> None:
        """Writes a message and sends it by Enter."""
        self.box.send_keys(text, Keys.ENTER)

    def ask(self, text: str) -> None:
        """Says something and waits until the answer has ended."""
        questions = len(self.texts(QUESTION))
        self.say(text)
        self.until(
            "return document.querySelectorAll(arguments[0]).length > arguments[1]", QUESTION, questions
        )
        self.settled()

    def settled(self) -> None:
        """Waits until the newest turn has ended, and all that was written is drawn."""
        self.until(SETTLED, UNDRAWN)

    def grown(self, length: int) -> None:
        """Waits until the newest answer is longer than that."""
        self.until(GROWN, ANSWER, length)

    def followed(self) -> None:
        """Waits until the newest is in sight."""
        self.until(FOLLOWED)
