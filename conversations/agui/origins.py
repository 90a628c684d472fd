"""Pages of the origins in AGUI_ORIGINS, which may use these addresses with a token."""

from django.http import HttpRequest, HttpResponseBase
from django.utils.cache import patch_vary_headers

from conversations.conf import settings

PREFLIGHT = {
    "Access-Control-Allow-Methods": "GET, POST",
    "Access-Control-Allow-Headers": "Authorization, Content-Type, Accept",
    "Access-Control-Max-Age": "3600",
}


def is_preflight(request: HttpRequest) -> bool:
    """Whether a browser asks on behalf of a page of an allowed origin if it may send a request."""
    return (
        request.method == "OPTIONS"
        and "Access-Control-Request-Method" in request.headers
        and _is_allowed(request)
    )


def with_origin(request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
    """The response, with the headers that let a page of an allowed origin read it."""
    patch_vary_headers(response, ("Origin",))
    if _is_allowed(request):
        response["Access-Control-Allow-Origin"] = request.headers["Origin"]
        if request.method == "OPTIONS":
            for name, value in PREFLIGHT.items():
                response[name] = value
    return response


def _is_allowed(request: HttpRequest) -> bool:
    return request.headers.get("Origin") in settings.AGUI_ORIGINS
