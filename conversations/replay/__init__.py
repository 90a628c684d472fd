"""A stored conversation once more: played back as it happened, asked again with its tools answered from the record, kept as a fixture.

playback.py and outline.py are the page's player, recording.py gives the moments that the terminal plays; rerunning.py asks the questions
of questions.py again, said.py, words.py and report.py say what differs; fixtures.py writes a file from what streams.py rebuilds, player.py
answers from it without a gateway, testing.py makes a test of it.
"""

from .recording import moments, timeline
from .rerunning import How, Rerun, rerun

__all__ = ["How", "Rerun", "moments", "rerun", "timeline"]
