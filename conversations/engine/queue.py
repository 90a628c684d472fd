"""Queued turns: which may begin, in which order."""

from uuid import UUID

from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet, Subquery, Window
from django.db.models.functions import Coalesce, RowNumber

from conversations.models import Turn

Status = Turn.Status


def candidates(only: UUID | None) -> QuerySet[Turn]:
    """Queued turns that need not wait. Users with few running turns come first, then the longest idle."""
    conversation = Turn.objects.filter(conversation=OuterRef("conversation"))
    before = conversation.filter(
        Q(status__in=Turn.ACTIVE) | Q(status=Status.QUEUED, number__lt=OuterRef("number"))
    )
    queued = Turn.objects.filter(~Exists(before), status=Status.QUEUED, conversation__deleted_at=None)
    queued = queued.order_by("created_at", "number")
    if only is not None:
        return queued.filter(conversation=only)
    running = Turn.objects.filter(user=OuterRef("user"), status=Status.RUNNING).order_by()
    load = Subquery(running.values("user").annotate(turns=Count("pk")).values("turns"))
    place = Window(RowNumber(), partition_by="user", order_by=["created_at", "number"])
    begun = Turn.objects.filter(user=OuterRef("user"), started_at__isnull=False).order_by("-created_at")
    queued = queued.annotate(place=place + Coalesce(load, 0), last=Subquery(begun.values("started_at")[:1]))
    return queued.order_by("place", F("last").asc(nulls_first=True), "created_at", "number")


def locked(turns: list[UUID], *, skip_locked: bool) -> QuerySet[Turn]:
    """Those of the turns that are still queued, locked in the order of their keys."""
    rows = Turn.objects.select_for_update(no_key=True, skip_locked=skip_locked, of=("conversation", "self"))
    queued = rows.filter(pk__in=turns, status=Status.QUEUED, conversation__deleted_at=None)
    return queued.order_by("conversation_id", "pk").select_related("conversation__head", "user", "beside")
