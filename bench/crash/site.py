"""A site that dies and comes back: `manage.py serve` and `work` on one database, port and gateway."""

import os
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from subprocess import TimeoutExpired
from tempfile import TemporaryDirectory

from bench.nursery import Command
from bench.processes import Process, free_port
from bench.site import Site
from conversations import demo_gateway as demo

from . import failpoints
from .apps import LEASE
from .store import Store

MODEL = "cohere.command-r-v1:0"


class Life:
    """One run of a server or worker, from its start to its death."""

    def __init__(self, environment: Mapping[str, str], log: Path, *command: str, url: str = "") -> None:
        with log.open("a") as errors:
            self.process = Command.piped(environment, *command, errors=errors.fileno())
        self.url = url
        self.greeting = self.process.stdout.readline() if self.process.stdout else ""
        if not self.greeting.startswith("Turntable "):
            self.kill()
            raise RuntimeError(f"the server did not start:\n{log.read_text()[-4000:]}")

    @property
    def alive(self) -> bool:
        """Whether it still runs."""
        return self.process.poll() is None

    def signal(self, number: int) -> None:
        """Sends it a signal."""
        self.process.send_signal(number)

    def wait(self, timeout: float) -> int | None:
        """Its exit code; None if it still runs."""
        try:
            return self.process.wait(timeout)
        except TimeoutExpired:
            return None

    def kill(self) -> float:
        """Ends it with SIGKILL; returns the time."""
        at = time.time()
        self.process.__exit__()
        return at


class Crashing:
    """The site, whose database and gateway stay while its servers come and go."""

    def __init__(self, folder: Path, gateway: demo.DemoGateway, variables: Mapping[str, str]) -> None:
        self.folder, self.log, self.effects = folder, folder / "log", folder / "effects"
        self.gateway = gateway
        self.log.touch()
        self.effects.touch()
        self.environment = os.environ | _settings(folder, gateway.url) | dict(variables)
        self.store = Store(self.environment["DATABASE_URL"].partition("?")[0])
        self.lives: list[Life] = []
        self.kills: list[float] = []
        self._owner: Site | None = None

    def live(self, port: int | None = None, *options: str) -> Life:
        """Starts a server, on the port of the first one unless another is named."""
        number = port or int((self.lives[0].url if self.lives else f":{free_port()}").rpartition(":")[2])
        url = f"http://127.0.0.1:{number}"
        life = Life(self.environment, self.log, "serve", "--port", str(number), *options, url=url)
        self.lives.append(life)
        if self._owner is None:
            self._owner = Site(_Greeting(life))
        return life

    def work(self, *options: str) -> Life:
        """Starts a worker; a server has to have lived, which makes the tables."""
        life = Life(self.environment, self.log, "work", *options)
        self.lives.append(life)
        return life

    def kill(self, life: Life) -> None:
        """Kills a server or worker, and remembers when."""
        self.kills.append(life.kill())

    @property
    def cookie(self) -> str:
        """The owner's."""
        return self._owner.cookie if self._owner else ""

    def conversation(self) -> str:
        """The id of a new conversation; a server has to be alive."""
        if self._owner is None:
            raise RuntimeError("no server has lived yet")
        return self._owner.conversation(MODEL)

    def ask_again(self, conversation: str) -> str:
        """The id of the rerun that a conversation's page begins; a server has to be alive."""
        if self._owner is None:
            raise RuntimeError("no server has lived yet")
        return self._owner.post(f"/conversations/{conversation}/again/", tools="recorded", miss="stop")

    def traces(self) -> list[tuple[str, str, str]]:
        """The tools' effects: tool, order and key of each execution."""
        lines = self.effects.read_text().splitlines()
        return [(name, order, key) for name, order, key in (line.split("\t") for line in lines)]


class _Greeting(Process):
    """A life as a process whose next line is the greeting, as bench.site wants it."""

    def __init__(self, life: Life) -> None:
        self.pid, self._greeting = life.process.pid, life.greeting

    def line(self) -> str:
        """The greeting."""
        return self._greeting


@contextmanager
def crashing(variables: Mapping[str, str], pace: float = 0.3) -> Iterator[Crashing]:
    """A site with a gateway of this process, in a folder of its own. Pace 2 is half as fast."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="turntable-crash-")))
        gateway = demo.start(pace=pace)
        stack.callback(gateway.close)
        site = Crashing(folder, gateway, variables)
        stack.callback(lambda: [life.kill() for life in site.lives])
        yield site


def short_leases(seconds: float) -> dict[str, str]:
    """The variables of a site whose leases are this long."""
    return {LEASE: str(seconds)}


def _settings(folder: Path, gateway: str) -> dict[str, str]:
    return {
        "DJANGO_SETTINGS_MODULE": "bench.crash.settings",
        "DATABASE_URL": f"sqlite:///{folder}/db.sqlite3",
        "GATEWAY_URL": gateway,
        "GATEWAY_MODELS": MODEL,
        "GATEWAY_HEADERS": "",
        "USER_TURNS_AT_ONCE": "0",
        "USER_TURNS_PER_MINUTE": "0",
        "REDIS_URL": "",
        "SECRET_KEY": "one for the crashes " * 3,
        "DEBUG": "0",
        "ALLOWED_HOSTS": "",
        failpoints.EFFECTS: str(folder / "effects"),
        failpoints.FOLDER: str(folder),
    }
