"""A fixture of a model that takes cache points: they stand in requests, not in the file."""

from pathlib import Path

import pytest
from django.contrib.auth.models import User

from conversations.models import Model
from tests.commands import command
from tests.reruns import conversation_with, fixture_of
from tests.turns import QUESTION

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("gateway")]
CLAUDE = "us.anthropic.claude-sonnet-4-5-v1:0"


def test_cache_points_are_no_part_of_a_fixture_and_no_difference(user: User, tmp_path: Path) -> None:
    conversation = conversation_with(user, QUESTION, "help", model=CLAUDE, system="Be brief. " * 500)
    assert conversation.turns.latest("number").cache_read_tokens > 0
    file = fixture_of(conversation, tmp_path)
    assert "cachePoint" not in file.read_text()
    for takes in (True, False):
        Model.objects.update_or_create(model_id=CLAUDE, defaults={"takes_cache_points": takes})
        code, out, err = command("rerun", "--against", str(file))
        assert (code, "nothing differs" in out) == (0, True), out + err
