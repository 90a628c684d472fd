"""A user's API tokens: made and revoked under the settings, and shown once."""

from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from conversations.models import SCOPES, ApiToken

from .access import SignedIn
from .preferences import back_to_settings, settings_page

TOKENS = 100
"""Tokens that a user may have: each is on the page of the settings."""

NO_SCOPE = "Choose what the token may be used for."
TOO_MANY = f"You have {TOKENS} tokens already. Revoke one first."


@never_cache
@require_POST
def tokens(request: SignedIn) -> HttpResponse:
    """Makes a token. The answer is the page itself, with the token in it, which nothing keeps."""
    scopes = [scope for scope in SCOPES if scope in request.POST.getlist("scope")]
    is_full = request.user.api_tokens.filter(revoked_at=None).count() >= TOKENS
    if is_full or not scopes:
        return settings_page(request, problem=TOO_MANY if is_full else NO_SCOPE)
    name = ApiToken.clean_name(request.POST.get("name", ""))
    _, token = ApiToken.issue(request.user, name, " ".join(scopes))
    return settings_page(request, new_token=token)


@require_POST
def revoke_token(request: SignedIn, pk: int) -> HttpResponse:
    """Ends one of the user's tokens; the row stays, as evidence."""
    row = get_object_or_404(request.user.api_tokens, pk=pk)
    row.revoke()
    return back_to_settings(request, f"The token {row.name} lets nobody in any more.")
