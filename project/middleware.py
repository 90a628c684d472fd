"""Middleware for the content security policy, static files, and requests without a session."""

from collections.abc import Awaitable, Callable
from typing import Any

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from csp.middleware import CSPMiddleware, PolicyParts
from django.conf import settings
from django.contrib.auth.middleware import LoginRequiredMiddleware
from django.contrib.auth.views import redirect_to_login
from django.contrib.staticfiles.storage import staticfiles_storage
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import resolve_url
from whitenoise.middleware import WhiteNoiseMiddleware
from whitenoise.responders import StaticFile

from project.static_files import HashedFiles
from project.unsent import is_kept, keep

AnyResponse = HttpResponseBase | Awaitable[HttpResponseBase]


class ContentPolicy(CSPMiddleware):
    """The site's policy; without trusted types in Django's admin, whose scripts write HTML."""

    def get_policy_parts(
        self, request: HttpRequest, response: HttpResponseBase, report_only: bool = False
    ) -> PolicyParts:
        """The parts that django-csp builds the header from."""
        parts = super().get_policy_parts(request, response, report_only)
        if request.resolver_match and "admin" in request.resolver_match.app_names:
            parts.replace = {"require-trusted-types-for": None, "trusted-types": None}
        return parts


class SignInFirst(LoginRequiredMiddleware):
    """Leads a request without a session to the sign-in, and the browser on after it, form included."""

    def handle_no_permission(self, request: HttpRequest, view_func: Any) -> HttpResponseRedirect:
        """The redirect to the sign-in; a form is kept meanwhile."""
        if is_kept(request):
            return redirect_to_login(keep(request))
        if request.method == "POST":
            return redirect_to_login(resolve_url(settings.LOGIN_REDIRECT_URL))  # no page to go on to
        return super().handle_no_permission(request, view_func)


class StaticFiles(WhiteNoiseMiddleware):  # type: ignore[misc]  # ships no types
    """WhiteNoise for an asynchronous server, where its own code would take two threads a request."""

    sync_capable = async_capable = True
    FOREVER = 365 * 24 * 60 * 60

    def __init__(self, get_response: Callable[[HttpRequest], AnyResponse]) -> None:
        super().__init__(get_response)
        storage = staticfiles_storage
        if isinstance(storage, HashedFiles) and storage.hashed_files and not self.static_root:
            self.add_files(storage.location, prefix=self.static_prefix)
        if iscoroutinefunction(get_response):
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> AnyResponse:
        """A static file, or the site's answer."""
        answer: AnyResponse = super().__call__(request)
        if isinstance(answer, HttpResponseBase) and iscoroutinefunction(self):
            return _ready(answer)
        return answer

    @staticmethod
    def serve(static_file: StaticFile, request: HttpRequest) -> HttpResponse:
        """The file as one piece: ASGI would have to read a streamed one in a thread, chunk by chunk."""
        streamed: Any = WhiteNoiseMiddleware.serve(static_file, request)
        whole = HttpResponse(b"".join(streamed), status=streamed.status_code, headers=streamed.headers)
        streamed.close()
        return whole


async def _ready(answer: HttpResponseBase) -> HttpResponseBase:
    """The answer as an awaitable."""
    return answer
