"""Attached files in messages: a stored message names them, and a request has their bytes.

A stored block has `{"attachment": {"id", "name", "size"}}` as its source. The limits of models are a table by the beginnings of their
ids, from AWS's pages `API_runtime_Message` and `inference-api-restrictions`, and from the makers' own.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from .capabilities import Capabilities, family
from .content import Block, Message, encode_base64, text

KINDS = ("image", "document")
PLURALS = {"image": "pictures", "document": "documents"}
NOT_TAKEN = "{} takes no {}. Choose another model, or send the message without them."
TOO_LARGE = "{} takes documents of {} at most."
LEFT_OUT = {
    "image": "(A picture, which is left out of later turns.)",
    "document": "(A document, which is left out of later turns.)",
}
LOST = {"image": "(A picture, which is lost.)", "document": "(A document, which is lost.)"}
SEE_DOCUMENTS = "See what is attached."
"""The text that is added to a message of documents alone: Bedrock refuses it without a text."""

MB = 1024 * 1024
LARGEST = 32 * MB
"""Bytes of the largest file that may be attached."""

Rules = dict[str, Any]

ReadBytes = Callable[[str], bytes | None]
"""The bytes of an attachment by its id, None where they are lost."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How many files a request to a model may have, and how large: bytes, and pixels of a side."""

    pictures: int = 20
    picture_bytes: int = 3_932_160
    side: int = 8_000
    documents: int = 5
    document_bytes: int = 4_718_592
    pdf_bytes: int = 4_718_592


STRICTEST = Limits()
FAMILIES: dict[str, dict[str, int]] = {
    "anthropic.claude-haiku-4": {"pdf_bytes": 22 * MB},
    "anthropic.claude-haiku-5": {"pdf_bytes": 22 * MB},
    "anthropic.claude-opus": {"pdf_bytes": 22 * MB},
    "anthropic.claude-sonnet": {"pdf_bytes": 22 * MB},
    "amazon.nova": {"pdf_bytes": 18 * MB},
}
"""Families that take more. A request, base64 included, has up to 32 MB (Claude) or 25 MB (Nova)."""


def limits_of(model_id: str) -> Limits:
    """The limits of a model; an unknown model has the strictest."""
    name = family(model_id)
    limits = STRICTEST
    for prefix in sorted(FAMILIES, key=len):
        if name.startswith(prefix):
            limits = replace(limits, **FAMILIES[prefix])
    return limits


def needs_citations(model_id: str) -> bool:
    """Whether a model needs citations to see a PDF's pages. Without them Claude gets its text alone."""
    return family(model_id).startswith("anthropic.claude-") and not family(model_id).startswith(
        ("anthropic.claude-instant", "anthropic.claude-v2", "anthropic.claude-3")
    )


# -- blocks


def block(facts: Mapping[str, Any]) -> Block:
    """The stored block of an attachment with these facts."""
    source = {"attachment": {name: facts[name] for name in ("id", "name", "size")}}
    return {facts["kind"]: {"format": facts["format"], "source": source}}


def facts(content: Iterable[Block]) -> list[dict[str, Any]]:
    """The facts of a message's attachments, as pages and clients get them."""
    return [
        {
            "id": source["id"],
            "name": source["name"],
            "kind": kind,
            "format": body["format"],
            "size": source["size"],
        }
        for kind, body, source in _attachments(content)
    ]


def ids(messages: Iterable[Message]) -> list[str]:
    """The ids of the attachments that the messages name, in order."""
    return [source["id"] for message in messages for _, _, source in _attachments(message["content"])]


def _attachments(content: Iterable[Block]) -> Iterator[tuple[str, Block, Block]]:
    for part in content:
        kind, source = attachment(part)
        if source:
            yield kind, part[kind], source


def attachment(part: Block) -> tuple[str, Block]:
    """The kind of a block's attachment, and its id, name and size; blank and empty without one."""
    kind = next((kind for kind in KINDS if kind in part), "")
    source = part[kind].get("source") if kind else None
    named = source.get("attachment") if isinstance(source, dict) else None
    return (kind, named) if isinstance(named, dict) else ("", {})


# -- what a model takes


def rules(name: str, limits: Limits, capabilities: Capabilities) -> Rules:
    """The limits of the model `name` as JSON for pages, with a sentence for each that is exceeded."""
    takes = {"image": capabilities.takes_pictures, "document": capabilities.takes_documents}
    return {
        "refused": {kind: NOT_TAKEN.format(name, PLURALS[kind]) for kind in KINDS if takes[kind] is False},
        "most": {"image": limits.pictures, "document": limits.documents},
        "tooMany": {
            "image": f"{name} takes {limits.pictures} pictures at most.",
            "document": f"{name} takes {limits.documents} documents at most.",
        },
        "bytes": {"pdf": limits.pdf_bytes, "": limits.document_bytes},
        "tooLarge": {
            "pdf": TOO_LARGE.format(name, _megabytes(limits.pdf_bytes)),
            "": TOO_LARGE.format(name, _megabytes(limits.document_bytes)),
        },
    }


def problem(files: Iterable[Mapping[str, Any]], rules: Rules) -> str:
    """A sentence that says why the model does not take files with these facts; blank if it does."""
    counts = {"image": 0, "document": 0}
    for file in files:
        kind, key = file["kind"], "pdf" if file["format"] == "pdf" else ""
        counts[kind] += 1
        if kind in rules["refused"]:
            return str(rules["refused"][kind])
        if kind == "document" and file["size"] > rules["bytes"][key]:
            return str(rules["tooLarge"][key])
    return next((rules["tooMany"][kind] for kind in KINDS if counts[kind] > rules["most"][kind]), "")


def _megabytes(size: int) -> str:
    return f"{size / MB:.1f}".removesuffix(".0") + " MB"


# -- requests


def excess(messages: Iterable[Message], limits: Limits, left_out: Iterable[str] = ()) -> list[str]:
    """The ids of attachments that stay out of a request: `left_out`, and the oldest of too many."""
    out = list(dict.fromkeys(left_out))
    files = [
        (kind, source["id"]) for message in messages for kind, _, source in _attachments(message["content"])
    ]
    for kind, most in (("image", limits.pictures), ("document", limits.documents)):
        of_kind = [pk for file_kind, pk in files if file_kind == kind and pk not in out]
        out += dict.fromkeys(of_kind[: max(0, len(of_kind) - most)])
    return [pk for pk in out if pk in {pk for _, pk in files}]


def without(part: Block, out: Iterable[str]) -> Block:
    """The block, or a line in its place if it names one of these attachments."""
    kind, source = attachment(part)
    return text(LEFT_OUT[kind]) if source and source["id"] in out else part


def with_bytes(messages: list[Message], read: ReadBytes, *, with_citations: bool = False) -> list[Message]:
    """The messages with the bytes of their files, and with citations on for PDFs if `with_citations`.

    Documents are numbered: a file's own name, in which instructions could hide, is never sent.
    """
    documents = 0
    whole = []
    for message in messages:
        content = []
        for part in message["content"]:
            kind, source = attachment(part)
            documents += kind == "document"
            data = read(source["id"]) if source else None
            content.append(_whole(kind, part[kind], data, documents, with_citations) if source else part)
        whole.append(message | {"content": _with_text(content, message["content"])})
    return whole


def _whole(kind: str, part: Block, data: bytes | None, number: int, with_citations: bool) -> Block:
    if data is None:
        return text(LOST[kind])
    source = {"source": {"bytes": encode_base64(data)}}
    if kind == "image":
        return {kind: {"format": part["format"], **source}}
    cited = {"citations": {"enabled": True}} if with_citations and part["format"] == "pdf" else {}
    return {kind: {"format": part["format"], "name": f"Document {number}", **source, **cited}}


def _with_text(content: list[Block], before: list[Block]) -> list[Block]:
    """The content, and a text with it if it had documents `before` and has no text."""
    has_documents = any(attachment(part)[0] == "document" for part in before)
    has_text = any("text" in part for part in content)
    return [*content, text(SEE_DOCUMENTS)] if has_documents and not has_text else content
