"""The ways in which a gateway and Bedrock fail, and the phrases that begin with `fail`."""

from collections.abc import Mapping
from dataclasses import replace
from functools import cache

from conversations.demo_gateway import shapes
from conversations.demo_gateway.reply import Answer, Ending, Failure, Reply, say
from conversations.demo_gateway.texts import paragraphs
from conversations.upstream import Refused

TOO_MANY = "Too many requests, please wait before trying again."
TOO_LONG = "Input is too long for requested model."
BAD_SEQUENCE = "Model produced invalid sequence as part of ToolUse. Please refer to the model tool use troubleshooting guide."
BUSY = "The service is busy. Try your request again."
INTERNAL = "The system encountered an unexpected error during processing. Try your request again."


@cache
def _statuses() -> dict[str, int]:
    return {shape.name: shape.metadata["error"]["httpStatusCode"] for shape in shapes.service().error_shapes}


def bedrock(kind: str, message: str) -> Failure:
    """An error that Bedrock itself answers, as it comes through the gateway."""
    kind = kind[:1].upper() + kind[1:]
    headers = {"x-amzn-ErrorType": f"{kind}:http://internal.amazon.com/coral/com.amazon.bedrock/"}
    return Failure(_statuses().get(kind, 500), {"message": message}, headers)


def invalid(message: str) -> Failure:
    """Bedrock's refusal of a request."""
    return bedrock("ValidationException", message)


def kong(status: int, message: str, headers: Mapping[str, str] | None = None) -> Failure:
    """An error of the gateway's own."""
    return Failure(status, {"message": message}, headers or {})


def plugin(message: str) -> Failure:
    """An error of one of the gateway's AI plugins."""
    return Failure(400, {"error": {"message": message}})


def from_upstream(refused: Refused) -> Failure:
    """An upstream's refusal as the gateway answers it: a wrong request as Bedrock, the rest as Kong."""
    if refused.status in (400, 422):
        return invalid(refused.message)
    return kong(refused.status, refused.message, refused.headers)


def unstreamed(reply: Reply) -> Answer:
    """What `/converse`, which has no stream to fail in, answers instead of a failing one."""
    match reply.ending:
        case "whole":
            return reply
        case "exception" | "error":
            return bedrock(*reply.error)
    return Failure(0, instead="silence" if reply.ending == "silent" else "close")


def _breaks(ending: Ending, name: str = "", message: str = "") -> Reply:
    return replace(say(paragraphs(3)), ending=ending, error=(name, message))


def _raises(name: str, message: str, early: bool = False) -> Reply:
    reply = _breaks("exception", f"{name}Exception", message)
    return replace(reply, blocks=()) if early else reply


BAD_JSON = plugin("content-type header does not match request body, or bad JSON formatting")
NO_ROUTE = kong(404, "no Route matched with those values")
UNAVAILABLE = bedrock("ServiceUnavailableException", BUSY)
PAGE = Failure(200, b"<title>Sign in</title><h1>Please sign in</h1>", {"Content-Type": "text/html"})
LIMITED = {"Retry-After": "1", "RateLimit-Limit": "60", "RateLimit-Remaining": "0", "RateLimit-Reset": "1"}

ROWS: tuple[tuple[str, str, Answer], ...] = (
    ("fail once", "503 the first time, an answer the second", UNAVAILABLE),
    ("fail throttled", "429 of Bedrock", bedrock("ThrottlingException", TOO_MANY)),
    ("fail rate limit", "429 of the gateway", kong(429, "API rate limit exceeded", LIMITED)),
    ("fail refused", "403 of the gateway", kong(403, "You cannot consume this service")),
    ("fail key", "401 of the gateway", kong(401, "No API key found in request")),
    ("fail gateway", "502 of the gateway", kong(502, "An invalid response was received from the upstream server")),
    ("fail unavailable", "503 of Bedrock", UNAVAILABLE),
    ("fail plugin", "400 of an AI plugin", BAD_JSON),
    ("fail invalid", "400 of Bedrock", invalid("Malformed input request, please reformat your input and try again.")),
    ("fail blocked", "400 of a guard against what the message says", plugin("prompt blocked: it matches a pattern that is denied")),
    ("fail overflow", "the conversation is too long", invalid(TOO_LONG)),
    ("fail page", "an HTML page instead of a stream", PAGE),
    ("fail empty", "200 and nothing", Failure(200)),
    ("fail timeout", "silence before the answer", Failure(0, instead="silence")),
    ("fail unreachable", "the connection is closed unanswered", Failure(0, instead="close")),
    ("fail silent", "silence in the middle of the text", _breaks("silent")),
    ("fail cut", "a clean end in the middle of the text", _breaks("cut")),
    ("fail dropped", "the connection is lost in the middle of the text", _breaks("dropped")),
    ("fail half a frame", "a clean end in the middle of a frame", _breaks("half")),
    ("fail checksum", "a frame with a wrong checksum", _breaks("checksum")),
    ("fail stream", "an exception in the text", _raises("modelStreamError", BAD_SEQUENCE)),
    ("fail throttled in stream", "an exception as the first event", _raises("throttling", TOO_MANY, early=True)),
    ("fail overflow in stream", "a refusal after 200", _raises("validation", TOO_LONG, early=True)),
    ("fail unavailable in stream", "503 after 200", _raises("serviceUnavailable", BUSY)),
    ("fail internal in stream", "500 after 200", _raises("internalServer", INTERNAL)),
    ("fail error in stream", "an error frame", _breaks("error", "InternalError", INTERNAL)),
)  # fmt: skip
