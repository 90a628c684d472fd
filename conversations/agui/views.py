"""The addresses of AG-UI: a run, a thread's runs, a stop, and what this agent can do."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from functools import partial
from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse, StreamingHttpResponse
from django.utils.cache import add_never_cache_headers
from django.views.decorators.csrf import csrf_exempt

from conversations import engine
from conversations.errors import TurntableError
from conversations.journal import READERS
from conversations.protocol.agui.runs import RunView
from conversations.sockets import SOCKETS

from . import origins, runs
from .callers import Caller, caller_of
from .detached import body_of
from .inputs import read_input, read_object, uuid_of
from .offer import offer
from .problems import NotAllowed, Restarting, as_response
from .streams import Stream, spawn

logger = logging.getLogger(__name__)

HEADERS = {"Cache-Control": "no-cache, no-transform", "X-Accel-Buffering": "no"}
"""Headers that keep proxies from holding events back."""

View = Callable[[HttpRequest, Caller], Awaitable[HttpResponseBase]]
Endpoint = Callable[[HttpRequest], Coroutine[Any, Any, HttpResponseBase]]


def address(**views: View) -> Endpoint:
    """An address with a view for each method. Errors are answered as JSON, never with a page."""

    @csrf_exempt  # it is checked with the session, so that a token needs none
    @login_not_required  # likewise
    async def answer(request: HttpRequest) -> HttpResponseBase:
        if origins.is_preflight(request):
            return origins.with_origin(request, HttpResponse(status=204))
        try:
            response = await _answer(request, views)
        except TurntableError as problem:
            response = as_response(problem)
        except Exception as failure:
            logger.exception("%s %s failed", request.method, request.path)
            response = as_response(failure)
        return origins.with_origin(request, response)

    return answer


async def _answer(request: HttpRequest, views: dict[str, View]) -> HttpResponseBase:
    caller = await READERS.run(caller_of, request)
    view = views.get(request.method or "")
    if view is None:
        raise NotAllowed(f"This address takes {' and '.join(views)}.")
    response = await view(request, caller)
    if not response.has_header("Cache-Control"):
        add_never_cache_headers(response)
    return response


async def _run(request: HttpRequest, caller: Caller) -> HttpResponseBase:
    """One run's stream. If its reader is gone before it has begun, `on_lost` is called all the same."""
    if SOCKETS.is_finishing:
        raise Restarting
    beginning = asyncio.ensure_future(READERS.run(_stream_of_run, request, caller))
    try:
        return _streamed(request, await asyncio.shield(beginning))
    except asyncio.CancelledError:
        spawn(_lose(beginning))
        raise


def _stream_of_run(request: HttpRequest, caller: Caller) -> Stream:
    run_input = read_input(request.read())
    run = runs.run_of(caller, run_input)
    stream = Stream.of_run(caller, run, {**runs.names(run.conversation_id), run.run_id: run.name})
    stream.on_lost = partial(runs.cancel, run) if run_input.stops_with_reader else None
    return stream


async def _lose(beginning: Awaitable[Stream]) -> None:
    with suppress(TurntableError):
        (await beginning).lose()


async def _thread(request: HttpRequest, caller: Caller) -> HttpResponseBase:
    caller.check("read")
    if SOCKETS.is_finishing:
        raise Restarting
    thread = uuid_of(request.GET.get("threadId"))
    stream = await READERS.run(_stream_of_thread, caller, thread)
    return _streamed(request, stream)


def _stream_of_thread(caller: Caller, thread: Any) -> Stream:
    conversation = runs.own_thread(caller, thread)
    running = runs.running(conversation.pk)
    view = RunView(
        turns=frozenset(runs.branch(conversation.pk)),
        names=runs.names(conversation.pk),
        has_user_messages=True,
    )
    return Stream.of_thread(caller, conversation.pk, view, running)


async def _stop(request: HttpRequest, caller: Caller) -> HttpResponseBase:
    caller.check("run")
    thread = uuid_of(read_object(request.read()).get("threadId"))
    conversation = await READERS.run(runs.own_thread, caller, thread)
    return JsonResponse({"stopped": await READERS.run(engine.stop, conversation.pk)})


async def _capabilities(request: HttpRequest, caller: Caller) -> HttpResponseBase:
    return JsonResponse(await READERS.run(offer, caller.user))


def _streamed(request: HttpRequest, stream: Stream) -> HttpResponseBase:
    body = body_of(getattr(request, "scope", {}), stream)
    return StreamingHttpResponse(body, content_type="text/event-stream; charset=utf-8", headers=HEADERS)


thread = address(GET=_thread, POST=_run)
stop = address(POST=_stop)
capabilities = address(GET=_capabilities)
