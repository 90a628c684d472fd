"""Answers that are no event stream: how the turn ends, its attempts, and the chat after it."""

import pytest

from tests.faults.scene import Scene, retries
from tests.gateway.wire import Answer, End, head

pytestmark = pytest.mark.django_db(transaction=True)

VALIDATION = {"x-amzn-ErrorType": "ValidationException"}
THROTTLING = {"x-amzn-ErrorType": "ThrottlingException"}
HTML = {"Content-Type": "text/html"}
SSE = {"Content-Type": "text/event-stream"}
CHUNKED = {"Transfer-Encoding": "chunked"}
CUT_BODY = head(400, CHUNKED) + b"17\r\nMalformed input request\r\n"

REFUSED: dict[str, tuple[Answer, str, str]] = {
    "400": (Answer.error(400, {"message": "Malformed input request"}, VALIDATION), "invalid_request", "Malformed input request"),
    "400 of an AI plugin": (Answer.error(400, {"error": {"message": "cannot use own model"}}), "invalid_request", "cannot use own model"),
    "400 that is cut": (Answer((CUT_BODY,), End.CLOSE), "invalid_request", "Malformed input request"),
    "401": (Answer.error(401, {"message": "No API key found in request"}), "gateway_refused", "No API key found"),
    "403": (Answer.error(403, {"message": "You cannot consume this service"}), "gateway_refused", "cannot consume"),
    "404": (Answer.error(404, {"message": "no Route matched with those values"}), "gateway_refused", "no Route matched"),
    "408": (Answer.error(408, {"message": "Model has timed out"}), "timeout", "timed out"),
    "413": (Answer.error(413, {"message": "Request size limit exceeded"}), "invalid_request", "size limit"),
    "424": (Answer.error(424, {"message": "The model returned an error"}), "stream_error", "returned an error"),
    "426": (Answer.error(426, {"message": "Please use HTTPS protocol"}), "invalid_request", "use HTTPS"),
    "302": (Answer.error(302, b"", {"Location": "/elsewhere"}), "gateway_failed", "GATEWAY_URL"),
    "307": (Answer.error(307, b"", {"Location": "/elsewhere"}), "gateway_failed", "GATEWAY_URL"),
    "an hour's wait": (Answer.error(429, {"message": "quota"}, {"Retry-After": "3600"}), "throttled", "to wait 60 minutes"),
}  # fmt: skip
TRIED_AGAIN: dict[str, tuple[Answer, str, str]] = {
    "429 of Kong": (Answer.error(429, {"message": "API rate limit exceeded"}), "throttled", "rate limit"),
    "429 of AWS": (Answer.error(429, {"message": "Too many tokens"}, THROTTLING), "throttled", "Too many tokens"),
    "throttling under 400": (Answer.error(400, {"message": "Rate exceeded"}, THROTTLING), "throttled", "Rate exceeded"),
    "500": (Answer.error(500, {"message": "An unexpected error occurred"}), "gateway_failed", "unexpected"),
    "500 that is cut": (Answer((head(500, CHUNKED),), End.CLOSE), "gateway_failed", "HTTP 500"),
    "502": (Answer.error(502, b"<html><title>Bad Gateway</title></html>", HTML), "gateway_failed", "Bad Gateway"),
    "503": (Answer.error(503, {"message": "name resolution failed"}), "gateway_failed", "name resolution"),
    "504": (Answer.error(504, {"message": "The upstream server is timing out"}), "gateway_failed", "timing out"),
    "JSON under 200": (Answer.error(200, {"error": {"message": "wrong route"}}), "gateway_failed", "wrong route"),
    "SSE under 200": (Answer.stream(b'data: {"choices": []}\n\n', headers=SSE), "gateway_failed", "choices"),
    "empty 200": (Answer.error(200), "gateway_failed", "no event stream"),
    "204": (Answer((head(204, {}),)), "gateway_failed", "no event stream"),
}  # fmt: skip


@pytest.mark.parametrize(("answer", "code", "sentence"), REFUSED.values(), ids=REFUSED.keys())
def test_what_another_attempt_cannot_mend_is_tried_once(
    scene: Scene, answer: Answer, code: str, sentence: str
) -> None:
    turn = scene.ask(answer)
    assert sentence in scene.check_failed(turn, code)["message"]
    assert (scene.calls(), retries(scene.events())) == (1, [])
    scene.check_alive()


@pytest.mark.parametrize(("answer", "code", "sentence"), TRIED_AGAIN.values(), ids=TRIED_AGAIN.keys())
def test_what_may_pass_is_tried_again_until_the_attempts_are_used_up(
    scene: Scene, answer: Answer, code: str, sentence: str
) -> None:
    turn = scene.ask(answer)
    assert sentence in scene.check_failed(turn, code)["message"]
    assert scene.calls() == 2
    assert [retry["attempt"] for retry in retries(scene.events())] == [2]
    scene.check_alive()


OVERFLOWS = [
    "Input is too long for requested model.",
    "prompt is too long: 903884 tokens > 200000 maximum",
    "input length and `max_tokens` exceed context limit: 190000 + 20000 > 200000",
    "too many total text bytes: 26 MB",
    "This model's maximum context length is 131072 tokens.",
    "The model returned the following errors: Input Tokens Exceeded",
]


@pytest.mark.parametrize("words", OVERFLOWS)
def test_a_conversation_too_long_for_the_model_is_told_as_such(scene: Scene, words: str) -> None:
    turn = scene.ask(Answer.error(400, {"message": words}, VALIDATION))
    message = scene.check_failed(turn, "context_overflow")["message"]
    assert message.startswith("The conversation is too long for this model. Start a new one")
    assert scene.calls() == 1
    scene.check_alive()
