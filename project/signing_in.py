"""The sign-in form, which goes on with the conversation that was begun without a session."""

from typing import Any

from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.views import LoginView
from django.http import HttpResponse, HttpResponseRedirect

from conversations.web import send, unsent_form


class SignInView(LoginView):
    """Django's sign-in form, which then sends the message that was written before the sign-in.

    CSRF protection has let this POST through like the first one.
    """

    def form_valid(self, form: AuthenticationForm) -> HttpResponse:
        """Signs in. The message is read before from the session, which another user's sign-in empties."""
        unsent = unsent_form(self.request, self.get_redirect_url())
        answer = super().form_valid(form)
        return HttpResponseRedirect(send(self.request, unsent)) if unsent else answer

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """The context of Django's form, and the message that waits for the sign-in."""
        unsent = unsent_form(self.request, self.get_redirect_url()) or {}
        return super().get_context_data(unsent=unsent.get("message", "").strip(), **kwargs)
