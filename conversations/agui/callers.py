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
REVOKED = "This API token does not let in: it was revoked, or it is not of this site."


@dataclass(frozen=True)
class Caller:
    """A request's user, the scopes that it may use, and the key of its session or token."""

    user: "User"
    scopes: frozenset[str]
    key: str

    def check(self, scope: str) -> None:
        """Raises Forbidden if the token does not have the scope."""
        if scope not in self.scopes:
            raise Forbidden(f"This token is not for that: it has no scope `{scope}`.")


def caller_of(request: HttpRequest) -> Caller:
    """The request's caller; raises NoCredentials, and NoCsrfToken for a session without one."""
    authorization = request.headers.get("Authorization")
    return _session(request) if authorization is None else _bearer(authorization)


def _bearer(authorization: str) -> Caller:
    kind, _, token = authorization.strip().partition(" ")
    row = ApiToken.authenticate(token.strip()) if kind.lower() == BEARER and token.strip() else None
    if row is None:
        raise NoCredentials(REVOKED)
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
