"""Content blocks in Converse's shape."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversations.protocol.converse import content
from tests.protocol.messages import SERVED, use

CITED = {"citationsContent": {"content": [{"text": "It says "}, {"text": "so."}], "citations": []}}


def test_the_plain_text_of_a_message_is_all_that_its_text_and_citations_say() -> None:
    blocks = [content.text("Well. "), use(), CITED, {"citationsContent": {"citations": []}}, content.text("")]
    assert content.plain_text(blocks) == "Well. It says so."


@pytest.mark.parametrize(("text", "is_blank"), [("", True), (" \n", True), ("x", False)])
def test_text_of_white_space_is_blank(text: str, is_blank: bool) -> None:
    assert content.is_blank(content.text(text)) is is_blank


def test_a_block_without_text_is_not_blank() -> None:
    assert not content.is_blank(use())


@pytest.mark.parametrize(("block", "is_ours"), [(use(), True), (use(type="tool_use"), True), (SERVED, False)])
def test_calls_are_ours_to_run_unless_the_service_ran_them(block: content.Block, is_ours: bool) -> None:
    assert content.is_client_tool_use(block) is is_ours


@given(st.binary())
def test_bytes_survive_as_base64(data: bytes) -> None:
    assert content.decode_base64(content.encode_base64(data)) == data
    assert content.encode_base64(data) == base64.b64encode(data).decode()


@pytest.mark.parametrize("value", ["?", "abc", "é", None, 7, {}])
def test_what_is_no_base64_has_no_bytes(value: object) -> None:
    assert content.decode_base64(value) is None
