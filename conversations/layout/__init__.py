"""What the pages show, made from the journal's pages: the transcript in sections, and the sentences for people."""

from .marks import visible
from .sections import Attempt, Block, Section, sections
from .sentences import SENTENCES, notice

__all__ = ["SENTENCES", "Attempt", "Block", "Section", "notice", "sections", "visible"]
