"""What is known of a model by the beginning of its id."""

import pytest

from conversations.protocol.converse.capabilities import FAMILIES, Capabilities, capabilities_of

LLAMA = "meta.llama3-1-70b-instruct-v1:0"


@pytest.mark.parametrize(
    "model_id",
    [
        LLAMA,
        f"us.{LLAMA}",
        f"us-gov.{LLAMA}",
        f"global.{LLAMA}",
        f"arn:aws:bedrock:us-east-1::foundation-model/{LLAMA}",
        f"arn:aws:bedrock:eu-west-1:123456789012:inference-profile/eu.{LLAMA}",
    ],
)
def test_a_model_is_known_with_and_without_a_region_and_by_its_arn(model_id: str) -> None:
    known = capabilities_of(model_id)
    assert (known.takes_tools, known.takes_tools_streaming, known.takes_pictures) == (True, False, False)


@pytest.mark.parametrize(
    "model_id", ["", "llama", "my-alias", f"my.{LLAMA}", "arn:aws:bedrock:x:1:prompt/ABC:1", "us."]
)
def test_of_any_other_id_nothing_is_known(model_id: str) -> None:
    assert capabilities_of(model_id) == Capabilities()


def test_a_longer_beginning_adds_to_a_shorter_one() -> None:
    known = capabilities_of("anthropic.claude-3-5-sonnet-20240620-v1:0")
    assert (known.takes_tools, known.context_window, known.most_output_tokens) == (True, 200_000, 8_192)


def test_a_context_window_holds_more_than_an_answer() -> None:
    for prefix in FAMILIES:
        known = capabilities_of(prefix)
        if known.context_window and known.most_output_tokens:
            assert known.context_window >= known.most_output_tokens, prefix
