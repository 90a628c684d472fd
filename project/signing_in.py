"""The sign-in form, which goes on with the conversation that was begun without a session."""

from typing import Any

from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.views import LoginView
from django.http import HttpResponse, HttpResponseRedirect

from conversations.web import send, unsent_form


class SignInView(LoginView):
    """Django's form; a message that was sent before is sent now, by a POST that CSRF protection has let through like the first one."""

    def form_valid(self, form: AuthenticationForm) -> HttpResponse:
        """Signs in. The message is taken out of the session before, which another user's sign-in empties."""
        unsent = unsent_form(self.request, self.get_redirect_url())
        answer = super().form_valid(form)
        return HttpResponseRedirect(send(self.request, unsent)) if unsent else answer

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """The message that waits for the sign-in, beside what Django's form shows."""
        unsent = unsent_form(self.request, self.get_redirect_url()) or {}
        return super().get_context_data(unsent=unsent.get("message", "").strip(), **kwargs)
