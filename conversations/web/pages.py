"""The list of conversations, and a conversation."""

import json
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from csp.decorators import csp_replace
from django.core.paginator import Page, Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_safe

from conversations import gateway, journal
from conversations.attachments import left_out_ids
from conversations.conf import settings
from conversations.models import Conversation, Model, marks, prices, search, unsent
from conversations.protocol.converse import attached
from conversations.protocol.text import clean_text, visible

from .access import SignedIn, as_uuid, own_or_404
from .cards import cards_of
from .changes import just_deleted
from .options import panel, start_panel
from .prompts import suggested
from .sections import sections
from .sentences import SENTENCES
from .sidebar import COLUMNS

PER_PAGE = 50
"""Conversations on a page of the list."""

FRAME = "conversations/frame.html"
"""The template of a page's frame."""

Listed = tuple[Conversation, str, marks.Mark | None, list[search.Hit]]
"""A conversation, its visible title, its mark, and the hits of a search in it."""

DEMO_PHRASES = (
    "What is the most popular song on WZPZ?",
    "show markdown",
    "show reasoning",
    "show parallel calls",
    "help",
)


@never_cache  # a copy in the browser's cache would outlive the session
@require_safe
def conversation(request: SignedIn, pk: UUID) -> HttpResponse:
    """A conversation's newest messages; 404 unless it is the user's own.

    With `?before=` those before a message, with `?at=` those with a turn among them.
    """
    return _conversation(request, pk, FRAME)


@never_cache
@xframe_options_sameorigin
@csp_replace({"frame-ancestors": ["'self'"]})  # type: ignore[arg-type]  # it knows no views with arguments
@require_safe
def column(request: SignedIn, pk: UUID) -> HttpResponse:
    """A conversation's page without its frame, to be shown beside another one."""
    return _conversation(request, pk, "conversations/column.html")


def _conversation(request: SignedIn, pk: UUID, frame: str) -> HttpResponse:
    with journal.one_snapshot():
        conversation = own_or_404(request, pk)
        page, is_older = _page(request, conversation)
    context = {
        "frame": frame,
        "is_column": frame != FRAME,
        "conversation": conversation,
        "page": page,
        "model_name": conversation.model_name,
        "panel": panel(conversation),
        "heading": visible(conversation.title),
        "queue": json.dumps(page.queue),
        "sections": sections(page, is_older=is_older),
        "cards": cards_of(request, conversation, _calls(page)),
        "sentences": json.dumps(SENTENCES),
        "now": int(time.time() * 1000),
        "is_older": is_older,
        "suggested": suggested(request.user.pk),
    }
    context |= _gateway_summary() | _script_data(request, conversation, page)
    return render(request, "conversations/conversation.html", context)


def _page(request: SignedIn, conversation: Conversation) -> tuple[journal.Page, bool]:
    """The messages of the page, and whether newer ones or another branch exist."""
    before, turn = request.GET.get("before"), as_uuid(request.GET.get("at", ""))
    page = journal.page(conversation, before, turn if before else None)
    if before and not page.messages:
        raise Http404
    if before is not None or turn is None or str(turn) in {state["id"] for state in page.turns}:
        return page, before is not None
    older = journal.page(conversation, end=turn)
    return (older, True) if older.messages else (page, False)


def _calls(page: journal.Page) -> dict[str, str]:
    """The names of the tools that the page calls, by the calls' ids."""
    calls = [call for message in page.messages for call in message.get("toolCalls", ())]
    return {call["id"]: call["function"]["name"] for call in calls}


def _script_data(request: SignedIn, conversation: Conversation, page: journal.Page) -> dict[str, str]:
    """The data of the page's script beside the messages, as JSON, and the draft as it is."""
    offered = Model.offered()
    data = {
        "models": [model.model_id for model in offered],
        "names": {model.model_id: model.name for model in offered if model.name},
        "prices": prices.as_json(),
        "left_out": sorted(left_out_ids(conversation.pk)) if _has_files(page) else [],
        "file_rules": _file_rules(Model.of(conversation.model), *offered),
        "unsent": [file.facts for file in unsent(conversation)],
        "totals": page.totals,
    }
    as_json = {name: json.dumps(value) for name, value in data.items()}
    return as_json | {"currency": settings.PRICE_CURRENCY, "draft": conversation.draft}


def _has_files(page: journal.Page) -> bool:
    return any("attachments" in message["metadata"] for message in page.messages)


def _file_rules(*models: Model) -> dict[str, attached.Rules]:
    """The rules for files of the models, by id."""
    return {
        model.model_id: attached.rules(str(model), attached.limits_of(model.model_id), model.capabilities)
        for model in models
    }


def start_page(
    request: HttpRequest, form: Mapping[str, str], problem: str = "", status: int = 200
) -> HttpResponse:
    """The user's conversations, newest first, and the form of a new one as it was filled in.

    With `?q=` the conversations are those that hold its words, with `?archived` those in the archive.
    """
    words = clean_text(request.GET.get("q", "")).strip()
    terms = search.terms(words, with_prefixes=True)
    matches = search.matches(terms, request.user.pk, is_whole="whole" in request.GET)
    page = _listed(request, words, matches)
    offered = Model.offered()
    context = {
        "is_start": not request.GET.keys() & {"archived", "page", "q"},
        "suggested": suggested(request.user.pk),
        "page": page,
        "conversations": _with_hits(list(page), matches, terms),
        "words": words,
        "is_archive": _is_archive(request),
        "is_part": bool(request.GET),
        "deleted": just_deleted(request),
        "is_cut": matches.is_cut,
        "reach": f"{matches.reach:,}" if matches.reach else "",
        "is_whole": "whole" in request.GET,
        "problem": problem,
        "form": form,
        "models": offered,
        "file_rules": json.dumps(_file_rules(*offered)),
        "unsent": "[]",
        "panel": start_panel(form, request.user),
        "model_name": offered[0] if offered else "",
    }
    return render(request, "conversations/index.html", context | _gateway_summary(), status=status)


def _listed(request: HttpRequest, words: str, matches: Sequence[search.Match]) -> Page[Any]:
    """A page of the list: the hits of a search, archived too, or the archive, or what is not in it."""
    own, number = Conversation.objects.owned_by(request.user), request.GET.get("page")
    columns = own.only("owner", "model", *COLUMNS)
    if not words:
        rows = columns.archived() if _is_archive(request) else columns.listed()
        return Paginator(rows, PER_PAGE).get_page(number)
    page: Page[Any] = Paginator(search.conversations(matches, request.user.pk), PER_PAGE).get_page(number)
    by_key = columns.in_bulk(list(page))
    page.object_list = [by_key[pk] for pk in page if pk in by_key]
    return page


def _is_archive(request: HttpRequest) -> bool:
    return "archived" in request.GET


def _titled(rows: Iterable[Conversation]) -> list[tuple[Conversation, str]]:
    return [(row, visible(row.title)) for row in rows]


def _with_hits(
    rows: list[Conversation], matches: Sequence[search.Match], terms: list[search.Term]
) -> list[Listed]:
    hits = search.hits(matches, rows, terms) if matches else {}
    of_rows = marks.marks(row.pk for row in rows)
    return [(row, title, of_rows.get(row.pk), hits.get(row.pk, [])) for row, title in _titled(rows)]


def _gateway_summary() -> dict[str, Any]:
    """The gateway as the header names it: of its address only host and port."""
    if gateway.is_demo():
        return {"is_demo": True, "phrases": DEMO_PHRASES}
    return {"is_demo": False, "host": gateway.answering_host()}
