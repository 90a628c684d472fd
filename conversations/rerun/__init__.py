"""Reruns, which ask a stored conversation again, and fixtures, with which they need no gateway.

rerunning.py asks the questions of questions.py again; answers.py, words.py, report.py and comparing.py compare the answers. fixtures.py
writes a conversation to a file, with streams that streams.py rebuilds, and reads it; gateway.py answers from it, testing.py makes a test
of it.
"""

from . import fixtures
from .answers import Answer
from .comparing import Comparison, comparison, run_in_background
from .report import Pair
from .rerunning import Options, Rerun, against, rerun
from .words import Change, as_marks, common_length, in_context, split_words, word_diff

__all__ = [
    "Answer",
    "Change",
    "Comparison",
    "Options",
    "Pair",
    "Rerun",
    "against",
    "as_marks",
    "common_length",
    "comparison",
    "fixtures",
    "in_context",
    "rerun",
    "run_in_background",
    "split_words",
    "word_diff",
]
