"""The sentences about a turn, in one table, which the page's script gets as JSON."""

from dataclasses import dataclass
from typing import Any

from conversations.protocol.text import visible

QUIET = ("", "end_turn", "stop_sequence", "tool_use")
"""Stop reasons of an ordinary end, which need no sentence."""

SENTENCES: dict[str, dict[str, str]] = {
    # https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ConverseStream.html: the values of stopReason
    "stopReason": {
        **dict.fromkeys(QUIET, ""),
        "max_tokens": "The answer was cut: it reached the limit on its length.",
        "model_context_window_exceeded": "The answer was cut: the conversation fills the model's context window.",
        "guardrail_intervened": "A guardrail stepped in. The model will not see this question and answer again.",
        "content_filtered": "A content filter stepped in and ended the answer.",
        "malformed_model_output": "What the model wrote could not be read. It may do better when asked again.",
        "malformed_tool_use": "The model's tool call could not be read. It may do better when asked again.",
    },
    "turn": {
        "stopped": "Stopped.",
        "waiting": "Waiting for an approval.",
        "nothing": "The model answered with nothing.",
        "damaged": "Some of the answer arrived damaged; what was lost of a text stands as \N{REPLACEMENT CHARACTER}.",
        "unknown": "The model stopped for a reason that is not known here: REASON.",
    },
    # by the error's code; "" for any other
    "retrying": {
        "": "The gateway did not answer.",
        "throttled": "The gateway is busy.",
        "gateway_unreachable": "The gateway cannot be reached.",
        "gateway_failed": "The gateway failed.",
        "timeout": "The gateway sent nothing.",
        "stream_cut": "The answer broke off.",
        "stream_error": "The model failed.",
    },
    # which side failed, by the code; the message says what to do about it
    "failed": {
        "": "Failed",
        "throttled": "Gateway",
        "gateway_unreachable": "Connection to the gateway",
        "gateway_refused": "Gateway",
        "gateway_failed": "Gateway",
        "invalid_request": "Gateway",
        "context_overflow": "Model",
        "timeout": "Gateway",
        "stream_cut": "Connection to the gateway",
        "stream_error": "Model",
        "round_limit": "Limit of this server",
        "max_tokens": "Limit of this server",
        "interrupted": "This server",
        "internal": "This server",
    },
    # what a reader is told to quote
    "quote": {"request": "Gateway's request", "turn": "Turn"},
}


@dataclass(frozen=True)
class Failure:
    """A turn's failure: which side failed, the message's first sentence and its rest, the id to quote."""

    side: str
    what: str
    rest: str
    label: str
    id: str


def failure(turn: dict[str, Any]) -> Failure | None:
    """A turn's failure, or None. Its id to quote is the gateway's if there is one, else the turn's."""
    error = turn["error"]
    if not error:
        return None
    sides, quote, request = SENTENCES["failed"], SENTENCES["quote"], error.get("requestId")
    what, stop, rest = visible(error["message"]).partition(". ")
    label = quote["request" if request else "turn"]
    side = sides.get(error["code"] or "", sides[""])
    return Failure(
        side, what + stop.strip(), f" {rest}" if rest else "", label, visible(request or turn["id"])
    )


def notice(turn: dict[str, Any], *, has_answer: bool) -> str:
    """Quiet sentences about a turn's end and about damage, or "".

    `has_answer` says that the turn ends with text.
    """
    is_damaged = any(round_.get("damaged") for round_ in turn.get("rounds", ()))
    return " ".join(
        filter(None, [_ending(turn, has_answer), SENTENCES["turn"]["damaged"] if is_damaged else ""])
    )


def _ending(turn: dict[str, Any], has_answer: bool) -> str:
    words, status = SENTENCES["turn"], turn["status"]
    if status in ("stopped", "waiting"):
        return words[status]
    if status in ("queued", "running"):
        return ""
    reason = turn["stopReason"] or ""
    unknown = words["unknown"].replace("REASON", visible(reason))
    nothing = "" if has_answer or status != "completed" else words["nothing"]
    return SENTENCES["stopReason"].get(reason, unknown) or nothing
