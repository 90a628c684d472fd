"""A refused request -> the remedy to ask it again with, and the request with its remedies.

A remedy is a kind and a value. A round's remedies are stored with it, so that the very bytes of its request can be made again; some also
hold for the rounds that follow. Applying a remedy twice changes nothing.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from .adjustments import last_question, with_change
from .capabilities import Capabilities
from .content import Message
from .refusals import OWN_CONTENT, Refusal
from .request import Body

MOST = 2
"""Remedies that are tried in a round."""

SMALLEST_ANSWER = 256
"""Tokens: a conversation that leaves fewer for the answer is too long."""

ORDER = (
    "attachments", "unanswered", "results", "reasoning", "pictures", "documents", "numbers", "status", "split", "tools", "system",
    "sampling", "max_tokens", "room", "cache",
)  # fmt: skip
"""The kinds, in the order in which they are applied."""

NEEDS = {
    "tools": ("takes_tools", "takes_tools_streaming"),
    "system": ("takes_system",),
    "split": ("takes_text_beside_tools",),
    "pictures": ("takes_pictures",),
    "documents": ("takes_documents",),
}
"""The kinds of remedies for a model that lacks one of these capabilities."""

SETTINGS = {
    "temperature": "takes_temperature",
    "topP": "takes_top_p",
    "stopSequences": "takes_stop_sequences",
}

"""The capability that each setting needs."""

OF_THE_CONVERSATION = frozenset({"unanswered", "results", "reasoning", "numbers"})
"""Kinds that the conversation's content makes necessary; the others are due to the model."""

CHANGES = {
    "attachments": "without files that are left out",
    "unanswered": "without earlier messages that were never answered",
    "results": "without results of tool calls",
    "reasoning": "without the reasoning of earlier turns",
    "pictures": "without pictures, which this model does not take",
    "documents": "without documents, which this model does not take",
    "numbers": "with whole numbers beyond 64 bits as text",
    "status": "without the status of tool results, which this model does not take",
    "split": "with text and tool calls in messages of their own",
    "tools": "without tools: this model takes none",
    "system": "with the instructions in the first message: this model takes no system prompt",
    "sampling": "without {}, which this model does not take",
    "max_tokens": "for at most {} tokens, this model's limit",
    "room": "for at most {} tokens: the conversation leaves no room for more",
}
CACHE = {
    "all": "with cache points",
    "untooled": "with cache points, but none after the tools",
    "none": "without cache points, which this model does not take",
}
REFUSED = "refused"
"""The value of a remedy for a bad picture or document, if the model takes others."""


class Remedy(NamedTuple):
    """A change to a request: its kind, a value in JSON, and the words of the refusal, if there was one."""

    kind: str
    value: Any
    why: str = ""

    @property
    def change(self) -> str:
        """The change, as the end of a sentence."""
        match self.kind, self.value:
            case "cache", points:
                return CACHE[points]
            case "reasoning", "all":
                return "without reasoning"
            case kind, "refused":
                return f"without {kind}, as one was refused"
            case "sampling", names:
                return CHANGES["sampling"].format(" and ".join(names))
            case (("max_tokens" | "room"), number):
                return CHANGES[self.kind].format(f"{number:,}")
            case _:
                return CHANGES[self.kind]

    @property
    def what(self) -> str:
        """A sentence for a person."""
        return f"Asked {'again ' if self.why else ''}{self.change}."


Remedies = tuple[Remedy, ...]

SAMPLE = [{"role": "user", "content": [{"toolResult": {"toolUseId": "1", "content": []}}]}]
"""Messages that every kind of remedy can be applied to."""


def as_json(remedies: Iterable[Remedy]) -> list[dict[str, Any]]:
    """The remedies as the JSON of a round's row."""
    return [remedy._asdict() for remedy in remedies]


def from_json(values: Iterable[Mapping[str, Any]]) -> Remedies:
    """The remedies of a round's row."""
    return tuple(Remedy(**value) for value in values)


def are_sound(values: Iterable[Mapping[str, Any]]) -> bool:
    """Whether JSON from elsewhere holds remedies that can be applied."""
    try:
        adjusted({"messages": SAMPLE, "inferenceConfig": {"maxTokens": 1}}, from_json(values))
    except (TypeError, ValueError):
        return False
    return True


def combined(remedies: Remedies, remedy: Remedy) -> Remedies:
    """The remedies with one more, which replaces an earlier one of its kind and takes over its list."""
    earlier = next((other for other in remedies if other.kind == remedy.kind), None)
    if earlier and isinstance(remedy.value, list):
        remedy = remedy._replace(
            value=[*earlier.value, *(new for new in remedy.value if new not in earlier.value)]
        )
    return (*(other for other in remedies if other.kind != remedy.kind), remedy)


def carried(remedies: Remedies, *, is_same_model: bool) -> Remedies:
    """The remedies of a round that the next turn on its branch begins with."""
    return tuple(
        remedy
        for remedy in remedies
        if remedy.kind in OF_THE_CONVERSATION
        or (is_same_model and (remedy.kind == "status" or remedy.value == REFUSED))
    )


def within_turn(remedies: Remedies) -> Remedies:
    """The remedies that the turn's next round begins with: `room` holds for one request alone."""
    return tuple(remedy for remedy in remedies if remedy.kind != "room")


def for_model(capabilities: Capabilities, body: Body) -> Remedies:
    """The remedies that a request needs by what is known of its model."""
    settings = body["inferenceConfig"]
    refused = [
        name for name in SETTINGS if name in settings and not _is_taken(capabilities, name, settings[name])
    ]
    if (
        capabilities.takes_temperature_with_top_p is False
        and not refused
        and {"temperature", "topP"} <= settings.keys()
    ):
        refused = ["topP"]
    needs: list[tuple[str, Any]] = [
        (kind, True)
        for kind, facts in NEEDS.items()
        if any(getattr(capabilities, fact) is False for fact in facts)
    ]
    needs += [("sampling", refused)]
    needs += [("max_tokens", capabilities.most_output_tokens)] if capabilities.most_output_tokens else []
    needs += [("cache", _cache_points(capabilities))] if capabilities.takes_cache_points else []
    return tuple(Remedy(kind, value) for kind, value in needs if with_change(body, kind, value) != body)


def _cache_points(capabilities: Capabilities) -> str:
    """The value of the `cache` remedy for a model that takes cache points."""
    return "untooled" if capabilities.takes_cache_point_after_tools is False else "all"


def _is_taken(capabilities: Capabilities, name: str, value: Any) -> bool:
    """Whether nothing is known that speaks against sending the model this setting."""
    is_over = (
        name == "temperature" and isinstance(value, int | float) and value > capabilities.highest_temperature
    )
    return getattr(capabilities, SETTINGS[name]) is not False and not is_over


def capability_facts(refusal: Refusal, remedy: Remedy) -> dict[str, Any]:
    """The capabilities that a remedy has shown by helping."""
    match remedy.kind:
        case "max_tokens":
            return {"most_output_tokens": remedy.value}
        case "sampling":
            return _settings_facts(refusal, remedy)
        case "tools":
            return {"takes_tools_streaming" if "stream" in remedy.why else "takes_tools": False}
        case "cache":
            fact = "takes_cache_points" if remedy.value == "none" else "takes_cache_point_after_tools"
            return {fact: False}
        case kind if kind in NEEDS and remedy.value is True:
            return {NEEDS[kind][0]: False}
        case _:
            return {}


def _settings_facts(refusal: Refusal, remedy: Remedy) -> dict[str, Any]:
    if "both" in remedy.why:
        return {"takes_temperature_with_top_p": False}
    return {SETTINGS[name]: False for name in remedy.value if refusal.is_permanent and name in SETTINGS}


def remedy(refusal: Refusal, body: Body, *, why: str = "", has_gone_well: bool = False) -> Remedy | None:
    """The remedy for a refused request, None where there is none.

    `has_gone_well` says that the model took an earlier request of the conversation, so that a refusal without a known cause is due to what
    is new in this one. A remedy that changes nothing, as it was tried before, does not count.
    """
    for kind, value in _candidates(refusal, body, has_gone_well=has_gone_well):
        if with_change(body, kind, value) != body:
            return Remedy(kind, value, why)
    return None


def adjusted(body: Body, remedies: Iterable[Remedy]) -> Body:
    """The request with its remedies."""
    for remedy in sorted(remedies, key=lambda remedy: ORDER.index(remedy.kind)):
        body = with_change(body, remedy.kind, remedy.value)
    return body


def is_left_out(refusal: Refusal, *, has_gone_well: bool, is_adjusted: bool) -> bool:
    """Whether a turn without an answer stays out of later requests, because its own content was refused.

    Another cause speaks against it if a remedy for it changed the request, `setup` always.
    """
    if refusal.cause in OWN_CONTENT:
        return True
    is_named = refusal.cause == "setup" or (refusal.cause != "" and is_adjusted)
    return has_gone_well and not is_named


# -- which remedy


def _candidates(refusal: Refusal, body: Body, *, has_gone_well: bool) -> Iterator[tuple[str, Any]]:
    """The remedies to try for a refusal, the smallest change first."""
    yield from _for_cause(refusal, body)
    if refusal.cause not in OWN_CONTENT | {"setup"}:
        yield from _for_any_cause(body, has_gone_well=has_gone_well)


def _for_cause(refusal: Refusal, body: Body) -> Iterator[tuple[str, Any]]:
    match refusal.cause:
        case "max_tokens":
            yield "max_tokens", _fewer(refusal.number, body)
        case "room" if refusal.number is not None and refusal.number >= SMALLEST_ANSWER:
            yield "room", refusal.number
        case "sampling":
            yield "sampling", [name for name in refusal.names if name in body["inferenceConfig"]]
        case "reasoning" | "cache":
            yield from _in_steps(refusal)
        case "pictures" | "documents":
            yield refusal.cause, True if refusal.is_permanent else REFUSED
        case "numbers" | "status" | "split" | "tools" | "system":
            yield refusal.cause, True
        case "content" | "overflow" | "size" | "room":
            yield from _without_results(body)


def _in_steps(refusal: Refusal) -> Iterator[tuple[str, Any]]:
    """Two remedies: the first leaves out a part, the second all of it."""
    if refusal.cause == "reasoning":
        yield "reasoning", "finished"
        yield "reasoning", "all"
    else:
        yield from [("cache", "untooled")] if refusal.names else []
        yield "cache", "none"


def _for_any_cause(body: Body, *, has_gone_well: bool) -> Iterator[tuple[str, Any]]:
    """The remedies for a refusal without a known cause, or whose cause the request does not have."""
    yield "numbers", True
    if has_gone_well:
        yield from _without_results(body)
    yield "unanswered", True


def _fewer(limit: int | None, body: Body) -> int:
    """The most tokens to ask for: the limit that the refusal names, or else half as many as before."""
    most: int = body["inferenceConfig"]["maxTokens"]
    return limit if limit and limit < most else max(1, most // 2)


def _without_results(body: Body) -> Iterator[tuple[str, Any]]:
    """Two remedies: without the newest results of the turn, then without all of its results."""
    messages = body["messages"]
    if newest := _result_ids(messages[-1:]):
        yield "results", newest
        yield "results", _result_ids(messages[last_question(messages) :])


def _result_ids(messages: Iterable[Message]) -> list[str]:
    return [
        block["toolResult"]["toolUseId"]
        for message in messages
        for block in message["content"]
        if message["role"] == "user" and "toolResult" in block
    ]
