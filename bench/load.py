"""The whole way: turns on the sockets of a site, each answered by the load gateway, journalled, and shown."""

import asyncio

from .machine import Meter, Usage
from .plan import WARM_UP, Plan
from .sample import Sample, taken
from .site import Site
from .sockets import Page

PATIENCE = 30.0
"""Seconds of grace for a connection, and for a turn after its last delta was due."""

REST = 0.1
"""Seconds between two turns of the warm-up, in which the server puts the first one's recording away."""


async def measure(site: Site, plan: Plan, core: int) -> Sample:
    """Runs the plan's streams, a conversation and a socket each; the server is measured on its core."""
    meter = Meter(site.pid, core)
    firsts = await _warm_up(site, plan)
    warm_up = meter.read()
    pages = [await _open(site, plan.model) for _ in range(plan.streams)]
    begun = asyncio.get_running_loop().time() + 0.5
    turns = [
        asyncio.create_task(_turn(page, plan, begun + begin))
        for page, begin in zip(pages, plan.begins, strict=True)
    ]
    usage = await _window(site, plan, core, begun)
    await asyncio.gather(*turns)
    for page in pages:
        page.transport.close()
    return taken(usage, [page.tally for page in pages], warm_up, firsts)


async def _warm_up(site: Site, plan: Plan) -> list[int]:
    """Turns of one delta, one after the other; the microseconds from the message to the delta."""
    page = await _open(site, plan.warm_up_model)
    firsts = []
    for _ in range(WARM_UP):
        await asyncio.sleep(REST)
        asked = page.ask(1)
        if not await asyncio.wait_for(page.ended, PATIENCE):
            raise RuntimeError("a turn failed while nothing else was under way")
        firsts.append(page.tally.arrivals[0] - asked)
    page.transport.close()
    return firsts


async def _open(site: Site, model: str) -> Page:
    loop = asyncio.get_running_loop()
    conversation = await loop.run_in_executor(None, site.conversation, model)
    _, page = await loop.create_connection(lambda: Page(site.url, conversation, site.cookie), *site.address)
    if not await asyncio.wait_for(page.opened, PATIENCE):
        raise ConnectionError("the websocket was refused")
    return page


async def _turn(page: Page, plan: Plan, begin: float) -> None:
    """A turn from its begin to its end; one that ends in an error or not in time has failed, and lost what has not come."""
    await _until(begin)
    page.ask(plan.count)
    await asyncio.wait([page.ended], timeout=plan.count / plan.rate + PATIENCE)
    page.tally.failed = not (page.ended.done() and page.ended.result())


async def _window(site: Site, plan: Plan, core: int, begun: float) -> Usage:
    opens, closes = plan.window
    await _until(begun + opens)
    meter = Meter(site.pid, core)
    await _until(begun + closes)
    return meter.read()


async def _until(moment: float) -> None:
    await asyncio.sleep(moment - asyncio.get_running_loop().time())
