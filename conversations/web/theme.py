"""The theme that a browser keeps: in a cookie, so that no page comes in another one first."""

from typing import TYPE_CHECKING

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from conversations.templatetags.themes import THEMES

if TYPE_CHECKING:
    from .access import SignedIn

YEAR = 365 * 24 * 60 * 60


@require_POST
def theme(request: "SignedIn") -> HttpResponse:
    """Keeps a theme in this browser, and forgets it for the system's or anything else."""
    answer = redirect("conversations:settings")
    chosen = request.POST.get("theme", "")
    if chosen not in THEMES:
        answer.delete_cookie("theme", samesite="Lax")
        return answer
    answer.set_cookie(
        "theme", chosen, max_age=YEAR, secure=settings.SESSION_COOKIE_SECURE, httponly=True, samesite="Lax"
    )
    return answer
