"""The user's prompts for the composer: a list of their names, and the text of one."""

from typing import Any

from django.db.models.functions import Left
from django.http import Http404, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.cache import cache_control
from django.views.decorators.http import conditional_page, require_safe

from conversations.models import Prompt
from conversations.protocol.text import beginning

from .access import SignedIn

PREVIEW = 120
"""Characters of a prompt in the list."""

SUGGESTED = 8
"""Prompts that an empty conversation offers as buttons."""


@require_safe
@cache_control(private=True, no_cache=True)
@conditional_page
def prompts(request: SignedIn) -> HttpResponse:
    """The names and beginnings of the user's prompts; with `?id=` one of them whole, or 404."""
    if "id" in request.GET:
        return JsonResponse(_whole(request, request.GET["id"]))
    rows = request.user.prompts.annotate(start=Left("text", 2 * PREVIEW)).values_list("pk", "name", "start")
    return JsonResponse({"prompts": [_entry(*row) for row in rows]})


def _whole(request: SignedIn, key: str) -> dict[str, Any]:
    if not (key.isascii() and key.isdecimal() and len(key) < 19):
        raise Http404
    row = get_object_or_404(request.user.prompts, pk=int(key))
    return {"id": row.pk, "name": row.name, "text": row.text}


def _entry(pk: int, name: str, start: str) -> dict[str, Any]:
    return {"id": pk, "name": name, "start": beginning(" ".join(start.split()), PREVIEW)}


def suggested(owner: Any) -> list[Prompt]:
    """The first of a user's prompts, without their texts."""
    return list(Prompt.objects.filter(user=owner).only("pk", "name")[:SUGGESTED])
