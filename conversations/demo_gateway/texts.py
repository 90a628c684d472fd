"""Texts of the demo gateway: a record shop and a record player's manual, in every form of answers."""

import base64
import json
from importlib.resources import files
from typing import Any

SAMPLES = files(__package__) / "samples"


def _sample(name: str) -> str:
    return (SAMPLES / name).read_text("utf-8")


MARKDOWN, FORMULAS, SECTION = map(_sample, ("markdown.md", "formulas.md", "section.md"))
TEXTS: dict[str, Any] = json.loads(_sample("texts.json"))
THOUGHT, SENTENCES, CITATIONS = TEXTS["thought"], TEXTS["sentences"], TEXTS["citations"]
PNG = base64.b64encode((SAMPLES / "stripes.png").read_bytes()).decode()


def paragraphs(count: int) -> str:
    """That many paragraphs about turntables, numbered."""
    turned = [[SENTENCES[(number + step) % 5] for step in range(4)] for number in range(count)]
    return "\n\n".join(f"{number}. {' '.join(sentences)}" for number, sentences in enumerate(turned, 1))


def sections(length: int) -> str:
    """Sections about grooves, of so many characters in all."""
    sections = (SECTION.format(number=number) for number in range(1, length // 400 + 2))
    return "".join(sections)[:length]
