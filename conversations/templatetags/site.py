"""What the pages need to know of the site round them."""

from django import template
from django.conf import settings
from django.shortcuts import resolve_url

register = template.Library()


@register.simple_tag
def sign_in_address() -> str:
    """The address of the site's sign-in form."""
    return resolve_url(settings.LOGIN_URL)
