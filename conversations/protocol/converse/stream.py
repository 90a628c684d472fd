"""ConverseStream events -> deltas to show, and the message that they add up to.

Real streams do this: text, reasoning and citation blocks have no start event; blocks interleave and may be blank; a tool input comes in
any number of fragments, none included; `metadata` follows `messageStop`. Unknown events, deltas, members and stop reasons are passed over
and counted. A stream without `messageStop` is not complete, however it ended.

An event whose frame was damaged on the way is marked (`DAMAGED`), and holds nothing but the mark where its payload cannot be read at all.
Each block that it may belong to counts as damaged: such a tool call is never run, such reasoning loses its signature.
"""

import json
from collections import Counter
from collections.abc import Iterable
from typing import Any

from conversations.protocol.steps import CUTS_ARGUMENTS
from conversations.protocol.text import clean_json, clean_text, is_whole, is_whole_json

from . import content
from .blocks import CallRequest, Delta, Fault, Kind, OpenBlock
from .identifiers import legal_id, unused_id
from .usage import counted_once, counts_something, least_tokens

StreamEvent = tuple[str, dict[str, Any]]
"""An event of ConverseStream: its name and its payload."""

INTERVENED = "guardrail_intervened"
"""The stop reason of a question that a guardrail kept from the model."""

HEAD_LENGTH = 200
"""The longest member of a start event (id, name, type), in characters. Bedrock's limit is mostly 64."""

DAMAGED = "damaged"
"""The member that marks an event whose frame was damaged."""

LOST = {DAMAGED: True}
"""The payload of an event whose name alone could be read."""

NO_METADATA = ("p", DAMAGED)
"""Members of a `metadata` event that are not stored: `p` is padding."""

EVENTS = frozenset(
    {
        "messageStart",
        "contentBlockStart",
        "contentBlockDelta",
        "contentBlockStop",
        "messageStop",
        "metadata",
    }
)
"""The events that this code knows."""

STARTS = {
    "toolUse": ("toolUseId", "name", "type"),
    "toolResult": ("toolUseId", "type", "status"),
    "image": ("format",),
}
"""The blocks that begin with a start event, and its members."""

REASONING = ("text", "signature", "redactedContent")
"""The members of a delta of reasoning, in the order in which they are taken."""

CARRIERS = frozenset({"", "contentBlockStart", "contentBlockDelta", "messageStop"})
"""Events whose loss may leave a block incomplete or hide a cut; one without a name may be any."""


class Assembly:
    """Reassembles a round, which is fed to it event by event.

    `used_ids` are the conversation's tool use ids so far.
    """

    def __init__(self, used_ids: Iterable[str] = (), prefix: str = "tooluse") -> None:
        self.stop_reason: str | None = None
        self.usage: dict[str, Any] = {}
        self.latency_ms: int | None = None
        self.metadata: dict[str, Any] = {}
        self.passed_over: Counter[str] = Counter()
        self.damaged_frames: Counter[str] = Counter()
        """Damaged frames, by the name of their event."""

        self._is_damaged = self._has_lost = False
        """Whether the event under way was damaged; whether any damaged event named no block."""

        self._prefix = prefix
        self._used = set(used_ids)
        self._ids: dict[str, str] = {}
        self._blocks: list[OpenBlock] = []
        self._open: dict[int, OpenBlock] = {}

    @property
    def is_complete(self) -> bool:
        """Whether `messageStop` was seen."""
        return self.stop_reason is not None

    @property
    def least_tokens(self) -> int:
        """A lower bound of the tokens that the model has written."""
        return least_tokens(sum(len(fragment) for block in self._blocks for fragment in block.fragments))

    def feed(self, name: str, payload: Any) -> list[Delta]:
        """The deltas that an event adds; a payload that is no object adds none."""
        members = payload if isinstance(payload, dict) else {}
        self._is_damaged = DAMAGED in members
        if self._is_damaged:
            self._mark_damage(name, members.get("contentBlockIndex"))
        if name not in EVENTS or members == LOST or (self.is_complete and name != "metadata"):
            return self._pass_over(name)
        return self._take(name, members)

    def close(self) -> list[Delta]:
        """Ends all open blocks, after the last event or where the stream was cut."""
        return [delta for index in list(self._open) for delta in self._open.pop(index).end()]

    def content(self) -> list[content.Block]:
        """The message's content blocks so far, by contentBlockIndex, in Converse's shape."""
        return [block.as_converse() for block in self._in_order()]

    def calls(self) -> list[CallRequest]:
        """The tool calls that are ours to run, in order."""
        blocks = [block for block in self._in_order() if block.kind == "tool"]
        return [block.request(self._fault(block)) for block in blocks]

    def damage(self) -> dict[str, int]:
        """The numbers of damaged frames by their events' names, and of texts that lack half a character."""
        incomplete = sum(not is_whole(block.text) for block in self._blocks)
        return dict(self.damaged_frames) | ({"halfCharacters": incomplete} if incomplete else {})

    def _take(self, name: str, payload: dict[str, Any]) -> list[Delta]:
        match name:
            case "contentBlockDelta":
                return self._delta(payload)
            case "contentBlockStart":
                return self._start(payload)
            case "contentBlockStop":
                return self._stop_block(payload)
            case "messageStop":
                return self._stop(payload)
            case "metadata":
                return self._metadata(payload)
        return []

    def _in_order(self) -> list[OpenBlock]:
        return sorted(self._blocks, key=lambda block: (block.index, block.number))

    def _fault(self, block: OpenBlock) -> Fault:
        """Why a call is not to be run, though its arguments may be a JSON object."""
        if not self.is_complete or self._is_cut(block):
            return "cut"
        return "damaged" if block.is_damaged or not is_whole_json(block.text) else ""

    def _is_cut(self, block: OpenBlock) -> bool:
        """Whether the answer ended within the arguments, in the last block or in one that was not closed."""
        is_last = block.number == len(self._blocks) - 1
        if self.stop_reason not in CUTS_ARGUMENTS or (block.is_closed and not is_last):
            return False
        if block.is_closed:
            return not block.text.strip() or block.arguments() is None
        return not block.arguments()

    def _mark_damage(self, name: str, index: Any) -> None:
        """Marks the open block that a damaged event names, or all open blocks if it names none."""
        if name and name not in EVENTS:
            return
        self.damaged_frames[name] += 1
        if name not in CARRIERS:
            return
        if isinstance(index, int):
            marked = [self._open[index]] if index in self._open else []
        else:
            self._has_lost, marked = True, list(self._open.values())
        for block in marked:
            block.is_damaged = True

    def _pass_over(self, name: str) -> list[Delta]:
        self.passed_over[name] += 1
        return []

    def _begin(self, index: int, kind: Kind, head: dict[str, Any]) -> OpenBlock:
        block = OpenBlock(index, len(self._blocks), kind, head, is_damaged=self._is_damaged)
        self._blocks.append(block)
        self._open[index] = block
        return block

    def _block(self, index: int, kind: Kind) -> tuple[OpenBlock, list[Delta]]:
        """The open block if it takes this kind of delta, else a new one and the deltas that end the old."""
        block = self._open.get(index)
        if block is not None and block.takes(kind):
            return block, []
        ending = self._open.pop(index).end() if block is not None else []
        new = self._begin(index, kind, self._tool_head({}) if kind == "tool" else {})
        new.is_damaged |= self._has_lost  # the lost event may have been its beginning
        return new, ending

    def _tool_head(self, start: dict[str, Any]) -> dict[str, Any]:
        original = start.get("toolUseId", "")
        unique = unused_id(legal_id(original) or f"{self._prefix}_{len(self._blocks)}", self._used)
        self._used.add(unique)
        self._ids[original] = unique
        return {"name": ""} | start | {"toolUseId": unique}

    def _start(self, payload: dict[str, Any]) -> list[Delta]:
        index, start = payload.get("contentBlockIndex"), payload.get("start")
        if not isinstance(start, dict):
            start = {}
        member = next((name for name in STARTS if isinstance(start.get(name), dict)), None)
        if member is None or not isinstance(index, int):
            return self._pass_over("contentBlockStart")
        names = STARTS[member]
        strings = {name: start[member][name] for name in names if isinstance(start[member].get(name), str)}
        self._is_damaged |= not all(map(is_whole, strings.values()))
        head = {name: clean_text(value)[:HEAD_LENGTH] for name, value in strings.items()}
        return [*self._stop_block(payload), *self._show_start(member, index, head)]

    def _show_start(self, member: str, index: int, head: dict[str, Any]) -> list[Delta]:
        match member:
            case "toolUse":
                return self._start_tool(index, head)
            case "toolResult":
                return self._start_result(index, head)
        return self._begin(index, "image", head).show()

    def _start_tool(self, index: int, head: dict[str, Any]) -> list[Delta]:
        kind: Kind = "tool" if head.get("type") in content.RUN_BY_CLIENT else "server_tool"
        return self._begin(index, kind, self._tool_head(head)).show()

    def _start_result(self, index: int, head: dict[str, Any]) -> list[Delta]:
        original = head.get("toolUseId", "")
        head |= {"toolUseId": self._ids.get(original, original)}
        return self._begin(index, "server_result", head).show()

    def _delta(self, payload: dict[str, Any]) -> list[Delta]:
        index, delta = payload.get("contentBlockIndex"), payload.get("delta")
        if not isinstance(index, int) or not isinstance(delta, dict):
            return self._pass_over("contentBlockDelta")
        deltas: list[Delta] = []
        for member, value in delta.items():
            added = self._part(member, index, value)
            deltas += self._pass_over(f"delta {member}") if added is None else added
        return deltas

    def _part(self, member: str, index: int, value: Any) -> list[Delta] | None:
        """The deltas that a member adds; None for a member that is unknown or malformed."""
        match member:
            case "text":
                added = self._text(index, value)
            case "toolUse":
                added = self._tool_input(index, value)
            case "reasoningContent":
                added = self._reasoning(index, value)
            case "citation":
                added = self._citation(index, value)
            case "toolResult":
                added = self._server_result(index, value)
            case "image":
                added = self._image(index, value)
            case _:
                added = None
        return added

    def _text(self, index: int, value: Any) -> list[Delta] | None:
        return self._fragment(index, "text", value) if isinstance(value, str) else None

    def _tool_input(self, index: int, value: Any) -> list[Delta] | None:
        if not isinstance(value, dict) or "input" not in value:
            return None
        part = value["input"]
        return self._fragment(index, "tool", part if isinstance(part, str) else json.dumps(clean_json(part)))

    def _fragment(self, index: int, kind: Kind, fragment: str) -> list[Delta]:
        block, ending = self._block(index, kind)
        return ending + block.add(fragment)

    def _reasoning(self, index: int, value: Any) -> list[Delta] | None:
        parts = value if isinstance(value, dict) else {}
        strings = [(name, parts[name]) for name in REASONING if isinstance(parts.get(name), str)]
        deltas = [delta for name, text in strings for delta in self._reasoning_part(name, index, text)]
        return deltas if strings else None

    def _reasoning_part(self, name: str, index: int, value: str) -> list[Delta]:
        match name:
            case "text":
                return self._fragment(index, "reasoning", value)
            case "signature":
                return self._signature(index, value)
        return self._redacted(index, value)

    def _signature(self, index: int, value: str) -> list[Delta]:
        block, ending = self._block(index, "reasoning")
        block.signature += clean_text(value)
        block.is_damaged |= not is_whole(value)
        return ending

    def _redacted(self, index: int, value: str) -> list[Delta]:
        block, ending = self._block(index, "redacted")
        block.data += content.decode_base64(value) or b""
        return ending + block.show()

    def _citation(self, index: int, value: Any) -> list[Delta] | None:
        if not isinstance(value, dict):
            return None
        block, ending = self._block(index, "text")
        block.parts.append(clean_json(value))
        return [*ending, Delta("whole", "citation", block.number, detail=block.parts[-1])]

    def _server_result(self, index: int, value: Any) -> list[Delta] | None:
        if not isinstance(value, list):
            return None
        block, ending = self._block(index, "server_result")
        block.parts += [clean_json(part) for part in value if isinstance(part, dict)]
        return ending

    def _image(self, index: int, value: Any) -> list[Delta] | None:
        if not isinstance(value, dict):
            return None
        block, ending = self._block(index, "image")
        source = value.get("source")
        data = source.get("bytes") if isinstance(source, dict) else None
        block.data += content.decode_base64(data) or b""
        return ending

    def _stop_block(self, payload: dict[str, Any]) -> list[Delta]:
        index = payload.get("contentBlockIndex")
        block = self._open.pop(index, None) if isinstance(index, int) else None
        if block is None:
            return []
        block.is_closed = True
        return block.end()

    def _stop(self, payload: dict[str, Any]) -> list[Delta]:
        reason = payload.get("stopReason")
        self.stop_reason = clean_text(reason)[:64] if isinstance(reason, str) and reason else "unknown"
        extra = payload.get("additionalModelResponseFields")
        self.metadata |= {"additionalModelResponseFields": clean_json(extra)} if extra else {}
        return self.close()

    def _metadata(self, payload: dict[str, Any]) -> list[Delta]:
        metadata = clean_json({key: value for key, value in payload.items() if key not in NO_METADATA})
        usage, metrics = metadata.pop("usage", None), metadata.get("metrics")
        reported = usage if isinstance(usage, dict) else {}
        is_of_model = self.stop_reason != INTERVENED and "madeBy" not in metadata
        is_report = counts_something(reported) or not is_of_model
        self.usage = counted_once(reported) if is_report else {}
        metadata |= {"usage": reported} if self.usage != reported else {}
        latency = metrics.get("latencyMs") if isinstance(metrics, dict) else None
        self.latency_ms = int(latency) if isinstance(latency, int | float) and 0 <= latency < 2**31 else None
        self.metadata |= metadata
        return []
