"""Calls at the same time: how many run, how the others wait, and that one that hangs harms nobody."""

import asyncio
import gc
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from conversations.tools import Outcome, execute, execution, registry, tool
from conversations.tools.slots import Slots
from tests.conditions import until_async

NOT_RUN = [{"text": "The tool was not run: the turn was stopped."}]
QUICK = [{"text": "quick"}]


@pytest.fixture(autouse=True)
def _tools(gate: threading.Event) -> Iterator[None]:
    """Tools: `quick` answers, `hang` waits for the gate, `last` too but has 0.05 s."""

    def hang() -> str:
        gate.wait(20)
        return "late"

    with registry.override():
        tool(name="quick")(lambda: "quick")
        tool(name="hang")(hang)
        tool(name="last", timeout=0.05)(hang)
        yield


@pytest.fixture
def slots(monkeypatch: pytest.MonkeyPatch) -> Slots:
    """The only slot of the process, with one call that may be left behind."""
    slots = Slots(1, 1)
    monkeypatch.setattr(execution, "_slots", slots)
    return slots


class Counting:
    """How many calls of a tool run, and have run at once, until the gate opens."""

    def __init__(self, gate: threading.Event) -> None:
        self.now = self.peak = self.ended = 0
        self.lock = threading.Lock()
        self.gate = gate

    def run(self) -> None:
        with self.lock:
            self.now += 1
            self.peak = max(self.peak, self.now)
        self.gate.wait(20)
        with self.lock:
            self.now -= 1
            self.ended += 1


def call(name: str, stop: asyncio.Event | None = None) -> asyncio.Task[Outcome]:
    return asyncio.create_task(execute(name, {}, stop=stop))


def threads(name: str) -> int:
    return sum(thread.name == f"tool {name}" for thread in threading.enumerate())


async def waiting(slots: Slots, name: str, stop: asyncio.Event | None = None) -> asyncio.Task[Outcome]:
    """A call that waits for its slot, which another holds."""
    task = call(name, stop)
    await until_async(lambda: slots._queue)
    return task


async def test_tools_that_hang_harm_no_other_call_and_never_block_the_loop(gate: threading.Event) -> None:
    @tool
    async def block() -> None:
        gate.wait(20)

    hanging = [call("hang"), call("block")]
    await until_async(lambda: threads("hang") and threads("block"))
    outcomes = [await call("quick") for _ in range(5)]
    assert [outcome.content for outcome in outcomes] == [QUICK] * 5
    assert not any(task.done() for task in hanging)
    gate.set()
    assert [outcome.error for outcome in await asyncio.gather(*hanging)] == ["", ""]


async def test_calls_over_the_bound_wait_without_a_thread_and_all_are_answered(gate: threading.Event) -> None:
    count = Counting(gate)
    tool(name="count")(count.run)
    tasks = [call("count") for _ in range(100)]
    await until_async(lambda: count.now == execution.TOOLS_AT_ONCE)
    assert threads("count") == execution.TOOLS_AT_ONCE == 32
    gate.set()
    outcomes = await asyncio.gather(*tasks)
    assert {outcome.status for outcome in outcomes} == {"success"}
    assert (count.ended, count.peak) == (100, 32)


async def test_calls_that_hang_give_their_places_back(gate: threading.Event) -> None:
    outcomes = await asyncio.gather(*(call("last") for _ in range(execution.TOOLS_AT_ONCE)))
    assert {outcome.error for outcome in outcomes} == {"timeout"}
    assert threads("last") == execution.TOOLS_AT_ONCE
    assert (await call("quick")).content == QUICK
    assert not gate.is_set()


async def test_a_call_that_hangs_keeps_its_place_when_too_many_are_left_behind(
    slots: Slots, gate: threading.Event, caplog: pytest.LogCaptureFixture
) -> None:
    assert (await call("last")).error == "timeout"
    assert not caplog.records
    assert (await call("last")).error == "timeout"
    (record,) = caplog.records
    assert record.getMessage().endswith("keeps its slot, with 1 of 1 kept by calls that do not end")
    quick = await waiting(slots, "quick")
    gate.set()
    assert (await quick).content == QUICK
    assert (await call("quick")).content == QUICK


@pytest.mark.usefixtures("gate")
async def test_a_stop_ends_the_wait_for_a_place(slots: Slots) -> None:
    hanging, stop = call("hang"), asyncio.Event()
    quick = await waiting(slots, "quick", stop)
    stop.set()
    assert ((await quick).error, (await quick).content) == ("stopped", NOT_RUN)
    assert not slots._queue
    assert not hanging.done()


async def test_a_cancelled_task_waits_for_no_place(slots: Slots, gate: threading.Event) -> None:
    hanging = call("hang")
    quick = await waiting(slots, "quick")
    quick.cancel()
    with pytest.raises(asyncio.CancelledError):
        await quick
    assert not slots._queue
    gate.set()
    assert (await hanging).error == ""
    assert (await call("quick")).content == QUICK


async def test_a_calls_time_begins_with_its_place(slots: Slots, gate: threading.Event) -> None:
    tool(name="brief", timeout=1)(lambda: "brief")
    hanging, begun = call("hang"), time.monotonic()
    brief = await waiting(slots, "brief")
    await until_async(lambda: time.monotonic() > begun + 1.1)
    assert not brief.done()
    gate.set()
    assert (await brief).content == [{"text": "brief"}]
    assert (await brief).duration_ms >= 1100
    assert (await hanging).error == ""


async def test_a_call_that_has_waited_times_out_when_it_runs(slots: Slots) -> None:
    stop = asyncio.Event()
    hanging = call("hang", stop)
    last = await waiting(slots, "last")
    stop.set()
    assert ((await hanging).error, (await last).error) == ("stopped", "timeout")


@pytest.mark.parametrize("way", ["cancel", "stop"])
async def test_a_place_that_comes_together_with_the_end_of_the_wait_is_passed_on(way: str) -> None:
    slots, stop = Slots(1, 1), asyncio.Event()
    assert await slots.enter(asyncio.Event())
    second = asyncio.create_task(slots.enter(stop))
    await until_async(lambda: slots._queue)
    third = asyncio.create_task(slots.enter(asyncio.Event()))
    await until_async(lambda: len(slots._queue) == 2)
    slots.end()
    if way == "cancel":
        second.cancel()
    else:
        stop.set()
    assert await asyncio.wait_for(third, 5)
    assert second.cancelled() or not second.result()


async def test_a_cancelled_task_gives_its_call_up(
    gate: threading.Event, caplog: pytest.LogCaptureFixture
) -> None:
    hanging = call("hang")
    await until_async(lambda: threads("hang"))
    hanging.cancel()
    with pytest.raises(asyncio.CancelledError):
        await hanging
    gate.set()
    await until_async(lambda: caplog.records)
    assert "ended after it was given up" in caplog.text


async def test_a_cancelled_task_cancels_its_async_tool() -> None:
    steps: list[str] = []

    @tool
    async def rest() -> None:
        steps.append("begun")
        try:
            await asyncio.sleep(20)
        except asyncio.CancelledError:
            steps.append("cancelled")
            raise

    resting = call("rest")
    await until_async(lambda: steps)
    resting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await resting
    await until_async(lambda: steps == ["begun", "cancelled"])


def test_calls_of_several_loops_share_the_places(slots: Slots, gate: threading.Event) -> None:
    count = Counting(gate)
    tool(name="count")(count.run)
    gate.set()

    async def ten() -> set[str]:
        return {outcome.status for outcome in await asyncio.gather(*(call("count") for _ in range(10)))}

    with ThreadPoolExecutor(8) as pool:
        statuses = [pool.submit(asyncio.run, ten()) for _ in range(8)]
    assert [status.result() for status in statuses] == [{"success"}] * 8
    assert (count.ended, count.peak) == (80, slots.capacity)


async def begin(name: str, condition: Callable[[], object]) -> asyncio.Task[Outcome]:
    task = call(name)
    await until_async(condition)
    return task


def closed_loop_with(name: str, condition: Callable[[], object]) -> asyncio.Task[Outcome]:
    """A call whose loop was closed without cancelling it."""
    loop = asyncio.new_event_loop()
    task = loop.run_until_complete(begin(name, condition))
    loop.close()
    return task


def test_a_tool_ends_in_peace_when_the_loop_of_its_caller_has_closed(
    slots: Slots, gate: threading.Event, caplog: pytest.LogCaptureFixture
) -> None:
    task = closed_loop_with("hang", lambda: threads("hang"))
    gate.set()
    assert asyncio.run(execute("quick", {})).content == QUICK
    assert not caplog.records
    assert not task.done()


def test_a_call_whose_loop_has_closed_takes_no_place(slots: Slots, gate: threading.Event) -> None:
    count = Counting(opened := threading.Event())
    tool(name="count")(count.run)

    async def three() -> None:
        counts = [call("count") for _ in range(3)]
        await until_async(lambda: count.now + len(slots._queue) == 3)
        opened.set()
        await asyncio.gather(*counts)

    tasks = [closed_loop_with("hang", lambda: threads("hang"))]
    tasks += [closed_loop_with("count", lambda: len(slots._queue) == 1)]
    tasks += [closed_loop_with("count", lambda: len(slots._queue) == 2)]
    gate.set()
    assert asyncio.run(execute("quick", {})).content == QUICK
    tasks.clear()
    gc.collect()
    asyncio.run(three())
    assert (count.ended, count.peak) == (3, slots.capacity)
