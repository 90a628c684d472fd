"""The site's part of the limit on sign-ins, which django-axes keeps."""

from typing import Any

from django.conf import settings
from django.contrib.auth.forms import AuthenticationForm
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.crypto import salted_hmac

TOO_OFTEN = "Too many wrong passwords or links. Wait {} minutes, then sign in again."


def pseudonym(request: HttpRequest, credentials: dict[str, Any] | None) -> str | None:
    """A pseudonym for the name at the sign-in, which may be a password; None for a sign-in link."""
    name = request.POST.get("username") if credentials is None else credentials.get("username")
    return (
        None if name is None else salted_hmac("project.throttle", str(name), algorithm="sha256").hexdigest()
    )


def locked_out(request: HttpRequest, *_: Any) -> HttpResponse:
    """The sign-in form, with the reason why nobody gets in for now."""
    wait = settings.AXES_COOLOFF_TIME
    problem = TOO_OFTEN.format(int(wait.total_seconds() // 60))
    context = {"form": AuthenticationForm(request), "problem": problem, "next": request.POST.get("next", "")}
    answer = render(request, "registration/login.html", context, status=429)
    answer.headers["Retry-After"] = str(int(wait.total_seconds()))
    return answer
