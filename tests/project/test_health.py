from typing import Any

import pytest
from django.db import OperationalError, connection
from django.test import Client, override_settings

NO_REDIS = {
    "default": {
        "BACKEND": "channels_redis.core.RedisChannelLayer",
        "CONFIG": {"hosts": ["redis://127.0.0.1:1"]},
    }
}


@pytest.mark.django_db
def test_a_process_that_can_work_says_so_to_anybody(client: Client) -> None:
    answer = client.get("/healthz")
    assert (answer.status_code, answer.content) == (200, b'{"status": "ok"}')


@pytest.mark.django_db
def test_a_database_that_does_not_answer_is_told(client: Client, caplog: pytest.LogCaptureFixture) -> None:
    def gone(*_: Any) -> None:
        raise OperationalError("server closed the connection unexpectedly")

    with connection.execute_wrapper(gone):
        answer = client.get("/healthz")
    assert answer.status_code == 503
    assert answer.json() == {"status": "unavailable", "database": False, "channelLayer": True}
    assert "The database does not answer" in caplog.text


@pytest.mark.django_db
def test_a_channel_layer_that_does_not_answer_is_told(
    client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    with override_settings(CHANNEL_LAYERS=NO_REDIS):
        answer = client.get("/healthz")
    assert answer.status_code == 503
    assert answer.json() == {"status": "unavailable", "database": True, "channelLayer": False}
    assert "The channel layer does not answer" in caplog.text
