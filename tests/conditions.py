"""Conditions that tests wait for, on a busy machine too."""

import asyncio
import time
from collections.abc import Callable

import pytest

PATIENCE = 30
"""Seconds after which a test fails that waits for what does not come."""


def until(condition: Callable[[], object]) -> None:
    """Waits until the condition holds."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > deadline:
            pytest.fail("waited in vain")
        time.sleep(0.01)


async def until_async(condition: Callable[[], object]) -> None:
    """Waits until the condition holds, and lets the loop go on."""
    async with asyncio.timeout(PATIENCE):
        while not condition():  # noqa: ASYNC110 (nobody tells when it does)
            await asyncio.sleep(0.002)
