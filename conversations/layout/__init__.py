"""What the pages show, made from the journal's pages: the transcript in sections, the tree in branches, and the sentences for people."""

from .branches import Branch, Stem, branches
from .marks import visible
from .sections import Attempt, Block, Section, sections
from .sentences import SENTENCES, notice

__all__ = [
    "SENTENCES",
    "Attempt",
    "Block",
    "Branch",
    "Section",
    "Stem",
    "branches",
    "notice",
    "sections",
    "visible",
]
