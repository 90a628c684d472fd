"""A site under test: `manage.py serve` with an empty database, and a browser signed in as its owner."""

import asyncio
import http.cookiejar
import os
import re
import sys
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode, urlsplit

from .processes import Process, running
from .sockets import Page, Socket

GREETING = re.compile(r"Turntable is at (http://[^/]+)(/\S+)")
PATIENCE = 30.0
"""Seconds for a websocket to open."""

DAPHNE, UVICORN = "daphne", "uvicorn"


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """Follows no redirect: the address is all that is wanted of a new conversation."""

    def redirect_request(self, *_: Any) -> None:
        """Stays."""


class Site:
    """A running server, and a browser that its owner is signed in with."""

    def __init__(self, process: Process, environment: Mapping[str, str] | None = None) -> None:
        greeting = GREETING.match(process.line())
        if greeting is None:
            raise RuntimeError("the server did not start")
        self.pids: Sequence[int] = [process.pid]
        self.environment = environment or {}
        self.url, link = greeting.groups()
        self._cookies = http.cookiejar.CookieJar()
        cookies = urllib.request.HTTPCookieProcessor(self._cookies)
        self._browser = urllib.request.build_opener(cookies)
        self._form = urllib.request.build_opener(cookies, _NoRedirect)
        for path in (link, "/"):
            self._browser.open(self.url + path).close()

    @property
    def address(self) -> tuple[str, int]:
        """Host and port."""
        url = urlsplit(self.url)
        return url.hostname or "", url.port or 80

    @property
    def cookie(self) -> str:
        """The Cookie header of the owner's requests."""
        return "; ".join(f"{cookie.name}={cookie.value}" for cookie in self._cookies)

    @property
    def token(self) -> str:
        """The token of the owner's forms."""
        return next(cookie.value or "" for cookie in self._cookies if cookie.name == "csrftoken")

    def conversation(self, model: str) -> str:
        """The id of a new conversation with a model."""
        return self.post("/conversations/", model=model)

    def post(self, path: str, **fields: str) -> str:
        """The id of the conversation that a form leads to."""
        form = urlencode(fields | {"csrfmiddlewaretoken": self.token})
        try:
            self._form.open(self.url + path, form.encode()).close()
        except HTTPError as answer:
            address = answer.headers.get("Location", "")
            answer.close()
            if address:
                return str(address).rstrip("/").rpartition("/")[2]
            raise
        raise RuntimeError("there is no new conversation")

    async def open(self, model: str) -> Socket:
        """A page's socket on a new conversation."""
        loop = asyncio.get_running_loop()
        conversation = await loop.run_in_executor(None, self.conversation, model)
        _, page = await loop.create_connection(
            lambda: Page(self.url, conversation, self.cookie), *self.address
        )
        if not await asyncio.wait_for(page.opened, PATIENCE):
            raise ConnectionError("the websocket was refused")
        return page


@contextmanager
def serving(variables: Mapping[str, str], core: int | None, *options: str) -> Iterator[Site]:
    """A site with these environment variables and options of `serve`, on a core, gone at the end."""
    with TemporaryDirectory(prefix="turntable-bench-") as folder:
        log, environment = Path(folder, "log"), {**os.environ, **_defaults(folder), **variables}
        serve = ("manage.py", "serve", "--port", "0", *options)
        with (
            log.open("w") as errors,
            running(*serve, core=core, environment=environment, errors=errors) as process,
        ):
            try:
                yield Site(process, environment)
            except Exception:
                sys.stderr.write(log.read_text()[-4000:])
                raise


def _defaults(folder: str) -> dict[str, str]:
    return {
        "DJANGO_SETTINGS_MODULE": "project.settings",
        "DATABASE_URL": f"sqlite:///{folder}/db.sqlite3",
        "GATEWAY_HEADERS": "",
        "USER_TURNS_AT_ONCE": "0",
        "USER_TURNS_PER_MINUTE": "0",
        "REDIS_URL": "",
        "SECRET_KEY": "one for the measurement " * 3,
        "DEBUG": "0",
        "ALLOWED_HOSTS": "",
    }


def gateway_variables(url: str, *models: str) -> dict[str, str]:
    """The environment of a site that asks the gateway at `url` for these models."""
    return {"GATEWAY_URL": url, "GATEWAY_MODELS": ",".join(dict.fromkeys(models))}


def server_options() -> dict[str, Sequence[str]]:
    """The options of `serve` by web server, for each that can be had here."""
    names = [DAPHNE, *([UVICORN] if find_spec("uvicorn") else [])]
    return {name: ("--server", name) for name in names}
