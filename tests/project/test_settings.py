import json
from pathlib import Path

import pytest

from tests.servers import manage, site

pytestmark = pytest.mark.processes

SHOW = """
import json
from django.conf import settings
names = ("SESSION_COOKIE_SECURE", "CSRF_COOKIE_SECURE", "CSRF_TRUSTED_ORIGINS", "CHANNEL_LAYERS", "SECRET_KEY")
print(json.dumps({name: getattr(settings, name) for name in names}))
"""


def settings(environment: dict[str, str]) -> dict[str, object]:
    """Some of Django's settings in that environment."""
    process = manage(environment, "shell", "--no-imports", "-c", SHOW)
    assert process.stderr == ""
    values: dict[str, object] = json.loads(process.stdout)
    return values


def test_on_this_machine_alone_cookies_go_over_plain_http(tmp_path: Path) -> None:
    values = settings(site(tmp_path))
    assert not values["SESSION_COOKIE_SECURE"]
    assert not values["CSRF_COOKIE_SECURE"]
    assert values["CSRF_TRUSTED_ORIGINS"] == []


def test_beyond_this_machine_cookies_go_over_tls_alone_and_its_origins_are_trusted(tmp_path: Path) -> None:
    values = settings(site(tmp_path, ALLOWED_HOSTS="localhost,chat.example.org,.example.net,*"))
    assert values["SESSION_COOKIE_SECURE"]
    assert values["CSRF_COOKIE_SECURE"]
    assert values["CSRF_TRUSTED_ORIGINS"] == ["https://chat.example.org", "https://*.example.net"]


def test_a_redis_url_makes_the_channel_layer_redis(tmp_path: Path) -> None:
    inner, outer = settings(site(tmp_path)), settings(site(tmp_path, REDIS_URL="redis://127.0.0.1:6379/1"))
    assert "InMemoryChannelLayer" in str(inner["CHANNEL_LAYERS"])
    assert "redis://127.0.0.1:6379/1" in str(outer["CHANNEL_LAYERS"])
