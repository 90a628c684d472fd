"""The sign-in link that `serve` prints: it works once, within an hour, and leads into a conversation."""

from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.models import AbstractBaseUser
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.decorators import method_decorator
from sesame.utils import get_query_string
from sesame.views import LoginView

from conversations.models import Conversation, Model

REFUSED = "This link has been used, or is older than an hour. Sign in with your password instead."


def sign_in_path(user: AbstractBaseUser) -> str:
    """The path that signs the user in once, whatever the password."""
    return f"{reverse('link')}{get_query_string(user)}"


@method_decorator(login_not_required, name="dispatch")
class LinkView(LoginView):  # type: ignore[misc]  # ships no types
    """Signs in the user of a fresh link; any other link gets the sign-in form with status 403."""

    http_method_names = ("get",)  # HEAD, as previews send it, would use the link up

    def login_failed(self) -> HttpResponse:
        """The sign-in form, with the reason."""
        form = AuthenticationForm(self.request)
        context = {"form": form, "problem": REFUSED, "next": ""}
        return render(self.request, "registration/login.html", context, status=403)

    def get_default_redirect_url(self) -> str:
        """The page of the user's newest conversation, or of a new one."""
        newest = Conversation.objects.owned_by(self.request.user).first()
        conversation = newest or Conversation.objects.create(
            owner=self.request.user, model=Model.default().model_id
        )
        return reverse("conversations:conversation", args=[conversation.pk])
