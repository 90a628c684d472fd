"""Rounds and messages: the request of each, and the response."""

import json
from collections.abc import Iterator
from typing import ClassVar

from django.contrib import admin
from django.db.models import Q
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from conversations import engine
from conversations.models import Message, Round
from conversations.protocol.converse import remedies
from conversations.protocol.converse.content import picture_facts
from conversations.protocol.converse.request import sha256

from .lists import NewestPages, by
from .markup import json_html
from .pages import Panel, TurnPartAdmin, address, duration, link, related, status
from .requests import difference, parts, summary
from .searching import WORDS_HELP, WordSearch
from .usage import tokens_column


@admin.register(Round)
class RoundAdmin(TurnPartAdmin):
    """Rounds: the request as it was sent, and the response."""

    tokens = tokens_column
    list_display = (
        "name", "its_conversation", "its_status", "stop_reason", "model", "started", "first", "latency",
        "tokens", "tries", "its_changes",
    )  # fmt: skip
    listed_texts = ("remedies", "usage")
    list_filter: ClassVar = ("status", by("stop_reason"), by("error_code"), by("model"))
    list_select_related = ("turn__conversation",)
    search_fields = ("turn__id", "gateway_request_id", "request_sha256")
    search_help_text = "The id of a turn or of a gateway request, or a request's SHA-256."
    date_hierarchy = "started_at"
    ordering = ("-id",)
    sortable_by = ()
    fields = (
        "its_turn", "number", "attempt", "status", "stop_reason", "model", "tries", "its_remedies", "started", "finished",
        "first", "latency", "gateway_request_id", "error_code", "error_text", "error_detail", "its_message", "its_calls",
    )  # fmt: skip
    raw: ClassVar = {"request": engine.rebuild_request}

    @admin.display(description="round")
    def name(self, row: Round) -> str:
        """The numbers of its turn, round and attempt."""
        attempt = f", attempt {row.attempt}" if row.attempt > 1 else ""
        return f"turn {row.turn.number}, round {row.number}{attempt}"

    @admin.display(description="conversation")
    def its_conversation(self, row: Round) -> SafeString | str:
        """The conversation it is a part of."""
        return link(row.turn.conversation)

    @admin.display(description="status")
    def its_status(self, row: Round) -> SafeString:
        """How it ended, and why if badly."""
        return status(row.status, row.error_code)

    @admin.display(description="first token")
    def first(self, row: Round) -> str:
        """The time to the first token."""
        return duration(row.first_token_ms)

    @admin.display(description="latency")
    def latency(self, row: Round) -> str:
        """Its duration, as the gateway measured it."""
        return duration(row.latency_ms)

    @admin.display(description="asked")
    def its_changes(self, row: Round) -> str:
        """The changes without which its request would be refused."""
        return "; ".join(remedy.change for remedy in remedies.from_json(row.remedies))

    @admin.display(description="remedies")
    def its_remedies(self, row: Round) -> SafeString | str:
        """The changes, with the words of the refusals."""
        lines = ((remedy.what, remedy.why) for remedy in remedies.from_json(row.remedies))
        return format_html_join("", "<p>{} <q>{}</q></p>", lines) or "-"

    @admin.display(description="message")
    def its_message(self, row: Round) -> SafeString | str:
        """The model's message."""
        return link(getattr(row, "message", None))

    @admin.display(description="tool calls")
    def its_calls(self, row: Round) -> SafeString | str:
        """The calls that the model asked for."""
        calls = row.tool_calls.defer("arguments", "input", "result").order_by("position")
        return format_html_join(" · ", "{}", ((link(call, call.name),) for call in calls)) or "-"

    def anchor(self, row: Round) -> str:
        """The turn in the playback, which has no mark for a round."""
        return f"#turn-{row.turn.number}"

    def panels(self, request: HttpRequest, row: Round) -> Iterator[Panel]:
        """The response as received, the request as sent, and its difference to the one before."""
        yield from _response(row)
        if "madeBy" in row.metadata:
            yield Panel("Request", "None was sent: a person asked for this call.", "")
            return
        body = engine.rebuild_request(row)
        yield Panel("Request as sent", _request(row, body), _proof(row, body))
        before = _before(row)
        if before is not None:
            earlier, now = json.loads(engine.rebuild_request(before)), json.loads(body)
            changes = format_html_join("", "<h3>{}</h3>{}", difference(earlier, now)) or "Nothing."
            yield Panel("New in this request", changes, f"since {_name(before)}")


def _response(row: Round) -> Iterator[Panel]:
    message: Message | None = getattr(row, "message", None)
    if message is not None:
        whole = address(message, "file", "content")
        yield Panel(
            "Response as received", json_html(message.content, whole), "" if message.complete else "cut off"
        )
        yield from _pictures(message)
    metadata = {"stopReason": row.stop_reason, "usage": row.usage, "metadata": row.metadata}
    yield Panel("Stop reason, usage, metadata", json_html(metadata))


def _pictures(message: Message) -> Iterator[Panel]:
    """The pictures that a model made."""
    place = [message.conversation_id, message.turn_id]
    facts = [picture_facts(block["image"]) for block in message.content if "image" in block]
    addresses = [
        reverse("conversations:picture", args=[*place, fact["sha256"]]) for fact in facts if "sha256" in fact
    ]
    if message.role == Message.Role.ASSISTANT and addresses:
        images = ((address,) for address in addresses)
        yield Panel(
            "Pictures",
            format_html_join("", '<img class="picture" src="{}" alt="Picture from the model">', images),
        )


def _request(row: Round, body: bytes) -> SafeString:
    whole = address(row, "file", "request")
    fold = '<details class="part"><summary>{} <small>{}</small></summary>{}</details>'
    details = format_html_join("", fold, parts(json.loads(body), whole))
    return format_html(
        '{}<p class="quiet"><a href="{}">The whole body, {} bytes</a></p>', details, whole, f"{len(body):,}"
    )


def _proof(row: Round, body: bytes) -> str:
    """A sentence that says whether these are the bytes that were sent."""
    if sha256(body) == row.request_sha256:
        return "The SHA-256 is that of the bytes sent."
    return "Not the bytes that were sent: their SHA-256 differs."


def _before(row: Round) -> Round | None:
    """The round before it: of its turn, or else the last one of the turn that its own follows."""
    earlier = Q(turn=row.turn_id, number__lt=row.number) | Q(turn=row.turn.parent_id)
    rows = Round.objects.select_related("turn", "base").filter(earlier)
    return rows.order_by("-turn__number", "-number", "-attempt").first()


def _name(row: Round) -> str:
    return f"turn {row.turn.number}, round {row.number}"


class MessagePages(NewestPages):
    """Pages of messages."""

    order = ("-id",)


@admin.register(Message)
class MessageAdmin(WordSearch, TurnPartAdmin):
    """Messages, in Converse's shape."""

    list_display = ("public_id", "role", "its_turn", "complete", "created", "beginning")
    listed_texts = ("content",)
    list_filter = ("role", "complete")
    list_select_related = ("turn__conversation",)
    search_fields = ("content",)
    search_help_text = f"{WORDS_HELP} Also the id of a message, turn or conversation."
    ids = ("public_id", "turn", "conversation")
    paginator = MessagePages
    date_hierarchy = "created_at"
    ordering = ("-id",)
    sortable_by = ()
    fields = ("public_id", "its_turn", "its_round", "its_calls", "role", "complete", "created")
    raw: ClassVar = {"content": lambda row: json.dumps(row.content)}

    @admin.display(description="round")
    def its_round(self, row: Message) -> SafeString | str:
        """The round that it came from."""
        return link(row.round)

    @admin.display(description="tool calls")
    def its_calls(self, row: Message) -> SafeString | str:
        """The calls that it asks for."""
        return related(row.round, "round__id__exact", toolcall="tool calls") if row.round else "-"

    @admin.display(description="content")
    def beginning(self, row: Message) -> str:
        """Its beginning."""
        return summary({"content": row.content})

    def parents(self, row: Message) -> Iterator[SafeString | str]:
        """Its round."""
        if row.round:
            yield link(row.round)

    def panels(self, request: HttpRequest, row: Message) -> Iterator[Panel]:
        """Its content blocks."""
        yield Panel("Content", json_html(row.content, address(row, "file", "content")))
        yield from _pictures(row)
