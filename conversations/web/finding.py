"""The search of the palette: conversations, and the messages in them that hold some words."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.http import HttpResponse, JsonResponse
from django.shortcuts import resolve_url
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from conversations.models import Conversation, search
from conversations.protocol.text import clean_text, visible

from .access import SignedIn

LISTED = 20
"""Conversations that are listed, at most."""

HITS = 3
"""Messages that are listed of each conversation."""

LONGEST = 500
"""Letters of a search; what is longer is cut."""


@never_cache
@require_safe
def find(request: SignedIn) -> HttpResponse:
    """The user's conversations that match `?q=`; without words the newest."""
    words = clean_text(request.GET.get("q", ""))[:LONGEST].strip()
    owned = Conversation.objects.owned_by(request.user)
    if not words:
        return JsonResponse({"conversations": [_entry(row) for row in owned[:LISTED]]})
    terms = search.terms(words, with_prefixes=True)
    matches = search.matches(terms, request.user.pk)
    rows = owned.in_bulk(_in_order(matches))
    listed = [rows[pk] for pk in _in_order(matches) if pk in rows][:LISTED]
    hits = search.hits(matches, listed, terms, HITS) if listed else {}
    entries = [_entry(row) | {"hits": [_hit(row, hit, words) for hit in hits[row.pk]]} for row in listed]
    return JsonResponse(
        {"conversations": entries, "more": len(rows) > LISTED or bool(matches.is_cut or matches.reach)}
    )


def _in_order(matches: Sequence[search.Match]) -> list[UUID]:
    """The conversations that match, by title first; more than are listed, as some may be deleted."""
    by_title = [match.conversation for match in matches if not match.message and not match.call]
    return list(dict.fromkeys([*by_title, *(match.conversation for match in matches)]))[: 3 * LISTED]


def _entry(row: Conversation) -> dict[str, Any]:
    return {
        "title": visible(row.title),
        "url": resolve_url("conversations:conversation", pk=row.pk),
        "at": row.updated_at.isoformat(),
        "archived": row.archived_at is not None,
    }


def _hit(row: Conversation, hit: search.Hit, words: str) -> dict[str, Any]:
    return {"speaker": visible(hit.speaker), "parts": hit.parts, "url": hit_address(row, hit, words)}


def hit_address(row: Conversation, hit: search.Hit, words: str) -> str:
    """The address of a hit's page, with its turn, its place there and its words."""
    query = urlencode({"at": hit.turn, "in": hit.id_prefix, "words": words})
    return f"{resolve_url('conversations:conversation', pk=row.pk)}?{query}"
