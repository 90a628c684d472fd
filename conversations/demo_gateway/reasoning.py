"""Signatures of reasoning: a model refuses a reasoning block that does not come back as it was sent."""

import base64
import hashlib

MARK = b"turntable-demo:"


def sign(text: str) -> str:
    """The signature, in base64, that the demo gateway puts under a reasoning text."""
    digest = hashlib.sha256(text.encode("utf-8", "replace")).digest()
    return base64.b64encode(MARK + digest).decode()


def forged(text: str, signature: str) -> bool:
    """Whether a signature made here stands under another text; signatures made elsewhere cannot be told."""
    return signature.startswith(base64.b64encode(MARK).decode()) and signature != sign(text)
