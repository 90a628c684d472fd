"""All errors, in one tree.

A class's docstring is the sentence that a person reads; its code is the contract's.

TurntableError
├── Refused                      a frame, command or file that is not taken
│   ├── Busy                     a run, while another is under way
│   ├── Throttled                a turn over a user's limits
│   └── NotTaken                 a file (conversations.attachments)
├── NotFound                     no such conversation, or somebody else's
├── ConfigurationError           a setting that cannot be used
├── TurnError                    ends a turn
│   ├── RoundLimit
│   ├── TokenLimit
│   ├── TurnInterrupted
│   └── InternalError
└── GatewayError                 a round that the gateway did not complete
    ├── GatewayThrottled         429, throttling in the stream
    ├── GatewayUnreachable       no connection
    ├── GatewayRefused           401, 403, 404
    ├── GatewayFailed            5xx, answers that are no event stream
    ├── InvalidRequest           any other 4xx
    │   └── ContentRefused       the message's own content
    ├── ContextOverflow          the conversation is too long for the model
    ├── GatewayTimeout           no byte in time
    ├── StreamCut                ended before messageStop
    └── StreamError              an exception in the stream
"""

from conversations.protocol.converse.refusals import Refusal


class TurntableError(Exception):
    """Something went wrong."""

    code = "internal"

    def __init__(self, detail: str = "") -> None:
        self.detail = detail
        super().__init__(detail)

    def __str__(self) -> str:
        """The sentence for a person, then the detail of the other side."""
        sentence = " ".join((type(self).__doc__ or "").split())
        detail = self.aside(" ".join(self.detail.split())[:500])
        return f"{sentence} ({detail})" if detail else sentence

    def aside(self, detail: str) -> str:
        """The detail as it is printed in brackets after the sentence."""
        return detail


class Refused(TurntableError):
    """This cannot be taken."""

    code = "invalid_request"

    def __str__(self) -> str:
        """The detail alone, if there is one: it is written for the person who sent it."""
        return self.detail or super().__str__()


class Busy(Refused):
    """A run is under way."""

    code = "busy"


class Throttled(Refused):
    """Too many turns at once. Wait for one to end, then send again."""

    code = "throttled"


class NotFound(TurntableError):
    """There is no such conversation."""

    code = "invalid_request"


class ConfigurationError(TurntableError):
    """The settings cannot work."""

    def __str__(self) -> str:
        """The detail alone: it names the setting and what it takes."""
        return self.detail


class TurnError(TurntableError):
    """The turn could not go on."""


class RoundLimit(TurnError):
    """The model kept asking for tools until the limit of rounds. It can continue from here."""

    code = "round_limit"


class TokenLimit(TurnError):
    """Tool calls were cut off twice at the limit on one answer. Ask for less at a time, or have MAX_TOKENS raised."""

    code = "max_tokens"


class TurnInterrupted(TurnError):
    """The server stopped while it was answering. Try again."""

    code = "interrupted"


class InternalError(TurnError):
    """Something failed on this server. Try again; if it happens again, tell your operator."""

    code = "internal"


class GatewayError(TurntableError):
    """The gateway did not complete the answer."""

    code = "gateway_failed"
    is_retryable = False
    is_page = False
    """Whether the detail is the title of a web page that came in place of an answer."""
    is_adjustable = True
    """Whether the request may be sent again with a remedy."""

    def __init__(
        self,
        detail: str = "",
        *,
        status: int | None = None,
        request_id: str = "",
        retry_after: float | None = None,
    ) -> None:
        super().__init__(detail)
        self.words = detail
        """The words of the gateway or the model."""
        self.refusal: Refusal | None = None
        """Their meaning, if the request was refused."""
        self.hint = ""
        """A sentence for operators: what they may change."""
        self.status = status
        self.request_id = request_id
        self.retry_after = retry_after

    def aside(self, detail: str) -> str:
        """The detail; the title of a web page is quoted, as it is not meant for the reader."""
        if not self.is_page:
            return detail
        title, semicolon, hints = detail.partition("; ")
        return f"it sent a web page titled \N{LEFT DOUBLE QUOTATION MARK}{title}\N{RIGHT DOUBLE QUOTATION MARK}{semicolon}{hints}"

    def __str__(self) -> str:
        """The sentence for a person, the other side's words, and what may be changed."""
        return f"{super().__str__()} {self.hint}".rstrip()


class GatewayThrottled(GatewayError):
    """The gateway or the model is handling too many requests. Wait a moment, then try again."""

    code = "throttled"
    is_retryable = True


class GatewayUnreachable(GatewayError):
    """The gateway cannot be reached. Check that it runs and that GATEWAY_URL is right, then try again."""

    code = "gateway_unreachable"
    is_retryable = True


class GatewayRefused(GatewayError):
    """The gateway does not let this through. Ask your operator to check the route, its keys and the model."""

    code = "gateway_refused"


class GatewayFailed(GatewayError):
    """The gateway or the model failed. Try again in a moment."""

    code = "gateway_failed"
    is_retryable = True


class InvalidRequest(GatewayError):
    """The gateway did not accept the request. Another model or a new conversation may help."""

    code = "invalid_request"


class ContentRefused(InvalidRequest):
    """The gateway did not accept this message. It stays out of what follows: say it differently, or ask another model."""


class ContextOverflow(GatewayError):
    """The conversation is too long for this model. Start a new one, branch off before a long message, or choose a model with a larger
    context.
    """

    code = "context_overflow"


class GatewayTimeout(GatewayError):
    """The gateway sent nothing for too long. Try again."""

    code = "timeout"  # not retryable: a request that was sent may have been paid for


class StreamCut(GatewayError):
    """The answer broke off. What arrived is kept."""

    code = "stream_cut"
    is_retryable = True


class StreamError(GatewayError):
    """The model failed while it was answering. What arrived is kept. Try again."""

    code = "stream_error"
    is_retryable = True
