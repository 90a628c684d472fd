"""The transcript for the page's templates: a section a turn, a block a message."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

from conversations.journal import Page
from conversations.protocol.text import visible
from conversations.protocol.thoughts import parts_of

from . import activities
from .files import File, files_of
from .sentences import Failure, failure, notice
from .summaries import summary

Message = dict[str, Any]

LONGEST = 4_000
"""Characters of a piece, at most."""

KINDS = {"user": "you", "assistant": "assistant", "reasoning": "reasoning"}


@dataclass(frozen=True)
class Block:
    """One message or a part of one; `at` is the message's index on the page.

    `state` is the message as JSON, with which the script starts. It has no text, as that stands in the page, unless the message is shown
    in several parts: then the first of them has the state, text included.
    """

    kind: str
    state: str
    text: str
    at: int
    id: str = ""
    name: str = ""
    result: "Block | None" = None
    is_left_out: bool = False
    is_open: bool = False
    files: tuple[File, ...] = ()

    @property
    def template(self) -> str:
        """The template that shows it."""
        return f"conversations/blocks/{self.kind}.html"

    @property
    def summary(self) -> str:
        """A call's arguments in one line."""
        return summary(self.text)

    @property
    def pieces(self) -> list[str]:
        """The text in pieces that a browser can lay out one by one; none if it is short."""
        return pieces(self.text)

    @property
    def is_shown(self) -> bool:
        """Whether there is anything to see: models also send text blocks with nothing in them."""
        return self.kind != "assistant" or bool(self.text.strip())


@dataclass(frozen=True)
class Answers:
    """The results of a page's calls, by call, each with its message's index; and the calls that wait."""

    results: dict[str, tuple[int, Message]]
    waiting: set[str]

    def of(self, call: str) -> tuple[int, Message | None]:
        """The index of a call's result on the page, and the result."""
        return self.results.get(call, (0, None))


@dataclass
class Attempt:
    """The blocks of an interrupted attempt at a round, folded once something follows them."""

    round: str
    blocks: list[Block] = field(default_factory=list)
    is_last: bool = False
    template: ClassVar[str] = "conversations/blocks/attempt.html"

    @property
    def key(self) -> str:
        """The key by which the script knows it."""
        return f"attempt:{self.blocks[0].id}"


@dataclass
class Section:
    """A turn: its parts in order, and its sources. `key` names it for the script, `state` is its JSON."""

    key: str
    state: str
    failure: Failure | None
    notice: str = ""
    adjusted: list[dict[str, str]] = field(default_factory=list)
    parts: list[Block | Attempt] = field(default_factory=list)
    sources: list[Block] = field(default_factory=list)


def sections(page: Page, is_older: bool = False) -> list[Section]:
    """The page's turns, oldest first. The last turn of an older page may continue on a newer one."""
    calls = {_call_of(message) for message in page.messages} - {""}
    answers = Answers(
        {key: (at, m) for at, m in enumerate(page.messages) if (key := _answered(m))},
        {interrupt["toolCallId"] for turn in page.turns for interrupt in turn.get("interrupts", ())},
    )
    by_turn = {turn["id"]: _section(turn) for turn in page.turns}
    attempts: dict[str, Attempt] = {}
    for at, message in enumerate(page.messages):
        turn = message["metadata"]["turn"]
        if message["role"] == "tool":
            attempts.pop(turn, None)
        elif _answered(message) not in calls:
            for block in _blocks(at, message, answers):
                _put(by_turn[turn], block, message, attempts)
    for turn in page.turns:
        _end(by_turn[turn["id"]], turn, goes_on=is_older and turn is page.turns[-1])
    return list(by_turn.values())


def _section(turn: dict[str, Any]) -> Section:
    adjusted = [{name: visible(text) for name, text in words.items()} for words in turn.get("adjusted", ())]
    return Section(f"turn:{turn['id']}", json.dumps(turn), failure(turn), adjusted=adjusted)


def _put(section: Section, block: Block, message: Message, attempts: dict[str, Attempt]) -> None:
    """Appends a block, grouping the blocks of an interrupted attempt.

    A tool result, a whole block or a new round closes the group.
    """
    turn = message["metadata"]["turn"]
    if block.kind == "source":
        section.sources.append(block)
        return
    if not message["metadata"].get("interrupted"):
        attempts.pop(turn, None)
        section.parts.append(block)
        return
    round_name = "" if "toolCalls" in message else _round(message["id"])
    attempt = attempts.get(turn)
    if attempt is None or (attempt.round and round_name and attempt.round != round_name):
        attempt = attempts[turn] = Attempt(round_name)
        section.parts.append(attempt)
    attempt.round = attempt.round or round_name
    attempt.blocks.append(block)


def _round(message_id: str) -> str:
    """The round and attempt that a message's id names: `2.1` of `TURN:2.1:0`."""
    return message_id.partition(":")[2].partition(":")[0]


def _end(section: Section, turn: dict[str, Any], *, goes_on: bool) -> None:
    """Opens an attempt with which the section ends, and sets the section's notice."""
    parts = [part for part in section.parts if isinstance(part, Attempt) or part.is_shown]
    last = parts[-1] if parts else None
    if isinstance(last, Attempt):
        last.is_last = True
    has_answer = isinstance(last, Block) and last.kind in ("assistant", "picture")
    section.notice = notice(turn, has_answer=has_answer or goes_on)


def _call_of(message: Message) -> str:
    """The key of the call in a message, blank if there is none."""
    if "toolCalls" in message:
        return str(message["toolCalls"][0]["id"])
    return _server_key(message, activities.use(message))


def _answered(message: Message) -> str:
    """The key of the call that a message answers, blank if it answers none."""
    if message["role"] == "tool":
        return str(message["toolCallId"])
    return _server_key(message, activities.result(message))


def _server_key(message: Message, part: dict[str, Any]) -> str:
    """The key of a call of the provider's tools, whose ids are unique in a turn."""
    return f"{message['metadata']['turn']}:{part.get('toolUseId', '')}" if part else ""


def _blocks(at: int, message: Message, answers: Answers) -> list[Block]:
    """The blocks of a message: one, or several for a text with thoughts in it."""
    if "toolCalls" in message:
        return [_call(at, message, answers)]
    if message["role"] == "activity":
        return [_activity(at, message, answers)]
    whole = Block(
        KINDS[message["role"]],
        _without(message, ["content"]),
        message["content"],
        at,
        message["id"],
        is_left_out="leftOut" in message["metadata"],
        files=files_of(message),
    )
    return (message["role"] == "assistant" and _split(whole, message)) or [whole]


def _split(whole: Block, message: Message) -> list[Block]:
    """The blocks of a text with thoughts in it; none for any other text."""
    parts = parts_of(whole.text, is_open="open" in message["metadata"])
    if len(parts) == 1 and parts[0].text == whole.text:
        return []
    blocks = [
        Block(
            "reasoning" if part.is_thought else "assistant", "", part.text, whole.at, _part_id(whole, number)
        )
        for number, part in enumerate(parts)
        if part.has_content
    ]
    first, *others = blocks or [replace(whole, text="")]
    return [replace(first, state=json.dumps(message)), *others]


def _part_id(whole: Block, number: int) -> str:
    return f"{whole.id}~{number}" if number else whole.id


def _activity(at: int, message: Message, answers: Answers) -> Block:
    kind, name = activities.kind(message), visible(activities.name(message))
    result_at, result = answers.of(_call_of(message) or _answered(message))
    state = "" if result is message else json.dumps(result)  # the same message if its use is not on the page
    inner = Block("result", state, activities.outcome(result), result_at) if result else None
    has_failed = result is not None and activities.result(result).get("status") == "error"
    return Block(
        kind,
        json.dumps(message),
        activities.arguments(message),
        at,
        message["id"],
        name,
        inner,
        is_open=has_failed,
    )


def _call(at: int, message: Message, answers: Answers) -> Block:
    call = message["toolCalls"][0]
    name, arguments = call["function"]["name"], call["function"]["arguments"]
    state = json.dumps(message | {"toolCalls": [call | {"function": {"name": name}}]})
    result_at, result = answers.of(call["id"])
    inner = Block("result", _without(result, ["content"]), result["content"], result_at) if result else None
    is_open = _has_failed(message, result) if result else call["id"] in answers.waiting
    return Block("tool", state, arguments, at, message["id"], visible(name), inner, is_open=is_open)


def _has_failed(call: Message, result: Message) -> bool:
    """Whether a call failed, or was interrupted, so that its card stands open."""
    if call["metadata"].get("interrupted") or result["metadata"].get("interrupted"):
        return True
    figures = result["metadata"]
    return figures.get("status") != "success" and figures.get("error") not in ("denied", "stopped")


def _without(message: Message, keys: Iterable[str]) -> str:
    return json.dumps({key: value for key, value in message.items() if key not in keys})


def pieces(text: str) -> list[str]:
    """The pieces of a long text, cut behind a line or a word if possible; none of a short text."""
    return list(_pieces(text)) if len(text) > LONGEST else []


def _pieces(text: str) -> Iterator[str]:
    start = 0
    while len(text) - start > LONGEST:
        most = start + LONGEST
        end = text.rfind("\n", start, most) + 1 or text.rfind(" ", start, most) + 1 or most
        yield text[start:end]
        start = end
    yield text[start:]
