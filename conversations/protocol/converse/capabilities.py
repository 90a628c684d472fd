"""What models take, and how much: a table by the beginnings of their ids. None means: not known.

It follows the tables of Bedrock's user guide and of the makers. Facts that are not certain there are left out, and are tried.
"""

import re
from dataclasses import dataclass, replace
from typing import Any

_PROFILE = re.compile(r"^(arn:.*/)?((us|us-gov|eu|apac|global|jp|au|ca)\.)?")

MOST_TEMPERATURE = 1.0
"""Converse's own bound."""


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a model takes. None means that this is not known, and is tried."""

    context_window: int | None = None
    """Tokens of a request and its answer."""

    most_output_tokens: int | None = None
    takes_system: bool | None = None
    takes_tools: bool | None = None
    takes_tools_streaming: bool | None = None
    """Tools in a request whose answer is streamed."""

    takes_text_beside_tools: bool | None = None
    """Text in a message that holds a tool use or a result."""

    takes_pictures: bool | None = None
    takes_documents: bool | None = None
    takes_temperature: bool | None = None
    takes_top_p: bool | None = None
    takes_temperature_with_top_p: bool | None = None
    takes_stop_sequences: bool | None = None
    takes_cache_points: bool | None = None
    """Marks up to which it keeps what it has read. None are sent where this is not known."""

    takes_cache_point_after_tools: bool | None = None
    most_temperature: float | None = None
    """The highest temperature that it takes; None is Converse's own."""

    reasons: bool | None = None
    """Whether it takes a budget of reasoning, as Claude does (`thinking`)."""

    reasoning_budget: int | None = None
    """Tokens that it may think; None asks for no reasoning."""

    @property
    def highest_temperature(self) -> float:
        """The highest temperature that it takes."""
        return MOST_TEMPERATURE if self.most_temperature is None else self.most_temperature


UNKNOWN = Capabilities()


def family(model_id: str) -> str:
    """A model's id without an inference profile's region, also from its ARN."""
    return _PROFILE.sub("", model_id, count=1)


def capabilities_of(model_id: str) -> Capabilities:
    """The facts that a model's id or ARN tells, with or without an inference profile's region."""
    name = family(model_id)
    known = UNKNOWN
    for prefix in sorted(FAMILIES, key=len):
        if name.startswith(prefix):
            known = replace(known, **FAMILIES[prefix])
    return known


_TEXT: dict[str, Any] = {"takes_system": True, "takes_documents": True, "takes_pictures": False}
_TOOLS = {"takes_tools": True, "takes_tools_streaming": True}
_TOOLS_UNSTREAMED = {"takes_tools": True, "takes_tools_streaming": False, "takes_text_beside_tools": False}
_NO_TOOLS = {"takes_tools": False, "takes_tools_streaming": False}
_NO_SYSTEM = {"takes_system": False}
_PICTURES = {"takes_pictures": True}
_CLAUDE: dict[str, Any] = {
    **_TOOLS, **_PICTURES, "takes_system": True, "takes_documents": True, "takes_text_beside_tools": True,
    "context_window": 200_000,
}  # fmt: skip
_ONE_OF_TWO = {"takes_temperature_with_top_p": False}
_NO_SAMPLING = {"takes_temperature": False, "takes_top_p": False}
_REASONS = {"reasons": True}
_CACHES = {"takes_cache_points": True}

FAMILIES: dict[str, dict[str, Any]] = {
    "ai21.jamba-1-5": {**_TEXT, **_TOOLS, "context_window": 256_000},
    "ai21.jamba-instruct": {**_NO_TOOLS, "takes_system": True, "takes_pictures": False},
    "amazon.nova": {
        **_TOOLS, **_PICTURES, "takes_system": True, "takes_text_beside_tools": True,
        "takes_cache_point_after_tools": False,
    },
    "amazon.nova-lite": {**_CACHES, "takes_documents": True, "context_window": 300_000},
    "amazon.nova-micro": {**_CACHES, "takes_pictures": False, "context_window": 128_000},
    "amazon.nova-premier": {**_CACHES, "takes_documents": True, "context_window": 1_000_000},
    "amazon.nova-pro": {**_CACHES, "takes_documents": True, "context_window": 300_000},
    "amazon.nova-2": {**_CACHES, "context_window": 1_000_000},
    "amazon.titan-text": {**_TEXT, **_NO_TOOLS, **_NO_SYSTEM},
    "amazon.titan-text-express": {"context_window": 8_192, "most_output_tokens": 8_192},
    "amazon.titan-text-lite": {"context_window": 4_096, "most_output_tokens": 4_096},
    "amazon.titan-text-premier": {"context_window": 32_000, "most_output_tokens": 3_072},
    "anthropic.claude": {**_CLAUDE},
    "anthropic.claude-instant": {**_NO_TOOLS, "takes_pictures": False, "most_output_tokens": 4_096},
    "anthropic.claude-v2": {**_NO_TOOLS, "takes_pictures": False, "most_output_tokens": 4_096},
    "anthropic.claude-3": {"reasons": False, "most_output_tokens": 4_096},
    "anthropic.claude-3-5": {"most_output_tokens": 8_192},
    "anthropic.claude-3-5-haiku": {**_CACHES, "takes_pictures": None},
    "anthropic.claude-3-7": {**_CACHES, **_REASONS, "most_output_tokens": 64_000},
    "anthropic.claude-haiku": {**_CACHES, **_REASONS, **_ONE_OF_TWO, "most_output_tokens": 64_000},
    "anthropic.claude-haiku-5": {**_NO_SAMPLING},
    "anthropic.claude-opus": {**_CACHES, **_REASONS, "most_output_tokens": 32_000},
    "anthropic.claude-opus-4-1": {**_ONE_OF_TWO},
    "anthropic.claude-opus-4-5": {**_ONE_OF_TWO, "most_output_tokens": 64_000},
    "anthropic.claude-opus-4-6": {**_ONE_OF_TWO, "most_output_tokens": 64_000},
    "anthropic.claude-opus-4-7": {**_NO_SAMPLING, "most_output_tokens": 64_000},
    "anthropic.claude-opus-5": {**_NO_SAMPLING, "most_output_tokens": 64_000},
    "anthropic.claude-sonnet": {**_CACHES, **_REASONS, "most_output_tokens": 64_000},
    "anthropic.claude-sonnet-4-5": {**_ONE_OF_TWO},
    "anthropic.claude-sonnet-4-6": {**_ONE_OF_TWO},
    "anthropic.claude-sonnet-5": {**_NO_SAMPLING},
    "cohere.command-text": {**_NO_TOOLS, **_NO_SYSTEM, "context_window": 4_096},
    "cohere.command-light": {**_NO_TOOLS, **_NO_SYSTEM, "context_window": 4_096},
    "cohere.command-r": {**_TOOLS, "takes_system": True, "takes_documents": True, "context_window": 128_000},
    "deepseek.r1": {**_TEXT, **_NO_TOOLS, "context_window": 128_000},
    "deepseek.v3": {**_TOOLS, "takes_system": True, "takes_pictures": False},
    "meta.llama2": {**_TEXT, **_NO_TOOLS, "context_window": 4_096},
    "meta.llama3": {**_TEXT, "takes_text_beside_tools": False},
    "meta.llama3-8b": {**_NO_TOOLS, "context_window": 8_192},
    "meta.llama3-70b": {**_NO_TOOLS, "context_window": 8_192},
    "meta.llama3-1": {**_TOOLS_UNSTREAMED, "context_window": 128_000},
    "meta.llama3-2": {**_TOOLS_UNSTREAMED, **_PICTURES, "context_window": 128_000},
    "meta.llama3-2-1b": {**_NO_TOOLS, "takes_pictures": False},
    "meta.llama3-2-3b": {**_NO_TOOLS, "takes_pictures": False},
    "meta.llama3-3": {**_TOOLS_UNSTREAMED, "context_window": 128_000},
    "meta.llama4": {**_TEXT, **_TOOLS_UNSTREAMED, **_PICTURES},
    "mistral.mistral-7b": {**_TEXT, **_NO_TOOLS, **_NO_SYSTEM, "context_window": 32_000},
    "mistral.mixtral-8x7b": {**_TEXT, **_NO_TOOLS, **_NO_SYSTEM, "context_window": 32_000},
    "mistral.mistral-large": {**_TEXT, **_TOOLS_UNSTREAMED},
    "mistral.mistral-large-2402": {"context_window": 32_000},
    "mistral.mistral-large-2407": {"context_window": 128_000},
    "mistral.mistral-small": {**_TEXT, **_TOOLS_UNSTREAMED, "context_window": 32_000},
    "mistral.pixtral": {**_TEXT, **_TOOLS_UNSTREAMED, **_PICTURES, "context_window": 128_000},
    "openai.gpt-oss": {"takes_system": True, "takes_tools": True, "takes_pictures": False},
    "writer.palmyra": {**_TEXT, **_TOOLS_UNSTREAMED},
}  # fmt: skip
"""Facts by the beginning of an id without a region. A longer beginning adds to a shorter one's."""
