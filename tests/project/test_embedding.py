"""A site that installs the wheel as docs/embedding.md says, with users of its own and below a prefix."""

import json
import os
import re
import shlex
import socket
import subprocess
import sys
import sysconfig
import venv
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from websockets.sync.client import connect
from websockets.typing import Origin

from tests.conditions import until
from tests.servers import Browser

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "examples/site"
DOCUMENT = (ROOT / "docs/embedding.md").read_text()
BLOCK = re.compile(r"`([\w./-]+\.(?:py|html))`[^`]*:\n\n```(?:python|html)\n(.*?)```", re.DOTALL)
BLOCKS = BLOCK.findall(DOCUMENT)
COMMANDS = [
    line for block in re.findall(r"```sh\n(.*?)```", DOCUMENT, re.DOTALL) for line in block.splitlines()
]
PASSWORD = "flycatcher"


class Site:
    """A folder with a project, and a Python with the wheel and the libraries, but without our sources."""

    def __init__(self, folder: Path, wheel: Path) -> None:
        self.folder = folder / "project"
        self.folder.mkdir()
        venv.create(folder / "venv", symlinks=True)
        self.python = folder / "venv/bin/python"
        packages = next((folder / "venv/lib").glob("python*")) / "site-packages"
        libraries = packages / "libraries.pth"
        libraries.write_text(sysconfig.get_path("purelib"))
        zipfile.ZipFile(wheel).extractall(packages)
        inherited = {
            name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "DJANGO"))
        }
        self.environment = inherited | {"PYTHONDONTWRITEBYTECODE": "1"}

    def run(self, *words: str, **variables: str) -> str:
        """What a command of the site's Python prints."""
        done = subprocess.run(
            [str(self.python), *words],
            cwd=self.folder,
            env=self.environment | variables,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr

    def write(self, path: str, text: str) -> None:
        """Writes a file, or adds to the settings."""
        file = self.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        before = file.read_text() if path.endswith("settings.py") else ""
        file.write_text(before + text)

    @contextmanager
    def served(self) -> Iterator[str]:
        """The site's address, while Daphne serves it."""
        with socket.create_server(("127.0.0.1", 0)) as listener:
            port = listener.getsockname()[1]
        process = subprocess.Popen(
            [str(self.python), *served_by(port)],
            cwd=self.folder,
            env=self.environment,
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            assert process.stderr
            assert any("Listening on TCP address" in line for line in process.stderr), "it has ended"
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.communicate(timeout=20)


def served_by(port: int) -> list[str]:
    """The document's last command, at a port of ours."""
    module, application = shlex.split(COMMANDS[-1])
    return ["-m", module, "-b", "127.0.0.1", "-p", str(port), application]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """The site of the document, migrated."""
    folder = tmp_path_factory.mktemp("embedding")
    build = ["-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run([sys.executable, *build], cwd=ROOT, check=True, capture_output=True)
    site = Site(folder, next(folder.glob("*.whl")))
    commands = [line.split() for line in COMMANDS]
    site.run("-m", "django", *next(words[1:] for words in commands if words[0] == "django-admin"))
    managed = [words[1:] for words in commands if words[1] == "manage.py"]
    for words in managed[:2]:
        site.run(*words)
    for path, text in BLOCKS:
        site.write(path, text)
    for words in managed[2:4]:
        site.run(*words)
    site.run(
        *("manage.py", "createsuperuser", "--noinput", "--handle", "jennifer"),
        DJANGO_SUPERUSER_PASSWORD=PASSWORD,
    )
    return site


def test_the_example_is_what_the_document_makes() -> None:
    assert len(BLOCKS) > 5
    assert [path for path, text in BLOCKS if text not in (EXAMPLE / path).read_text()] == []


@pytest.mark.processes
def test_none_of_our_sources_is_near_and_nothing_is_missing(site: Site) -> None:
    place = site.run("-c", "import conversations; print(conversations.__file__)")
    assert str(site.folder.parent) in place
    report = site.run("manage.py", "check", "--deploy")
    assert "conversations." not in report
    assert "No changes" in site.run("manage.py", "makemigrations", "--check", "--dry-run")


@pytest.mark.processes
def test_a_turn_with_a_tool_runs_below_the_prefix_for_a_user_of_the_sites_own(site: Site) -> None:
    browser = Browser()
    with site.served() as url:
        form = browser.open(f"{url}/chat/")
        assert form.url.startswith(f"{url}/admin/login/?next=/chat/")
        start = browser.post(form.url, username="jennifer", password=PASSWORD)
        assert (start.status, start.url) == (200, f"{url}/chat/"), start.text[:300]
        assert "The Record Shop" in start.text
        question = 'What is the album of the week of "8 Storey Hike"?'
        page = browser.post(f"{url}/chat/conversations/", message=question)
        exported = f"{page.url}export/?format=json"
        until(lambda: json.loads(browser.open(exported).text)["turns"][-1]["status"] == "completed")
        [call] = json.loads(browser.open(exported).text)["toolCalls"]
        assert call["result"][0]["json"] == {
            "artist": "8 Storey Hike",
            "album": "Elemental Hotel",
            "for": "jennifer",
        }
        text = browser.open(page.url).text
        assert "<strong>Elemental Hotel</strong> by 8 Storey Hike" in text
        assert_below(text, "/chat/")
        assert first_frame(browser, text, page.url)["type"] == "MESSAGES_SNAPSHOT"


def assert_below(page: str, prefix: str) -> None:
    """Every address of the page is below the prefix, but for static files and the site's own pages."""
    addresses = re.findall(r' (?:href|src|action|data-[a-z-]+)="(/[^"]*)"', page)
    assert addresses
    assert [
        one for one in addresses if not one.startswith((prefix, "/static/", "/admin/")) and one != "/"
    ] == []


def first_frame(browser: Browser, page: str, address: str) -> dict[str, Any]:
    """What the socket says first that the page names."""
    url, [path] = urlsplit(address), re.findall(r'data-socket="([^"]+)"', page)
    headers = {"Cookie": browser.cookie}
    origin = Origin(f"{url.scheme}://{url.netloc}")
    with connect(f"ws://{url.netloc}{path}", origin=origin, additional_headers=headers) as page_socket:
        frame: dict[str, Any] = json.loads(page_socket.recv(timeout=30))
    return frame
