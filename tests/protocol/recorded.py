"""Recorded streams of Bedrock, where their folder is at hand."""

import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

FOLDER = Path(os.environ.get("TURNTABLE_STREAMS") or Path(__file__).parents[3] / "shared" / "streams")
NONE_HERE = pytest.mark.skip(
    reason=f"no recorded streams in {FOLDER}; TURNTABLE_STREAMS names another folder"
)


class Stream(NamedTuple):
    """The events of a round, and the message that they add up to."""

    name: str
    events: list[tuple[str, Any]]
    content: list[dict[str, Any]]
    stop_reason: str | None
    usage: dict[str, int]
    request: dict[str, Any]
    model: str


def sets() -> dict[str, list[Stream]]:
    """The recorded streams by name of their set, the rounds of each in order."""
    folders = sorted(path.parent for path in FOLDER.glob("*/message.json"))
    streams = {folder.name: [_stream(folder)] for folder in folders}
    for folder in sorted({path.parent.parent for path in FOLDER.glob("*/1/message.json")}):
        numbered = sorted(folder.iterdir(), key=lambda path: int(path.name))
        streams[folder.name] = [_stream(path) for path in numbered]
    return streams


def _stream(folder: Path) -> Stream:
    lines = [json.loads(line) for line in (folder / "events.jsonl").read_text().splitlines()]
    meta = _json(folder / "meta.json")
    return Stream(
        name=str(folder.relative_to(FOLDER)),
        events=[(line["event-type"], line["payload"]) for line in lines if line["message-type"] == "event"],
        content=_with_plain_bytes(_json(folder / "message.json")),
        stop_reason=meta.get("stopReason"),
        usage=meta.get("usage") or {},
        request=_json(folder / "request.json"),
        model=meta["model"],
    )


def _json(path: Path) -> Any:
    return json.loads(path.read_text())


def _with_plain_bytes(value: Any) -> Any:
    """The value without the `b64:` that marks bytes in the files."""
    if isinstance(value, dict):
        return {key: _with_plain_bytes(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_with_plain_bytes(item) for item in value]
    return value.removeprefix("b64:") if isinstance(value, str) else value


def params(values: Iterable[Stream] | Iterable[list[Stream]]) -> list[Any]:
    """Values for parametrize, named; a skipped one where there are none."""
    named = [pytest.param(value, id=_name(value)) for value in values]
    return named or [pytest.param(None, marks=NONE_HERE, id="recorded")]


def _name(value: Stream | list[Stream]) -> str:
    return value.name if isinstance(value, Stream) else value[0].name.rpartition("/")[0]


SETS = sets()
RECORDED = [stream for rounds in SETS.values() for stream in rounds]
