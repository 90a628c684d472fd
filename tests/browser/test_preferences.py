"""Settings and the overview of branches on a phone and on a desk, with and without script."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.looks import OVERFLOW, small_targets
from tests.servers import Server, manage, serving, site

WIDTHS = (360, 1440)
FURNISH = """
from django.contrib.auth.models import User
from conversations.models import *

owner = User.objects.get()
for at, arguments in enumerate([{"path": "/srv/" + "a-long-name/" * 30, "force": True}, {"station": "WKRP"}, {"station": "WZPZ"}]):
    Allowance.objects.create(user=owner, tool="delete_file" if at == 0 else "top_song", input=arguments, key=str(at))
conversation = Conversation.objects.create(owner=owner, model="cohere.command-r-v1:0", title="Turkeys")
turns = []
for number, parent in enumerate([0, 1, 2, 2, 4, 5, 6, 7, 8, 9, 10, 3, 3, 1, 14], 1):
    turn = Turn.objects.create(
        conversation=conversation, number=number, parent=turns[parent - 1] if parent else None, user=owner, model=conversation.model,
        status="failed" if number == 13 else "completed",
    )
    words = f"question {number} " + "with many more words than any line of a telephone has room for " * (number % 3)
    Message.objects.create(conversation=conversation, turn=turn, role="user", content=[{"text": words}])
    turns.append(turn)
Conversation.objects.update(head=turns[10])
base = RequestBase.objects.create(sha256="0" * 64, body="{}")
row = Round.objects.create(turn=turns[0], number=1, base=base, status="completed", model=conversation.model, input_tokens=12_345)
own = {"conversation": conversation, "turn": turns[0], "round": row}
call = ToolCall.objects.create(**own, position=0, tool_use_id="tooluse_1", name="delete_file", input={"path": "x" * 300})
Approval.objects.create(call=call)
print(conversation.pk, call.pk)
"""


class Site:
    """A server, its browsers, and its owner's conversation, in which a call waits."""

    def __init__(self, server: Server, browser: Browser, conversation: str, call: str) -> None:
        self.server, self.browser = server, browser
        self.tree = f"/conversations/{conversation}/tree/"
        self.pages = ("/settings/", self.tree)
        admin = "/admin/conversations"
        self.admin = (f"{admin}/approval/{call}/change/", f"{admin}/conversation/{conversation}/change/")
        context = browser.new_context()
        context.new_page().goto(server.url + server.path)
        self.cookies = context.storage_state()
        context.close()

    def page(self, width: int, scheme: str = "light", script: bool = True) -> Page:
        context = self.browser.new_context(
            base_url=self.server.url, storage_state=self.cookies, viewport={"width": width, "height": 800},
            color_scheme=scheme, java_script_enabled=script,
        )  # type: ignore[arg-type]  # fmt: skip
        return context.new_page()


@pytest.fixture(scope="module")
def furnished(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A site whose owner has permissions and a conversation with branches."""
    environment = site(Path(tmp_path_factory.mktemp("furnished")))
    with serving(environment) as server:
        process = manage(environment, "shell", "--no-imports", "-c", FURNISH)
        assert process.stderr == ""
        yield Site(server, browser, *process.stdout.split())


@pytest.fixture
def plain(furnished: Site) -> Iterator[Page]:
    """A phone's tab without script."""
    page = furnished.page(WIDTHS[0], script=False)
    yield page
    page.context.close()


def test_a_prompt_is_added_changed_and_deleted_without_script(plain: Page) -> None:
    plain.goto("/")
    plain.get_by_role("link", name="Settings").click()
    if not plain.get_by_label("Name").last.is_visible():
        plain.get_by_text("New prompt").click()
    plain.get_by_label("Name").last.fill("two words")
    plain.get_by_label("Text").last.fill("Be brief.\nAnd kind.")
    plain.get_by_role("button", name="Add").click()
    expect(plain.get_by_role("alert")).to_have_text("A name has letters, digits, - and _ only.")
    expect(plain.get_by_label("Text").last).to_have_value("Be brief.\nAnd kind.")
    plain.get_by_label("Name").last.fill("brief")
    plain.get_by_role("button", name="Add").click()
    expect(plain.get_by_role("status")).to_have_text("/brief is saved.")
    plain.get_by_text("/brief", exact=True).click()
    plain.get_by_label("Name").first.fill("short")
    plain.get_by_role("button", name="Save").click()
    plain.get_by_text("/short", exact=True).click()
    plain.get_by_role("button", name="Delete /short").click()
    expect(plain.get_by_role("status")).to_have_text("/short is deleted.")
    expect(plain.get_by_text("/short", exact=True)).to_have_count(0)


def test_a_permission_is_revoked_without_script(plain: Page) -> None:
    plain.goto("/settings/")
    buttons = plain.get_by_role("button", name="Revoke top_song")
    count = buttons.count()
    buttons.last.click()
    expect(plain.get_by_role("status")).to_have_text("top_song will ask again.")
    expect(buttons).to_have_count(count - 1)


def test_a_branch_is_chosen_without_script(plain: Page, furnished: Site) -> None:
    plain.goto(furnished.tree)
    current = plain.locator("[aria-current=true]")
    expect(current).to_have_count(1)
    others = plain.get_by_role("button", name="Show the branch that ends with turn")
    expect(others).to_have_count(3)
    name = others.last.get_attribute("aria-label") or ""
    others.last.click()
    plain.wait_for_url(f"**{furnished.tree.removesuffix('tree/')}")
    plain.goto(furnished.tree)
    number = name.rpartition(" ")[2]
    expect(current.get_by_role("link")).to_have_attribute(
        "href", f"{furnished.tree[:-5]}replay/#turn-{number}"
    )


@pytest.mark.parametrize(("width", "scheme"), list(zip(WIDTHS, ("dark", "light"), strict=True)))
def test_nothing_is_wider_than_the_screen_too_small_to_press_or_against_the_content_policy(
    furnished: Site, width: int, scheme: str
) -> None:
    page = furnished.page(width, scheme)
    messages: list[str] = []
    page.on("console", lambda message: messages.append(message.text))
    for path in furnished.pages:
        page.goto(path)
        for fold in page.locator("summary").all():
            fold.click()
        assert page.evaluate(OVERFLOW) == 0, path
        assert small_targets(page) == [], path
    assert messages == []
    for path in furnished.admin:
        page.goto(path)
        assert page.evaluate(OVERFLOW) == 0, path
    page.goto(furnished.admin[0])
    assert_is_decided_below_what_it_would_do(page)
    page.context.close()


def assert_is_decided_below_what_it_would_do(page: Page) -> None:
    """The buttons of a waiting call stand below its arguments, and fingers can press them."""
    arguments = page.get_by_text("Arguments", exact=True).bounding_box()
    for name in ("Approve", "Deny"):
        button = page.get_by_role("button", name=name).bounding_box()
        assert arguments is not None
        assert button is not None
        assert button["y"] > arguments["y"] + arguments["height"]
        assert button["height"] >= 36
