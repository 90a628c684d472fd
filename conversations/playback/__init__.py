"""A stored conversation as it happened, played back: no gateway is called, and no tool.

turns.py reads the recordings; outline.py says what a player has to know of a turn before it plays it.
"""

from .turns import ends, index, moments, squeezed

__all__ = ["ends", "index", "moments", "squeezed"]
