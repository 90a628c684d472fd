"""Attached files in messages: a stored message names them, and a request has their bytes.

A name is `{"attachment": {"id", "name", "size"}}` in the place of a block's source. What a model takes of files is a table by the
beginning of its id: AWS's pages `API_runtime_Message` and `inference-api-restrictions`, and the makers' own.
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
"""The text beside documents that were sent without any: Bedrock wants some."""

MB = 1024 * 1024
LARGEST = 32 * MB
"""Bytes of a file that may be attached at all."""

Rules = dict[str, Any]

Read = Callable[[str], bytes | None]
"""The bytes of an attachment by its id, None where they are lost."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What a model takes of files in a request."""

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
"""Families that take more than the strictest. Requests hold 32 MB (Claude), 25 MB (Nova) of base64."""


def limits_of(model_id: str) -> Limits:
    """The limits of a model: the strictest where it is not known."""
    name = family(model_id)
    limits = STRICTEST
    for prefix in sorted(FAMILIES, key=len):
        if name.startswith(prefix):
            limits = replace(limits, **FAMILIES[prefix])
    return limits


def cites(model_id: str) -> bool:
    """Whether the model sees a PDF's pages only with citations on.

    Without them Claude gets its text alone.
    """
    return family(model_id).startswith("anthropic.claude-") and not family(model_id).startswith(
        ("anthropic.claude-instant", "anthropic.claude-v2", "anthropic.claude-3")
    )


# -- blocks


def block(facts: Mapping[str, Any]) -> Block:
    """The block that names an attachment with these facts."""
    source = {"attachment": {name: facts[name] for name in ("id", "name", "size")}}
    return {facts["kind"]: {"format": facts["format"], "source": source}}


def facts(content: Iterable[Block]) -> list[dict[str, Any]]:
    """The attachments that a message names, as readers are told of them."""
    return [
        {"id": own["id"], "name": own["name"], "kind": kind, "format": body["format"], "size": own["size"]}
        for kind, body, own in _attachments(content)
    ]


def ids(messages: Iterable[Message]) -> list[str]:
    """The ids of the attachments that the messages name, in order."""
    return [own["id"] for message in messages for _, _, own in _attachments(message["content"])]


def _attachments(content: Iterable[Block]) -> Iterator[tuple[str, Block, Block]]:
    for part in content:
        kind, own = attachment(part)
        if own:
            yield kind, part[kind], own


def attachment(part: Block) -> tuple[str, Block]:
    """The kind of an attachment and what a block says of it; nothing of any other block."""
    kind = next((kind for kind in KINDS if kind in part), "")
    source = part[kind].get("source") if kind else None
    own = source.get("attachment") if isinstance(source, dict) else None
    return (kind, own) if isinstance(own, dict) else ("", {})


# -- what the model does not take


def rules(name: str, limits: Limits, capabilities: Capabilities) -> Rules:
    """What the model `name` does not take of files, in sentences that pages read too."""
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
    """Why files with these facts are not taken, in a sentence; blank if they are."""
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
    files = [(kind, own["id"]) for message in messages for kind, _, own in _attachments(message["content"])]
    for kind, most in (("image", limits.pictures), ("document", limits.documents)):
        own = [pk for of, pk in files if of == kind and pk not in out]
        out += dict.fromkeys(own[: max(0, len(own) - most)])
    return [pk for pk in out if pk in {pk for _, pk in files}]


def without(part: Block, out: Iterable[str]) -> Block:
    """The block, or a line in its place if it names one of these attachments."""
    kind, own = attachment(part)
    return text(LEFT_OUT[kind]) if own and own["id"] in out else part


def with_bytes(messages: list[Message], read: Read, *, citing: bool = False) -> list[Message]:
    """The messages with the bytes of the files that they name, PDFs with citations on if `citing`.

    Documents are numbered. What stands in a request is never a file's own name, in which instructions could hide.
    """
    documents = 0
    whole = []
    for message in messages:
        content = []
        for part in message["content"]:
            kind, own = attachment(part)
            documents += kind == "document"
            content.append(_whole(kind, part[kind], read(own["id"]), documents, citing) if own else part)
        whole.append(message | {"content": _with_text(content, message["content"])})
    return whole


def _whole(kind: str, part: Block, data: bytes | None, number: int, citing: bool) -> Block:
    if data is None:
        return text(LOST[kind])
    source = {"source": {"bytes": encode_base64(data)}}
    if kind == "image":
        return {kind: {"format": part["format"], **source}}
    cited = {"citations": {"enabled": True}} if citing and part["format"] == "pdf" else {}
    return {kind: {"format": part["format"], "name": f"Document {number}", **source, **cited}}


def _with_text(content: list[Block], before: list[Block]) -> list[Block]:
    """The content, with a text if it has documents and none."""
    has_documents = any(attachment(part)[0] == "document" for part in before)
    return (
        content
        if not has_documents or any("text" in part for part in content)
        else [
            *content,
            text(SEE_DOCUMENTS),
        ]
    )
