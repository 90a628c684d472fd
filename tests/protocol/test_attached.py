"""Files that a message names: their limits, and their bytes in a request."""

from typing import Any

import pytest

from conversations.protocol.agui.events import user_message
from conversations.protocol.agui.snapshot import Snapshot
from conversations.protocol.converse import attached, remedies
from conversations.protocol.converse.attached import Limits
from conversations.protocol.converse.capabilities import UNKNOWN, Capabilities
from conversations.protocol.converse.content import Block, text

LIMITS = Limits(pictures=1, documents=1)


def named(pk: str, kind: str = "document", format_: str = "pdf", size: int = 3) -> Block:
    return attached.block(
        {"id": pk, "name": f"{pk}.{format_}", "kind": kind, "format": format_, "size": size}
    )


def facts(kind: str = "document", format_: str = "pdf", size: int = 3) -> dict[str, Any]:
    return {"name": "file", "kind": kind, "format": format_, "size": size}


def user(*blocks: Block) -> dict[str, Any]:
    return {"role": "user", "content": list(blocks)}


def test_a_block_tells_the_facts_that_it_was_made_of() -> None:
    content = [named("p", "image", "png"), text("hello"), named("d")]
    assert attached.facts(content) == [
        {"id": "p", "name": "p.png", "kind": "image", "format": "png", "size": 3},
        {"id": "d", "name": "d.pdf", "kind": "document", "format": "pdf", "size": 3},
    ]
    assert attached.ids([user(*content)]) == ["p", "d"]


@pytest.mark.parametrize(
    "block", [text("x"), {"image": {"source": {"bytes": ""}}}, {"image": {}}, {"document": {"source": "x"}}]
)
def test_any_other_block_names_no_file(block: Block) -> None:
    assert attached.facts([block]) == []
    assert attached.without(block, ["p"]) == block


def test_limits_are_the_strictest_unless_the_family_is_known() -> None:
    assert attached.limits_of("who.knows") == attached.STRICTEST
    claude = attached.limits_of("eu.anthropic.claude-sonnet-4-5-20250929-v1:0")
    assert claude.pdf_bytes > claude.document_bytes == attached.STRICTEST.document_bytes


@pytest.mark.parametrize(
    ("files", "capabilities", "words"),
    [
        ([facts()], UNKNOWN, ""),
        ([facts("image", "png", 10**9)], UNKNOWN, ""),
        ([facts(size=4_718_593)], UNKNOWN, "M takes documents of 4.5 MB at most."),
        ([facts("image")], Capabilities(takes_pictures=False), "M takes no pictures."),
        ([facts()], Capabilities(takes_documents=False), "M takes no documents."),
        ([facts("image")] * 2, UNKNOWN, "M takes 1 pictures at most."),
        ([facts()] * 2, UNKNOWN, "M takes 1 documents at most."),
    ],
)
def test_what_a_model_does_not_take_is_a_sentence(
    files: list[dict[str, Any]], capabilities: Capabilities, words: str
) -> None:
    problem = attached.problem(files, attached.rules("M", LIMITS, capabilities))
    assert problem.startswith(words)
    assert bool(problem) == bool(words)


def test_the_oldest_of_too_many_stay_out() -> None:
    messages = [user(named("a"), named("p", "image")), user(named("b")), user(named("c"))]
    assert attached.excess(messages, LIMITS) == ["a", "b"]
    assert attached.excess(messages, LIMITS, ["c", "gone"]) == ["c", "a"]
    assert attached.excess([], LIMITS) == []


def test_a_request_has_the_bytes_and_numbers_the_documents() -> None:
    messages = [user(named("a"), named("p", "image", "png"), text("x")), user(named("b", format_="txt"))]
    whole = attached.with_bytes(messages, {"a": b"A", "p": b"P", "b": b"B"}.get, with_citations=True)
    assert whole == [
        user(
            {"document": {"format": "pdf", "name": "Document 1", "source": {"bytes": "QQ=="}, "citations": {"enabled": True}}},
            {"image": {"format": "png", "source": {"bytes": "UA=="}}},
            text("x"),
        ),
        user(
            {"document": {"format": "txt", "name": "Document 2", "source": {"bytes": "Qg=="}}},
            text(attached.SEE_DOCUMENTS),
        ),
    ]  # fmt: skip


def test_a_file_that_is_lost_has_a_line_in_its_place() -> None:
    whole = attached.with_bytes([user(named("p", "image"), text("x"))], lambda _: None)
    assert whole == [user(text("(A picture, which is lost.)"), text("x"))]


def test_a_file_that_is_left_out_has_a_line_in_its_place() -> None:
    body = {"messages": [user(named("a"), named("b"), text("x"))]}
    left_out = remedies.adjusted(body, [remedies.Remedy("attachments", ["a"])])
    assert left_out["messages"][0]["content"] == [text(attached.LEFT_OUT["document"]), named("b"), text("x")]


@pytest.mark.parametrize(
    ("model", "is_needed"),
    [("us.anthropic.claude-opus-4-1-20250805-v1:0", True), ("anthropic.claude-3-haiku-20240307-v1:0", False), ("m", False)],
)  # fmt: skip
def test_citations_are_for_models_that_see_pages_only_with_them(model: str, is_needed: bool) -> None:
    assert attached.needs_citations(model) is is_needed


def test_a_users_message_tells_of_its_files() -> None:
    files = attached.facts([named("a")])
    snapshot = Snapshot("t").apply(user_message("m", "", files)).as_list()
    assert (snapshot[0]["content"], snapshot[0]["metadata"]["attachments"]) == ("", files)
