"""Commands of the nursery are as good as new."""

import json
from pathlib import Path

import pytest

from tests.servers import manage, site

pytestmark = pytest.mark.processes

SHOW = """
import json, os, random, signal, threading
from conversations.journal import this_process
print(json.dumps([
    str(this_process()), random.random(), dict(os.environ), threading.active_count(),
    signal.getsignal(signal.SIGINT) is signal.default_int_handler,
    [signal.getsignal(number) is signal.SIG_DFL for number in (signal.SIGTERM, signal.SIGCHLD)],
]))
"""


def test_what_a_process_draws_for_itself_is_its_own_and_its_environment_what_it_was_given(
    tmp_path: Path,
) -> None:
    environment = site(tmp_path)
    first, second = (
        json.loads(manage(environment, "shell", "--no-imports", "-c", SHOW).stdout) for _ in range(2)
    )
    assert not set(first[:2]) & set(second[:2])
    assert first[2:] == second[2:] == [environment, 1, True, [True, True]]


def test_an_exit_code_and_what_was_complained_arrive(tmp_path: Path) -> None:
    process = manage(site(tmp_path), "shell", "--no-imports", "-c", "print('out'); raise SystemExit('sorry')")
    assert (process.returncode, process.stdout, process.stderr) == (1, "out\n", "sorry\n")
    assert manage(site(tmp_path), "shell", "--no-imports", "-c", "exit(3)").returncode == 3
