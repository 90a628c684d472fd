"""The browser that looks at the pages."""

import pytest
from django.contrib.auth.models import User
from django.test import Client


@pytest.fixture
def client(user: User) -> Client:
    """The user's browser."""
    client = Client()
    client.force_login(user)
    return client
