"""Definitions of servers' tools, pinned by hash at first sight: a changed one waits for staff."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from django.utils import timezone

from conversations.models import ToolDefinition
from conversations.protocol.text import clean_json

if TYPE_CHECKING:
    from mcp_types import Tool

Definition = dict[str, Any]
MEMBERS = ("name", "title", "description", "inputSchema", "outputSchema", "annotations")
"""The members that are pinned: all that a model or our own rules depend on."""


def definition_of(tool: "Tool") -> Definition:
    """The definition of a tool, as it is pinned."""
    members = tool.model_dump(by_alias=True, mode="json", exclude_none=True)
    cleaned: Definition = clean_json({name: members[name] for name in MEMBERS if name in members})
    return cleaned


def hash_of(definition: Definition) -> str:
    """The hash of a definition, whatever the order of its members."""
    return hashlib.sha256(json.dumps(definition, sort_keys=True).encode()).hexdigest()


def pin(server: str, definitions: Iterable[Definition]) -> set[str]:
    """Pins the definitions that are new, and notes those that have changed.

    Returns the names of the tools whose definitions are agreed to.
    """
    by_name = {definition["name"]: definition for definition in definitions}
    hashes = {name: hash_of(definition) for name, definition in by_name.items()}
    new = [
        ToolDefinition(server=server, name=name, agreed=definition, agreed_sha256=hashes[name])
        for name, definition in by_name.items()
    ]
    rows = {row.name: row for row in ToolDefinition.objects.filter(server=server, name__in=by_name)}
    missing = [row for row in new if row.name not in rows]
    if missing:
        ToolDefinition.objects.bulk_create(missing, ignore_conflicts=True)
        rows = {row.name: row for row in ToolDefinition.objects.filter(server=server, name__in=by_name)}
    for name, row in rows.items():
        _store_change(row, by_name[name], hashes[name])
    return {name for name, row in rows.items() if row.agreed_sha256 == hashes[name]}


def _store_change(row: ToolDefinition, definition: Definition, digest: str) -> None:
    """Stores the server's new definition of a tool, or that it is again the one that was agreed to."""
    changed = "" if digest == row.agreed_sha256 else digest
    if changed == row.changed_sha256:
        return
    ToolDefinition.objects.filter(pk=row.pk, agreed_sha256=row.agreed_sha256).update(
        changed=definition if changed else None,
        changed_sha256=changed,
        changed_at=timezone.now() if changed else None,
    )


def agreed(server: str, hashes: Mapping[str, str]) -> set[str]:
    """The names of those tools whose definitions, by their hashes, are agreed to by now."""
    rows = ToolDefinition.objects.filter(server=server, name__in=hashes).values_list("name", "agreed_sha256")
    return {name for name, digest in rows if hashes[name] == digest}
