"""The rebuilding of the search index from the rows, in batches, while the site goes on."""

import heapq
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any, TypeVar

from django.db import transaction
from django.db.models import Exists, OuterRef, Q

from .passage import KIND_WORDS, owner_word
from .texts import TEXTS
from .words import words

BATCH = 100
"""Rows that one transaction indexes: few, since writers wait meanwhile, on SQLite all of them."""

PAUSE = 0.01
"""Seconds between transactions: who waits for SQLite's lock tries it only from time to time."""

PAGE = 10_000
"""Keys that are read in one query. On SQLite an open cursor would block this connection's writes."""

KEYS = {"conversation": "conversation", "message": "message", "toolcall": "call"}
Item = TypeVar("Item")
RowKey = tuple[Any, str, Any]
"""A row's time, its model's name and its key."""


def reindex(apps: Any) -> Iterator[int]:
    """Indexes all rows, the oldest first; yields the number of rows so far.

    `apps` holds the models, as a migration has them.
    """
    models = {name: apps.get_model("conversations", name) for name in ("Passage", *KEYS)}
    owners: dict[Any, str] = {}
    done = 0
    for batch in _batches(heapq.merge(*(_row_keys(models[name], name) for name in KEYS))):
        _index(models, batch, owners)
        done += len(batch)
        yield done
        time.sleep(PAUSE)
    _delete_orphans(models)


def _row_keys(model: Any, name: str) -> Iterator[RowKey]:
    rows = model._base_manager.order_by("created_at", "pk").values_list("created_at", "pk")
    page = list(rows[:PAGE])
    while page:
        yield from ((created_at, name, pk) for created_at, pk in page)
        last, pk = page[-1]
        page = list(rows.filter(created_at__gte=last).exclude(created_at=last, pk__lte=pk)[:PAGE])


def _batches(items: Iterable[Item]) -> Iterator[list[Item]]:
    items = iter(items)
    while batch := list(islice(items, BATCH)):
        yield batch


def _index(models: Any, batch: list[RowKey], owners: dict[Any, str]) -> None:
    """Writes the passages of a batch of rows, which are locked meanwhile."""
    keys: dict[str, list[Any]] = defaultdict(list)
    for _, name, pk in batch:
        keys[name].append(pk)
    with transaction.atomic():
        rows = {name: _locked(models[name], keys[name]) for name in KEYS}
        _learn_owners(models, rows, owners)
        _passages(models, keys).delete()
        passages = (_passage(models, name, rows[name].get(pk), owners) for _, name, pk in batch)
        models["Passage"]._base_manager.bulk_create([passage for passage in passages if passage])


def _locked(model: Any, keys: list[Any]) -> dict[Any, Any]:
    rows = model._base_manager.filter(pk__in=keys).order_by("pk").select_for_update(of=("self",))
    return {row.pk: row for row in rows}


def _passages(models: Any, keys: dict[str, list[Any]]) -> Any:
    condition = Q(message__in=keys["message"]) | Q(call__in=keys["toolcall"])
    condition |= Q(conversation__in=keys["conversation"], message=None, call=None)
    return models["Passage"]._base_manager.filter(condition)


def _learn_owners(models: Any, rows: dict[str, Any], owners: dict[Any, str]) -> None:
    conversations = {_conversation(name, row) for name in rows for row in rows[name].values()}
    unknown = models["conversation"]._base_manager.filter(pk__in=conversations - owners.keys())
    owners |= {pk: owner_word(owner) for pk, owner in unknown.values_list("pk", "owner")}


def _conversation(name: str, row: Any) -> Any:
    return row.pk if name == "conversation" else row.conversation_id


def _passage(models: Any, name: str, row: Any, owners: dict[Any, str]) -> Any:
    """A row's passage, None for one that was deleted or has no words."""
    parts = words(TEXTS[name](row)) if row is not None else []
    if not parts:
        return None
    conversation = _conversation(name, row)
    columns = {f"{KEYS[name]}_id": row.pk, "conversation_id": conversation}
    return models["Passage"](**columns, words=[*parts, owners[conversation], KIND_WORDS[name]])


def _delete_orphans(models: Any) -> None:
    """Deletes passages without a row, as a deletion beside the triggers leaves them."""
    passages = models["Passage"]._base_manager
    for name, key in KEYS.items():
        rows = models[name]._base_manager.filter(pk=OuterRef(key))
        orphans = passages.filter(~Exists(rows), **{f"{key}__isnull": False}).values_list("pk", flat=True)
        for batch in _batches(list(orphans)):
            passages.filter(pk__in=batch).delete()
