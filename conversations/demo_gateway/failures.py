"""The ways a gateway and Bedrock fail, with the bodies and headers that each of them sends."""

import json
from collections.abc import Mapping

from conversations.demo_gateway.reply import Ending, Failure

CORAL = "http://internal.amazon.com/coral/com.amazon.bedrock/"
TOO_MANY = "Too many requests, please wait before trying again."
TOO_LONG = "Input is too long for requested model."
BAD_SEQUENCE = "Model produced invalid sequence as part of ToolUse. Please refer to the model tool use troubleshooting guide."
BAD_UPSTREAM = "An invalid response was received from the upstream server"
BLOCKED = "prompt blocked: it matches a pattern that is denied"
BUSY = "The service is busy. Try your request again."
INTERNAL = "The system encountered an unexpected error during processing. Try your request again."
MALFORMED = "Malformed input request, please reformat your input and try again."
UNKNOWN_MODEL = "The provided model identifier is invalid."
BAD_JSON = "content-type header does not match request body, or bad JSON formatting"
NO_ROUTE = "no Route matched with those values"
HTTP_STATUS = {
    "throttlingException": 429,
    "validationException": 400,
    "modelStreamErrorException": 424,
    "serviceUnavailableException": 503,
}
PLUGIN = Failure(400, {"error": {"message": BAD_JSON}})
"""An error of one of the gateway's AI plugins."""
PAGE = Failure(200, b"<title>Sign in</title><h1>Please sign in</h1>", {"Content-Type": "text/html"})
"""An HTML page instead of a stream."""


def bedrock(status: int, kind: str, message: str) -> Failure:
    """An error that Bedrock itself answers, as it comes through the gateway."""
    return Failure(status, {"message": message}, {"x-amzn-ErrorType": f"{kind}:{CORAL}"})


def invalid(message: str) -> Failure:
    """Bedrock's refusal of a request."""
    return bedrock(400, "ValidationException", message)


def kong(status: int, message: str, headers: Mapping[str, str] | None = None) -> Failure:
    """An error of the gateway's own."""
    return Failure(status, {"message": message}, dict(headers or {}))


def whole(ending: Ending) -> Failure:
    """What `/converse`, which has no stream to fail in, does instead of an ending."""
    if ending.kind == "silent":
        return Failure(0, instead="silence")
    if ending.kind not in ("exception", "error"):
        return Failure(0, instead="close")
    kind = ending.name[:1].upper() + ending.name[1:]
    return bedrock(HTTP_STATUS.get(ending.name, 500), kind, ending.message)


def ours(failure: Failure) -> bool:
    """Whether the gateway answers this itself, without having asked Bedrock."""
    return "x-amzn-ErrorType" not in failure.headers


def written(failure: Failure, request_id: str) -> bytes:
    """The body as it is sent: Kong signs its own messages with the request's id."""
    body = failure.body
    if isinstance(body, bytes):
        return body
    signed = {**body, "request_id": request_id} if ours(failure) and "message" in body else body
    return json.dumps(signed).encode()
