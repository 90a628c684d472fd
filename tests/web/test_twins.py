"""Server and scripts make the same of the same where both know something by heart."""

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from subprocess import PIPE
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from conversations.attachments import Empty, TooLarge
from conversations.engine.messages import LONGEST_TEXT
from conversations.journal import Page
from conversations.protocol.agui.timeline import timeline
from conversations.protocol.converse import attached
from conversations.protocol.converse.capabilities import Capabilities
from conversations.protocol.converse.usage import least_tokens
from conversations.protocol.text import visible
from conversations.protocol.thoughts import parts_of
from conversations.web import activities
from conversations.web.files import size_in_words
from conversations.web.sections import LONGEST, Attempt, Block, pieces, sections
from conversations.web.sentences import SENTENCES, notice
from conversations.web.summaries import summary

NODE = shutil.which("node")
SCRIPTS = Path(__file__).resolve().parents[1] / "scripts"
TWINS = SCRIPTS / "twins.js"
CASES = json.loads((SCRIPTS / "summaries.json").read_text())

pytestmark = pytest.mark.skipif(NODE is None, reason="there is no Node")

few = settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.too_slow])

fewer = settings(few, max_examples=3)
"""Of long lists."""

NODES: list[subprocess.Popen[str]] = []


@pytest.fixture(scope="module", autouse=True)
def node() -> Iterator[None]:
    """One process, as scripts take longer to begin than to answer; it ends with its input."""
    with subprocess.Popen([str(NODE), TWINS], stdin=PIPE, stdout=PIPE, text=True) as process:
        NODES[:] = [process]
        yield


def scripts(*requests: list[Any]) -> list[Any]:
    """The scripts' results for each `[name, ...inputs]`."""
    return [result_of_scripts(request) for request in requests]


def result_of_scripts(request: list[Any]) -> Any:
    stdin, stdout = NODES[0].stdin, NODES[0].stdout
    assert stdin is not None
    assert stdout is not None
    stdin.write(f"{json.dumps(request)}\n")
    stdin.flush()
    line = stdout.readline()
    assert line, f"the scripts have no result for {request}"
    return json.loads(line)


@few
@given(st.lists(st.text("a\u202a\u202e\u2065\u2066\u2069\u206a\U0001f4a9\n"), min_size=1, max_size=50))
def test_marks_that_reorder_a_text_are_seen_alike(texts: list[str]) -> None:
    assert scripts(*(["visible", text] for text in texts)) == [visible(text) for text in texts]


LINES = st.builds(
    lambda parts: "".join(f"{letter * length}{end}" for letter, length, end in parts),
    st.lists(
        st.tuples(st.sampled_from("aé"), st.integers(0, 3000), st.sampled_from(["\n", " ", ""])),
        min_size=3,
        max_size=9,
    ),
)


@few
@given(st.lists(LINES, min_size=1, max_size=20))
def test_a_long_text_is_cut_at_the_same_places(texts: list[str]) -> None:
    texts = [text for text in texts if len(text) > LONGEST] or ["a" * (LONGEST + 1)]
    assert scripts(*(["pieces", text] for text in texts)) == [pieces(text) for text in texts]


SYLLABLES = [*"ab:/@ .\n\"'=", "e\u0301", "\U0001f4a9", "\u202e", "token", "apiKey", "pin"]
WORDY = st.lists(st.sampled_from(SYLLABLES), max_size=12).map("".join)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | WORDY,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(WORDY, inner, max_size=4),
    max_leaves=8,
)
ARGUMENTS = st.dictionaries(WORDY, VALUES, max_size=6).map(json.dumps)
BROKEN = st.tuples(ARGUMENTS, st.integers(0, 200)).map(lambda cut: cut[0][: cut[1]])


@few
@given(st.lists(ARGUMENTS | BROKEN | WORDY, min_size=1, max_size=200))
def test_arguments_make_the_same_line(texts: list[str]) -> None:
    assert scripts(*(["summary", text] for text in texts)) == [summary(text) for text in texts]


def test_a_text_has_the_same_tokens_at_least() -> None:
    texts = ["", "a", "four", "eight...", "\U0001f4a9" * 8, "é" * 1_001]
    assert scripts(*(["leastTokens", text] for text in texts)) == [least_tokens(len(text)) for text in texts]


def test_a_size_has_the_same_words() -> None:
    sizes = [0, 1, 1023, 1024, 1075, 1280, 10_189, 10_240, 10_752, 1_048_575, 1_048_576, 1_310_720, 5 * 2**30]
    assert scripts(*(["sizeInWords", size] for size in sizes)) == [size_in_words(size) for size in sizes]


def test_files_and_texts_have_the_same_limits() -> None:
    limits = [LONGEST_TEXT, attached.LARGEST, str(TooLarge()), str(Empty())]
    assert scripts(["limits"]) == [limits]


FILES = st.lists(
    st.tuples(
        st.sampled_from([("image", "png"), ("document", "pdf"), ("document", "csv")]),
        st.sampled_from([1, attached.STRICTEST.document_bytes, 5 * attached.MB, 23 * attached.MB]),
    ),
    max_size=25,
)
MODELS = st.tuples(
    st.sampled_from(["anthropic.claude-sonnet-4", "amazon.nova-pro", "cohere.command-r"]),
    st.sampled_from([True, False, None]),
    st.sampled_from([True, False, None]),
)


@fewer
@given(st.lists(st.tuples(FILES, MODELS), min_size=1, max_size=40))
def test_the_same_is_wrong_with_files(cases: list[tuple[Any, tuple[str, bool | None, bool | None]]]) -> None:
    requests, problems = [], []
    for sizes, (model, pictures, documents) in cases:
        capabilities = Capabilities(takes_pictures=pictures, takes_documents=documents)
        rules = attached.rules("The model", attached.limits_of(model), capabilities)
        files = [{"kind": kind, "format": form, "size": size} for (kind, form), size in sizes]
        requests.append(["problemOf", files, rules])
        problems.append(attached.problem(files, rules))
    assert scripts(*requests) == problems


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-999, 999) | st.text('aé"\n', max_size=4),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["text", "json", "b"]), inner, max_size=3)
    ),
    max_leaves=5,
)
PARTS = st.lists(st.fixed_dictionaries({"text": st.text("ab")}) | st.fixed_dictionaries({"json": PLAIN}))
USES = st.fixed_dictionaries({"toolUseId": st.just("s"), "name": st.text("ab"), "input": PLAIN})
RESULTS = st.fixed_dictionaries(
    {
        "toolUseId": st.just("s"),
        "type": st.sampled_from(["search_result", "search"]),
        "content": PARTS | st.text("ab"),
    }
)
SERVER_TOOLS = st.fixed_dictionaries({"toolUse": USES}) | st.fixed_dictionaries({"toolResult": RESULTS})


@fewer
@given(st.lists(SERVER_TOOLS, min_size=1, max_size=60))
def test_a_tool_that_a_provider_ran_has_the_same_texts(parts: list[dict[str, Any]]) -> None:
    messages = [
        {
            "role": "activity",
            "activityType": "turntable.server_tool",
            "content": {"server_tool": part},
            "metadata": {},
        }
        for part in parts
    ]
    texts = [[activities.name(one), activities.arguments(one), activities.outcome(one)] for one in messages]
    assert scripts(*(["serverTool", message] for message in messages)) == texts


def test_the_same_cards_open_by_themselves() -> None:
    errors = [
        "",
        "denied",
        "stopped",
        "expired",
        "interrupted",
        "cut",
        "timeout",
        "tool_error",
        "unknown_tool",
    ]
    cases = [
        (message("call", 1, "1", is_cut), result_of(status, error, is_cut=is_late))
        for status in ("success", "error")
        for error in (errors if status == "error" else [""])
        for is_cut in (True, False)
        for is_late in (True, False)
    ]
    open_blocks = [sections(Page(1, list(case), [TURN]))[0].parts[0] for case in cases]
    blocks = [one.blocks[0] if isinstance(one, Attempt) else one for one in open_blocks]
    assert scripts(*(["opens", *case] for case in cases)) == [block.is_open for block in blocks]


def result_of(status: str, error: str, *, is_cut: bool) -> dict[str, Any]:
    result = message("result", 2, "1", is_cut)
    result["metadata"] |= {"status": status} | ({"error": error} if error else {})
    return result


TAGS = ["<think>", "</think>", "<thinking>", "</THINKING>", "<thi", "</th", "<"]
WORDS = [*TAGS, "a", "`", "```", "~~~", "-", ">", "xxx", " ", "\n", "\n\n", "    "]
TAGGED = st.lists(st.sampled_from(WORDS), max_size=20).map("".join)


@few
@given(st.lists(st.tuples(TAGGED, st.booleans()), min_size=1, max_size=200))
def test_the_thoughts_in_a_text_are_the_same(texts: list[tuple[str, bool]]) -> None:
    results = scripts(*(["thoughts", text, is_open] for text, is_open in texts))
    assert results == [[list(part) for part in parts_of(text, is_open=is_open)] for text, is_open in texts]


def test_an_end_has_the_same_sentence() -> None:
    statuses = ["queued", "running", "waiting", "stopped", "completed", "failed", "interrupted"]
    reasons = [*SENTENCES["stopReason"], None, "a new \u202eone"]
    ends = [
        ({"status": status, "stopReason": reason}, has_answer)
        for status in statuses
        for reason in reasons
        for has_answer in (True, False)
    ]
    _, *results = scripts(
        ["sentences", SENTENCES], *(["notice", turn, has_answer] for turn, has_answer in ends)
    )
    assert results == [notice(turn, has_answer=has_answer) for turn, has_answer in ends]


def message(kind: str, number: int, attempt: str, interrupted: bool) -> dict[str, Any]:
    """A message of a turn's record, as the journal keeps it."""
    marks = {"turn": "t"} | ({"interrupted": True} if interrupted else {})
    if kind == "call":
        call = {"id": f"c{number}", "type": "function", "function": {"name": "f", "arguments": "{}"}}
        return {"id": f"call:c{number}", "role": "assistant", "toolCalls": [call], "metadata": marks}
    if kind in ACTIVITIES:
        content = {"messageId": "any"} | ACTIVITIES[kind]
        activity = {
            "role": "activity",
            "activityType": f"turntable.{kind.split(maxsplit=1)[0]}",
            "content": content,
        }
        return {"id": f"t:{attempt}:{number}", **activity, "metadata": marks}
    if kind == "result":
        shared = {"role": "tool", "toolCallId": f"c{number - 1}", "content": "ok"}
        return {"id": f"result:{number}", **shared, "metadata": marks | {"status": "success"}}
    text = "<think>a</think>b" if kind == "thought" else "text"
    text = "" if kind == "blank" and not interrupted else text
    role = "assistant" if kind in ("blank", "text", "thought") else kind
    return {"id": f"t:{attempt}:{number}", "role": role, "content": text, "metadata": marks}


ACTIVITIES: dict[str, dict[str, Any]] = {
    "image": {"format": "png"},
    "citation": {"citation": {"title": "Manual"}},
    "server_tool use": {"server_tool": {"toolUse": {"toolUseId": "s", "name": "search", "input": {}}}},
    "server_tool result": {"server_tool": {"toolResult": {"toolUseId": "s", "content": [{"text": "ok"}]}}},
}
KIND = st.sampled_from(["user", "text", "thought", "blank", "reasoning", "call", "result", *ACTIVITIES])
MESSAGES = st.lists(st.tuples(KIND, st.sampled_from(["1", "1.1", "2"]), st.booleans()), max_size=12)
TURN = {"id": "t", "status": "completed", "stopReason": "end_turn", "error": None}


def part(one: Block | Attempt) -> Any:
    """A part of a section as `twins.js` names it."""
    return one.id if isinstance(one, Block) else [one.key, [block.id for block in one.blocks], one.is_last]


def parts(messages: list[dict[str, Any]]) -> list[Any]:
    """The parts of a turn's section that are seen; the server's has blank texts too, without a height."""
    [section] = sections(Page(1, messages, [TURN]))
    seen_parts = [part(one) for one in section.parts if isinstance(one, Attempt) or one.is_shown]
    return [[section.key, seen_parts]] if seen_parts else []


@few
@given(st.lists(MESSAGES, min_size=1, max_size=40))
def test_blocks_stand_in_the_same_groups(records: list[list[tuple[str, str, bool]]]) -> None:
    transcripts = [
        [message(kind, number, attempt, cut) for number, (kind, attempt, cut) in enumerate(record)]
        for record in records
    ]
    results = scripts(*(["parts", messages, [TURN]] for messages in transcripts))
    assert results == [parts(messages) for messages in transcripts]


@few
@given(st.lists(st.lists(st.text("a\U0001f4a9é", min_size=1, max_size=3), min_size=1), min_size=1))
def test_merged_deltas_come_apart_alike(records: list[list[str]]) -> None:
    lines = []
    for number, deltas in enumerate(records):
        event = {"type": "TEXT_MESSAGE_CONTENT", "delta": "".join(deltas), "timestamp": 1000 * number}
        boundaries = [[at, len(delta)] for at, delta in enumerate(deltas)] if len(deltas) > 1 else []
        lines.append((json.dumps(event), json.dumps(boundaries) if boundaries else ""))
    [result] = scripts(["moments", ["\t".join(line) for line in lines]])
    assert result == [[moment.at, moment.event["delta"]] for moment in timeline(lines)]


@pytest.mark.parametrize(("text", "line"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_arguments_are_one_line_as_they_are_in_the_script(text: str, line: str) -> None:
    assert summary(text) == line
