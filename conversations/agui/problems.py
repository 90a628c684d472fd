"""Errors before a stream, answered as JSON. A program reads the docstring of the error's class."""

from typing import Any, ClassVar

from django.http import JsonResponse

from conversations.attachments import NotTaken
from conversations.errors import Busy, InternalError, NotFound, Refused, Throttled


class Problem(Refused):
    """This cannot be taken."""

    status = 400
    headers: ClassVar[dict[str, str]] = {}


class NoCredentials(Problem):
    """Send an API token of this site as `Authorization: Bearer TOKEN`."""

    status, code = 401, "unauthorized"
    headers: ClassVar = {"WWW-Authenticate": "Bearer"}


class Forbidden(Problem):
    """This token is not for that."""

    status, code = 403, "forbidden"


class NoCsrfToken(Forbidden):
    """A session needs its CSRF token with this, as the header X-CSRFToken."""


class NotAllowed(Problem):
    """This address takes another method."""

    status, code = 405, "method_not_allowed"


class NoThread(Problem):
    """There is no such thread."""

    status, code = 404, "not_found"


class Restarting(Problem):
    """The server is about to restart. Try again in a moment."""

    status, code = 503, "restarting"
    headers: ClassVar = {"Retry-After": "2"}


def as_response(problem: Exception) -> JsonResponse:
    """The response that tells a program of a problem; a failure of ours shows no details."""
    status, code = _status_and_code(problem)
    headers = problem.headers if isinstance(problem, Problem) else {}
    message = str(InternalError()) if status == 500 else str(problem)
    return error(status, code, message, headers)


def error(status: int, code: str, message: str, headers: Any = None) -> JsonResponse:
    """An error as JSON."""
    return JsonResponse({"error": {"code": code, "message": message}}, status=status, headers=headers)


def _status_and_code(problem: Exception) -> tuple[int, str]:
    match problem:
        case Problem() | NotTaken():
            return problem.status, problem.code
        case NotFound():
            return NoThread.status, NoThread.code
        case Busy():
            return 409, problem.code
        case Throttled():
            return 429, problem.code
        case Refused():
            return 400, problem.code
    return 500, InternalError.code
