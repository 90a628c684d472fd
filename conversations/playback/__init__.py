"""The playback of a stored conversation, which calls no gateway and no tool.

turns.py reads the recordings; outline.py outlines a turn before it is played.
"""

from .turns import compressed_lines, ends, index, moments

__all__ = ["compressed_lines", "ends", "index", "moments"]
