"""`manage.py demo_gateway`, run as a person runs it."""

import json
import re
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from conversations import demo_gateway as demo
from tests.gateway.wire import WireServer
from tests.upstream.chunks import text_answer

pytestmark = pytest.mark.processes

ROOT = Path(__file__).parent.parent.parent


@contextmanager
def command(*arguments: str) -> Iterator[subprocess.Popen[str]]:
    line = [sys.executable, "manage.py", "demo_gateway", *arguments]
    with subprocess.Popen(
        line, cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def test_it_says_where_it_is_answers_and_ends_with_ctrl_c() -> None:
    with command("--port", "0") as process:
        assert process.stdout
        address = re.search(r"http://127\.0\.0\.1:\d+", process.stdout.readline())
        assert address
        assert any("`show markdown`" in line for line in process.stdout)
        body = json.dumps({"messages": [{"role": "user", "content": [{"text": "hello"}]}]}).encode()
        with urllib.request.urlopen(f"{address.group()}/model/m/converse", body) as answer:
            assert json.load(answer)["stopReason"] == "end_turn"
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=30)
        assert (process.returncode, errors) == (0, "")


def test_it_hands_on_to_an_upstream_with_the_key_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UPSTREAM_API_KEY", "sk-of-the-tests")
    with WireServer([text_answer("Hello")]) as server:
        options = ("--upstream", f"{server.url}/v1", "--upstream-model", "qwen3:4b")
        with command("--port", "0", *options) as process:
            assert process.stdout
            address = re.search(r"http://127\.0\.0\.1:\d+", process.stdout.readline())
            assert address
            body = json.dumps({"messages": [{"role": "user", "content": [{"text": "hello"}]}]}).encode()
            with urllib.request.urlopen(f"{address.group()}/model/m/converse", body) as answer:
                assert json.load(answer)["output"]["message"]["content"] == [{"text": "Hello"}]
        request = server.wait()
    assert request.headers["authorization"] == "Bearer sk-of-the-tests"
    assert json.loads(request.body)["model"] == "qwen3:4b"


def test_an_upstream_that_is_no_url_is_one_sentence_and_exit_1() -> None:
    with command("--port", "0", "--upstream", "localhost:11434/v1") as process:
        output, errors = process.communicate(timeout=30)
    assert (process.returncode, output) == (1, "")
    assert errors.startswith("UPSTREAM_URL must be an http or https URL")


def test_a_port_in_use_is_one_sentence_and_exit_1() -> None:
    with closing(demo.start()) as running, command("--port", str(running.port)) as process:
        output, errors = process.communicate(timeout=30)
    assert (process.returncode, output) == (1, "")
    assert errors == f"Port {running.port} of 127.0.0.1 is already in use.\n"
