"""A round's request: built from what is stored, and changed by remedies if it is refused."""

from functools import partial
from typing import TYPE_CHECKING, Any

from conversations import attachments
from conversations.conf import settings
from conversations.errors import ContentRefused, GatewayError, InvalidRequest, TurntableError
from conversations.gateway import Call
from conversations.journal import Write
from conversations.models import Model, RequestBase, Round, learn
from conversations.protocol.converse import attached, remedies, request
from conversations.protocol.converse.content import Message
from conversations.protocol.converse.remedies import Remedies, Remedy

from . import requests, synthetic

if TYPE_CHECKING:
    from .run import Run


class Outgoing:
    """The request of a round, whose row is `row`. Its methods read rows and files, so use a thread."""

    base: RequestBase
    """The request without its messages, which many rounds share."""

    is_new_base: bool

    def __init__(self, run: "Run", row: Round) -> None:
        self.turn, self.memory, self.row = run.turn, run.memory, row
        self._whole: request.Body = {}
        self._body: request.Body = {}
        """The whole request, and the same with the remedies in force."""

        self._tried = 0
        """Remedies that were tried."""

        self._facts: dict[str, tuple[Any, str]] = {}
        """Facts of the model that refusals taught, each with the words of the refusal."""

    def prepare(self) -> Call | TurntableError:
        """Builds the request and its first call; returns the error if there can be no call."""
        turn = self.turn
        messages = self.memory.messages(turn.model, self.row.number)
        base = request.base(turn.system, turn.inference, settings.MAX_TOKENS, synthetic.specs(turn), messages)
        capabilities = Model.of(turn.model).capabilities
        self._whole = request.body(
            messages, request.with_reasoning(base, capabilities, turn.reasoning_budget)
        )
        active = remedies.for_model(capabilities, self._whole)
        for remedy in (*self._without_files(messages), *self.memory.remedies):
            active = remedies.combined(active, remedy)
        return self._apply(active)

    def _without_files(self, messages: list[Message]) -> Remedies:
        """The remedy that leaves files out: those that a person left out, and the oldest of too many."""
        if not attached.ids(messages):
            return ()
        own = {facts["id"] for facts in attached.facts(self.memory.user_content)}
        left_out = attachments.left_out_ids(self.turn.conversation_id) - own
        out = attached.excess(messages, attached.limits_of(self.turn.model), left_out)
        return (Remedy("attachments", out),) if out else ()

    @property
    def lack(self) -> Remedy | None:
        """The remedy that a reader has to know of: the model takes no tools, or not the message's files."""
        is_first = self.row.number == self.row.attempt == 1 and self.turn.rerun.get("rounds") != "person"
        active = remedies.from_json(self.row.remedies) if is_first else ()
        kinds = {"tools", *(f"{facts['kind']}s" for facts in attached.facts(self.memory.user_content))}
        kinds |= {"pictures"} if "images" in kinds else set()
        return next((remedy for remedy in active if remedy.kind in kinds and not remedy.why), None)

    @property
    def limit(self) -> int:
        """The tokens that the answer may have."""
        tokens: int = self._body["inferenceConfig"]["maxTokens"]
        return tokens

    def call(self) -> Call:
        """A further call with the same request."""
        turn = self.turn
        body = attachments.with_bytes(self._body, self.row.model, turn.conversation_id)
        call: Call = synthetic.gateway_of(turn).call(self.row.model, body, requests.labels_of(turn))
        return call

    def remedy(self, error: GatewayError) -> Remedy | None:
        """The remedy for a refusal that came before any text, while there are attempts left."""
        is_over = self._tried == remedies.MOST or self.row.first_token_ms is not None
        if error.refusal is None or not error.is_adjustable or is_over:
            return None
        has_gone_well = self.memory.has_gone_well(self.row.model)
        remedy = remedies.remedy(error.refusal, self._body, why=error.words, has_gone_well=has_gone_well)
        if remedy is not None:
            learned = remedies.capability_facts(error.refusal, remedy)
            self._facts |= {name: (value, remedy.why) for name, value in learned.items()}
        return remedy

    @property
    def has_learned(self) -> bool:
        """Whether there is something to remember of the model, once the request has gone well."""
        return bool(self._facts)

    def learn(self) -> None:
        """Remembers what refusals taught of the model."""
        for name, (value, why) in self._facts.items():
            learn(self.row.model, why, **{name: value})

    def adjust(self, remedy: Remedy) -> Call | TurntableError:
        """Changes the request, and what the rounds that follow begin with; returns its call."""
        self._tried += 1
        self.row.tries += 1
        active = remedies.combined(remedies.from_json(self.row.remedies), remedy)
        self.memory.remedies = remedies.within_turn(active)
        return self._apply(active)

    def adjustment_write(self) -> Write:
        """The write that stores the request as it is now, in the commit of the event that tells of it."""
        row = self.row
        columns = {name: getattr(row, name) for name in ("remedies", "request_sha256", "base_id", "tries")}
        return partial(self._save, self.base if self.is_new_base else None, columns)

    def save_base(self) -> None:
        """Stores the request's base if no other round has it."""
        self._save_base(self.base if self.is_new_base else None)

    def judge(self, error: GatewayError) -> GatewayError:
        """Marks a turn whose own content was refused as left out; returns the error that ends it."""
        if error.refusal is None or self.memory.rounds or self.row.first_token_ms is not None:
            return error
        has_gone_well, is_adjusted = self.memory.has_gone_well(self.row.model), self._tried > 0
        self.turn.left_out = remedies.is_left_out(
            error.refusal, has_gone_well=has_gone_well, is_adjusted=is_adjusted
        )
        if not self.turn.left_out or not isinstance(error, InvalidRequest):
            return error
        return ContentRefused(error.detail, status=error.status, request_id=error.request_id)

    def _apply(self, active: Remedies) -> Call | TurntableError:
        """Applies these remedies to the whole request; returns its call, or the error that prevents one."""
        row = self.row
        self._body = remedies.adjusted(self._whole, active)
        base = request.encoded({name: part for name, part in self._body.items() if name != "messages"})
        self.base = RequestBase(sha256=request.sha256(base), body=base.decode())
        row.base, self.is_new_base = self.base, self.base.pk not in self.memory.bases
        row.remedies = remedies.as_json(active)
        try:
            call = self.call()
        except TurntableError as error:
            row.request_sha256 = request.sha256(request.encoded(self._body))
            return error
        row.request_sha256 = call.request_sha256 or request.sha256(request.encoded(self._body))
        return call

    def _save(self, base: RequestBase | None, columns: dict[str, object]) -> None:
        self._save_base(base)
        Round.objects.filter(pk=self.row.pk).update(**columns)

    @staticmethod
    def _save_base(base: RequestBase | None) -> None:
        if base is not None:
            RequestBase.objects.bulk_create([base], ignore_conflicts=True)
