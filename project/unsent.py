"""Forms that came without a session or with an old token, which can be sent again."""

from copy import copy
from typing import Any, NamedTuple
from urllib.parse import urlsplit
from uuid import uuid4

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import resolve, reverse
from django.utils.datastructures import MultiValueDict
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

KEY = "unsent_posts"
MOST = 10
"""Forms that a session keeps: the newest ones."""

SHORT = 30
"""Characters up to which a field is not shown to the person, unless its name is one of these."""

WRITTEN = ("message", "name", "reason", "system", "text", "title")
TOKEN = "csrfmiddlewaretoken"  # noqa: S105 (the name of a field)

Fields = list[tuple[str, str]]


class Post(NamedTuple):
    """A form: the address that it goes to, and its fields."""

    path: str
    fields: Fields


class Field(NamedTuple):
    """A field of a form that can be sent again."""

    name: str
    value: str

    @property
    def label(self) -> str:
        """Its label for people."""
        return self.name.rpartition("-")[2].capitalize()

    @property
    def is_shown(self) -> bool:
        """Whether it is shown, as a person probably wrote it."""
        is_written = self.name.rpartition("-")[2] in WRITTEN or len(self.value) > SHORT
        return bool(self.value.strip()) and (is_written or "\n" in self.value)


def is_kept(request: HttpRequest) -> bool:
    """Whether the request is a form that is kept: not one with a password or a file, nor the sign-out."""
    is_form = request.content_type in ("application/x-www-form-urlencoded", "multipart/form-data")
    has_secret = any("password" in name for name in request.POST)
    is_sign_out = request.resolver_match is not None and request.resolver_match.url_name == "logout"
    return request.method == "POST" and is_form and not (has_secret or request.FILES or is_sign_out)


def keep(request: HttpRequest) -> str:
    """Keeps the form in the anonymous session; returns an address for it that only this browser knows."""
    address = f"{reverse('unsent')}?form={uuid4()}"
    _put(request, address, _post(request))
    return address


def kept_form(request: HttpRequest, address: str) -> Post | None:
    """The form that this browser's session keeps under the address."""
    post = request.session.get(KEY, {}).get(address)
    return Post(post[0], [(name, value) for name, value in post[1]]) if post else None


def send(request: HttpRequest, address: str, post: Post) -> HttpResponse:
    """Sends the form now and returns the answer, or leads to its own page if the user may not send it."""
    try:
        answer = _answer(request, post)
    except (Http404, PermissionDenied):
        _put(request, address, post)
        return redirect(address)
    posts = request.session.get(KEY, {})
    request.session[KEY] = {key: posts[key] for key in posts if key != address}
    return answer


@never_cache
@require_safe
def unsent(request: HttpRequest) -> HttpResponse:
    """The page of a kept form, with a button that sends it."""
    post = kept_form(request, request.get_full_path())
    return _page(request, "unsent.html", post) if post else redirect(settings.LOGIN_REDIRECT_URL)


@never_cache
def refused(request: HttpRequest, reason: str = "") -> HttpResponse:
    """The page for a form whose CSRF token is not the browser's.

    A form of this site can be sent again by a button. A form from elsewhere is not shown: to press its button would be the very attack
    that the token prevents.
    """
    post = _post(request) if _is_own(request) and is_kept(request) else None
    return _page(request, "403_csrf.html", post, status=403)


def _is_own(request: HttpRequest) -> bool:
    origin = request.headers.get("Origin")
    is_own = origin is None or urlsplit(origin).netloc == request.get_host()
    return is_own and request.headers.get("Sec-Fetch-Site", "same-origin") == "same-origin"


def _page(request: HttpRequest, template: str, post: Post | None, status: int = 200) -> HttpResponse:
    fields = [Field(*field) for field in post.fields] if post else []
    return render(request, template, {"post": post, "fields": fields}, status=status)


def _post(request: HttpRequest) -> Post:
    fields = [(name, value) for name, values in request.POST.lists() for value in values if name != TOKEN]
    return Post(request.get_full_path(), fields)


def _put(request: HttpRequest, address: str, post: Post) -> None:
    others = {key: value for key, value in request.session.get(KEY, {}).items() if key != address}
    newest = list(others.items())[1 - MOST :]
    request.session[KEY] = dict(newest) | {address: post}


def _answer(request: HttpRequest, post: Post) -> HttpResponse:
    """The answer of the form's view. CSRF protection has checked the form when it first came."""
    url = urlsplit(post.path)
    again: Any = copy(request)
    again.path = again.path_info = url.path
    again.META = request.META | {"QUERY_STRING": url.query, "PATH_INFO": url.path}
    again.GET = QueryDict(url.query)
    again.POST = QueryDict(mutable=True)
    for name, value in post.fields:
        again.POST.appendlist(name, value)
    again._files = MultiValueDict()
    again._dont_enforce_csrf_checks = True
    again.resolver_match = match = resolve(url.path)
    answer: HttpResponse = match.func(again, *match.args, **match.kwargs)
    return answer
