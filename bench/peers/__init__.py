"""The same load on FastAPI with boto3 and on Chainlit, served by uvicorn, beside the product."""

import argparse
import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from bench import floor, load
from bench.machine import Cores, cores, pin, run
from bench.plan import Plan
from bench.processes import ROOT, free_port, running
from bench.report import Report, Tell
from bench.sample import Sample
from bench.services import Missing
from bench.sockets import Socket

from .sockets import ChainlitSocket, FastApiSocket

ENVIRONMENT = ROOT / ".venv-bench"
STAMP = ENVIRONMENT / "installed"
REQUIREMENTS = ROOT / "requirements-bench.txt"
STREAMS = [1, 50, 100]
CHAINLIT = ("run", "bench/peers/chainlit_app.py", "--headless", "--host", "127.0.0.1")
PATIENCE = 60.0
"""Seconds for a peer to start, and for a socket to open."""

NOTE = "The peers have no accounts, no history and no database; the product stores each delta before it shows it."

Open = Callable[[str, str], Socket]


class Peer:
    """A peer that is being served."""

    def __init__(self, pid: int, port: int, socket: Open) -> None:
        self.pids, self._port, self._socket = [pid], port, socket

    async def open(self, model: str) -> Socket:
        """A socket whose turns are answered by the model."""
        url = f"http://127.0.0.1:{self._port}"
        loop = asyncio.get_running_loop()
        _, socket = await loop.create_connection(lambda: self._socket(url, model), "127.0.0.1", self._port)
        if not await asyncio.wait_for(socket.opened, PATIENCE):
            raise ConnectionError("the websocket was refused")
        return socket

    async def wait(self) -> None:
        """Waits until it listens."""
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", self._port)
            except OSError:
                await asyncio.sleep(0.1)
            else:
                writer.close()
                return
        raise Missing("the peer did not start")


def add_options(parser: argparse.ArgumentParser) -> None:
    """The command line."""
    floor.add_options(parser)
    parser.set_defaults(streams=STREAMS)


def report(options: argparse.Namespace, tell: Tell) -> Report:
    """Measures the loop, the peers and the product in turn."""
    python = peers_python(tell)
    spread = cores()
    pin(spread.load)
    plans = [Plan(number, options.rate, options.seconds) for number in options.streams]
    with floor.load_gateway(spread.load) as gateway:
        ways: dict[str, floor.Way] = {
            floor.LOOP: floor.loop_way(gateway, spread),
            "fastapi": _way(gateway, spread, [python, "bench/peers/fastapi_app.py"], FastApiSocket),
            "chainlit": _way(gateway, spread, [python, "-m", "chainlit", *CHAINLIT], ChainlitSocket),
            **floor.site_ways(gateway, spread),
        }
        levels = floor.measure(plans, options.repeat, ways, tell)
    return floor.levels_report(levels, plans, [NOTE, *floor.notes_of(ways, spread)])


def peers_python(tell: Tell) -> str:
    """The Python of the peers' virtual environment, which is created if it is missing or out of date."""
    python = ENVIRONMENT / "bin" / "python"
    if not is_installed():
        tell(f"installing the peers into {ENVIRONMENT.name}")
        _install([sys.executable, "-m", "venv", "--clear", str(ENVIRONMENT)])
        _install([str(python), "-m", "pip", "install", "-qq", "-r", str(REQUIREMENTS)])
        STAMP.write_text(REQUIREMENTS.read_text())
    return str(python)


def is_installed() -> bool:
    """Whether the virtual environment has what the requirements ask for."""
    return STAMP.exists() and STAMP.read_text() == REQUIREMENTS.read_text()


def _install(command: Sequence[str]) -> None:
    process = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 (our own)
    if process.returncode:
        raise Missing(f"the peers cannot be installed: {process.stderr.strip()[-500:]}")


def _way(gateway: str, spread: Cores, command: Sequence[str], socket: Open) -> floor.Way:
    def sample(plan: Plan) -> Sample:
        with _serving(gateway, spread.tested, command, socket) as peer:
            return run(_measure(peer, plan, spread))

    return sample


async def _measure(peer: Peer, plan: Plan, spread: Cores) -> Sample:
    await peer.wait()
    return await load.measure(peer, plan, spread)


@contextmanager
def _serving(gateway: str, core: int, command: Sequence[str], socket: Open) -> Iterator[Peer]:
    """A peer on a core, gone at the end."""
    (python, *arguments), port = command, free_port()
    with TemporaryDirectory(prefix="turntable-peer-") as folder, Path(folder, "log").open("w") as errors:
        own = {
            "GATEWAY_URL": gateway,
            "PORT": str(port),
            "CHAINLIT_PORT": str(port),
            "CHAINLIT_APP_ROOT": folder,
        }
        environment = os.environ | own
        with running(*arguments, core=core, environment=environment, errors=errors, python=python) as process:
            yield Peer(process.pid, port, socket)
