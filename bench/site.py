"""A site of its own under test: `manage.py serve` with an empty database, signed in to as its owner is."""

import http.cookiejar
import os
import re
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlencode, urlsplit

from .plan import Plan
from .processes import Process, running

GREETING = re.compile(r"Turntable is at (http://[^/]+)(/\S+)")


class Site:
    """A running server, and a browser that its owner is signed in with."""

    def __init__(self, process: Process) -> None:
        found = GREETING.match(process.line())
        if found is None:
            raise RuntimeError("the server did not start")
        self.pid = process.pid
        self.url, link = found.groups()
        self._cookies = http.cookiejar.CookieJar()
        self._browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(self._cookies))
        self._open(link)
        self._open("/")

    @property
    def address(self) -> tuple[str, int]:
        """Host and port."""
        url = urlsplit(self.url)
        return url.hostname or "", url.port or 80

    @property
    def cookie(self) -> str:
        """The Cookie header of the owner's requests."""
        return "; ".join(f"{cookie.name}={cookie.value}" for cookie in self._cookies)

    def conversation(self, model: str) -> str:
        """The id of a new conversation with a model."""
        token = next(cookie.value for cookie in self._cookies if cookie.name == "csrftoken")
        form = urlencode({"model": model, "csrfmiddlewaretoken": token})
        return self._open("/conversations/", form.encode()).rstrip("/").rpartition("/")[2]

    def _open(self, path: str, form: bytes | None = None) -> str:
        with self._browser.open(self.url + path, form) as answer:
            return str(answer.url)


@contextmanager
def serving(gateway: str, plan: Plan, core: int) -> Iterator[Site]:
    """A site whose gateway is at the URL `gateway`, on a core, gone at the end."""
    with TemporaryDirectory(prefix="turntable-bench-") as folder:
        log, environment = Path(folder, "log"), os.environ | _settings(gateway, plan, folder)
        serve = ("manage.py", "serve", "--port", "0")
        with (
            log.open("w") as errors,
            running(*serve, core=core, environment=environment, errors=errors) as process,
        ):
            try:
                yield Site(process)
            except Exception:
                sys.stderr.write(log.read_text()[-4000:])
                raise


def _settings(gateway: str, plan: Plan, folder: str) -> dict[str, str]:
    return {
        "DJANGO_SETTINGS_MODULE": "project.settings",
        "DATABASE_URL": f"sqlite:///{folder}/db.sqlite3",
        "GATEWAY_URL": gateway,
        "GATEWAY_MODELS": f"{plan.model},{plan.warm_up_model}",
        "GATEWAY_HEADERS": "",
        "USER_TURNS_AT_ONCE": "0",
        "USER_TURNS_PER_MINUTE": "0",
        "REDIS_URL": "",
        "SECRET_KEY": "one for the measurement " * 3,
        "DEBUG": "0",
        "ALLOWED_HOSTS": "",
    }
