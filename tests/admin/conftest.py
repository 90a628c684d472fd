"""The operator who looks at the record."""

import pytest
from django.contrib.auth.models import User
from django.test import Client


@pytest.fixture
def operator(client: Client) -> Client:
    client.force_login(User.objects.create_superuser("arthur"))
    return client
