"""A fixture as a test. With pytest it is three lines:

@pytest.mark.django_db(transaction=True)
def test_the_top_song_is_told():
    assert_same("tests/fixtures/top_song.jsonl")
"""

from os import PathLike
from pathlib import Path
from typing import Any

from django.contrib.auth import get_user_model

from .fixtures import read
from .rerunning import Options, Rerun, against

CHECKER = "turntable-check"


def assert_same(path: "str | PathLike[str]", **options: Any) -> None:
    """Reruns a fixture without a gateway and without running a tool; `options` are those of `Options`.

    Raises AssertionError with what differs: a request, a text, a tool call, a stop reason, how a turn ended.
    """
    file = read(Path(path))
    users = get_user_model()
    named: dict[str, Any] = {users.USERNAME_FIELD: CHECKER}
    owner, is_new = users._default_manager.get_or_create(**named)
    rerun = against(file, owner, Options(**options))
    try:
        lines = differences(rerun)
    finally:
        rerun.conversation.delete()
        if is_new:
            owner.delete()
    if lines:
        raise AssertionError("\n".join([f"{path} is answered differently:", *lines]))


def differences(rerun: Rerun) -> list[str]:
    """The lines of the report about what differs, none where nothing does; runs the rerun."""
    pairs = [pair for pair in rerun.run() if pair.differs or pair.missed]
    return [line for pair in pairs for line in pair.as_text()]
