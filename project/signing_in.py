"""The sign-in form, which goes on with a form that was sent without a session."""

from typing import Any

from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.views import LoginView
from django.http import HttpResponse, HttpResponseRedirect

from conversations.web import send, unsent_form
from project import unsent


class SignInView(LoginView):
    """Django's sign-in form, which then sends the form that was written before the sign-in.

    CSRF protection has checked that form when it came, and checks this one.
    """

    def form_valid(self, form: AuthenticationForm) -> HttpResponse:
        """Signs in. Kept forms are read first, as the sign-in of another user empties the session."""
        address = self.get_redirect_url()
        message, post = unsent_form(self.request, address), unsent.kept_form(self.request, address)
        answer = super().form_valid(form)
        if message:
            return HttpResponseRedirect(send(self.request, message))
        return unsent.send(self.request, address, post) if post else answer

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """The context of Django's form, and the forms that wait for the sign-in."""
        address = self.get_redirect_url()
        message = (unsent_form(self.request, address) or {}).get("message", "").strip()
        return super().get_context_data(
            unsent=message, post=unsent.kept_form(self.request, address), **kwargs
        )
