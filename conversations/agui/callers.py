"""Callers: programs with an API token, and pages with a session and a CSRF token."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.contrib.auth import get_user
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import CsrfViewMiddleware

from conversations.models import SCOPES, ApiToken
from conversations.sockets import token_key

from .problems import Forbidden, NoCredentials, NoCsrfToken

if TYPE_CHECKING:
    from django.contrib.auth.models import User

BEARER = "bearer"
WRONG = "This API token does not let in: it was revoked, or it is not of this site."


@dataclass(frozen=True)
class Caller:
    """A user, what the request may be for, and the key of what let it in."""

    user: "User"
    scopes: frozenset[str]
    key: str

    def check(self, scope: str) -> None:
        """Raises Forbidden for what the token is not for."""
        if scope not in self.scopes:
            raise Forbidden(f"This token is not for that: it has no scope `{scope}`.")


def caller_of(request: HttpRequest) -> Caller:
    """Who asks; raises NoCredentials, or NoCsrfToken for a session without. In a reader's thread."""
    authorization = request.headers.get("Authorization")
    return _session(request) if authorization is None else _bearer(authorization)


def _bearer(authorization: str) -> Caller:
    kind, _, token = authorization.strip().partition(" ")
    row = ApiToken.of(token.strip()) if kind.lower() == BEARER and token.strip() else None
    if row is None:
        raise NoCredentials(WRONG)
    return Caller(row.user, frozenset(row.scopes.split()), token_key(row.pk))


def _session(request: HttpRequest) -> Caller:
    user: Any = get_user(request)
    if not user.is_authenticated:
        raise NoCredentials
    if _CsrfCheck(lambda _: HttpResponse()).process_view(request, HttpResponse, (), {}):
        raise NoCsrfToken
    return Caller(user, frozenset(SCOPES), request.session.session_key or "")


class _CsrfCheck(CsrfViewMiddleware):
    """Django's own check, whose refusal is not answered with a page."""

    def _reject(self, request: HttpRequest, reason: str) -> HttpResponse:
        return HttpResponse(reason, status=403)
