"""The floor: AWS's own sample loop over boto3's `converse_stream`, a thread a stream."""

import json
import os
import sys
import threading
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any, TextIO

import boto3

from .machine import Cores, Meter, now
from .plan import WARM_UP, Plan
from .sample import Sample, window_sample
from .sockets import QUESTION
from .stamps import Tally

MESSAGES: Any = [{"role": "user", "content": [{"text": QUESTION}]}]


class Reader:
    """One thread's stream: its deltas and their times, counted once all is over."""

    def __init__(self, client: Any, model: str, out: TextIO) -> None:
        self._client, self._model, self._out = client, model, out
        self._start = 0
        self._arrivals: list[tuple[int, str]] = []

    def read(self) -> None:
        """Asks, and prints the answer."""
        self._start = now()
        response = self._client.converse_stream(modelId=self._model, messages=MESSAGES)
        for event in response["stream"]:
            if "contentBlockDelta" in event:
                text = event["contentBlockDelta"]["delta"]["text"]
                print(text, end="", file=self._out)
                self._arrivals.append((now(), text))

    @property
    def first(self) -> int:
        """Microseconds from asking to the first delta."""
        return self._arrivals[0][0] - self._start

    def tally(self, count: int) -> Tally:
        """The tally of a stream of `count` deltas."""
        tally = Tally(count)
        for at, text in self._arrivals:
            tally.take(text.encode(), at)
        return tally


def measure(url: str, plan: Plan, cores: Cores) -> Sample:
    """Reads the plan's streams from the load gateway at `url`, in this process."""
    client = boto3.client(
        "bedrock-runtime",
        region_name="us-west-2",
        endpoint_url=url,
        aws_access_key_id="dummy",
        aws_secret_access_key="dummy",  # noqa: S106 (as AWS's sample has it for a gateway that holds the keys)
    )
    with Path(os.devnull).open("w") as nowhere:
        warm = [Reader(client, plan.warm_up_model, nowhere) for _ in range(WARM_UP)]
        meter = Meter([os.getpid()], cores)
        for reader in warm:
            reader.read()
        warm_up = meter.read()
        readers = [Reader(client, plan.model, nowhere) for _ in range(plan.streams)]
        threads = [threading.Thread(target=reader.read) for reader in readers]
        start = time.monotonic()
        for thread, begin in zip(threads, plan.begins, strict=True):
            _sleep_until(start + begin)
            thread.start()
        _sleep_until(start + plan.window[0])
        meter = Meter([os.getpid()], cores)
        _sleep_until(start + plan.window[1])
        usage = meter.read()
        for thread in threads:
            thread.join()
    tallies = [reader.tally(plan.count) for reader in readers]
    return window_sample(usage, tallies, warm_up, [reader.first for reader in warm])


def _sleep_until(moment: float) -> None:
    time.sleep(max(0.0, moment - time.monotonic()))


if __name__ == "__main__":
    address, streams, rate, seconds, tested, load = sys.argv[1:]
    planned = Plan(int(streams), float(rate), float(seconds))
    print(json.dumps(asdict(measure(address, planned, Cores(int(tested), int(load))))))
