"""A stored conversation asked again, with its tools answered from the record, or kept as a fixture.

rerunning.py asks the questions of questions.py again; answers.py, words.py, report.py and comparing.py say what differs; fixtures.py writes
a file from what streams.py rebuilds, player.py answers from it without a gateway, testing.py makes a test of it.
"""

from . import fixtures
from .comparing import Comparison, comparison, run_in_background
from .report import Pair
from .rerunning import How, Rerun, against, rerun
from .words import word_diff

__all__ = [
    "Comparison",
    "How",
    "Pair",
    "Rerun",
    "against",
    "comparison",
    "fixtures",
    "rerun",
    "run_in_background",
    "word_diff",
]
