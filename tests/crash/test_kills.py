"""24 kills at moments drawn from a seed, in CI; `python -m bench crash` does thousands."""

import os
import time

import pytest

from bench.crash.kills import kill

SEED = int(os.environ.get("CRASH_SEED", time.time_ns() % 1_000_000))
KILLS = 12


@pytest.mark.timeout(300)
def test_whatever_was_shown_or_sent_outlives_kills_at_any_moment(database: dict[str, str]) -> None:
    print(f"CRASH_SEED={SEED}")
    outcome = kill(KILLS, SEED, **database)
    print(
        outcome.statuses, f"{outcome.median:.1f} s to the end in the median, {outcome.longest:.1f} s at most"
    )
    assert outcome.violations == []
    assert outcome.kills == KILLS
    assert len(outcome.seconds) > KILLS / 4, "the kills met too few turns"
