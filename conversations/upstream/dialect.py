"""The differences between servers of chat completions, which are learned from their refusals."""

from collections.abc import Callable
from typing import Any

Request = dict[str, Any]


def _renamed(request: Request) -> Request:
    others = {name: value for name, value in request.items() if name != "max_tokens"}
    return others | ({"max_completion_tokens": request["max_tokens"]} if "max_tokens" in request else {})


def _without_options(request: Request) -> Request:
    return {name: value for name, value in request.items() if name != "stream_options"}


CHANGES: dict[str, tuple[str, Callable[[Request], Request]]] = {
    "max_completion_tokens": ("max_tokens", _renamed),
    "stream_options": ("stream_options", _without_options),
}
"""A name in a refusal -> the request's member that it is about, and the change of the request."""


def lesson(status: int, words: str, request: Request) -> str | None:
    """The name of the change that a refusal asks for, unless the request has it already."""
    if status not in (400, 422):
        return None
    return next((name for name, (member, _) in CHANGES.items() if name in words and member in request), None)


def adapted(request: Request, lessons: set[str]) -> Request:
    """The request with the changes that were learned."""
    for name in sorted(lessons):
        request = CHANGES[name][1](request)
    return request
