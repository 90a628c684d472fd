"""Small streams of every kind, also of those that recordings rarely have."""

from typing import Any

from tests.protocol.recorded import Stream

Event = tuple[str, dict[str, Any]]
Block = dict[str, Any]

USAGE = {"inputTokens": 7, "outputTokens": 5, "totalTokens": 12}
METADATA: Event = ("metadata", {"usage": USAGE, "metrics": {"latencyMs": 1200}, "p": "abcdef"})
BEGIN: Event = ("messageStart", {"role": "assistant", "p": "abc"})
PIXEL = "iVBORw0KGgo="


def start(index: int, **begun: Any) -> Event:
    return "contentBlockStart", {"contentBlockIndex": index, "start": begun, "p": "abcd"}


def tool_start(index: int, tool_use_id: str = "t1", name: str = "top_song", **more: Any) -> Event:
    return start(index, toolUse={"toolUseId": tool_use_id, "name": name, **more})


def delta(index: int, **content: Any) -> Event:
    return "contentBlockDelta", {"contentBlockIndex": index, "delta": content, "p": "ab"}


def text(index: int, content: str) -> Event:
    return delta(index, text=content)


def arguments(index: int, fragment: str) -> Event:
    return delta(index, toolUse={"input": fragment})


def reasoning(index: int, **content: str) -> Event:
    return delta(index, reasoningContent=content)


def stop(index: int) -> Event:
    return "contentBlockStop", {"contentBlockIndex": index, "p": "abcde"}


def end(reason: str = "end_turn") -> list[Event]:
    return [("messageStop", {"stopReason": reason, "p": "a"}), METADATA]


def use(tool_use_id: str = "t1", name: str = "top_song", /, **inputs: Any) -> Block:
    return {"toolUse": {"toolUseId": tool_use_id, "name": name, "input": inputs}}


def _stream(name: str, events: list[Event], content: list[Block], reason: str | None = "end_turn") -> Stream:
    usage = USAGE if METADATA in events else {}
    return Stream(name, [BEGIN, *events], content, reason, usage, request={}, model="demo")


CITATION = {"title": "WKRP", "location": {"web": {"url": "https://example.org", "domain": "example.org"}}}
SERVER_USE = {"toolUseId": "s1", "name": "nova_grounding", "type": "server_tool_use"}
SERVER_RESULT = {"toolUseId": "s1", "type": "nova_grounding_result", "status": "success"}

OWN = [
    _stream("text", [text(0, "Hello"), text(0, " there."), stop(0), *end()], [{"text": "Hello there."}]),
    _stream(
        "signed-reasoning",
        [
            *(reasoning(0, text="17 + 23"), reasoning(0, text=" = 40"), reasoning(0, signature="c2ln")),
            *(stop(0), text(1, "40"), stop(1), *end()),
        ],
        [
            {"reasoningContent": {"reasoningText": {"text": "17 + 23 = 40", "signature": "c2ln"}}},
            {"text": "40"},
        ],
    ),
    _stream(
        "redacted-reasoning",
        [reasoning(0, redactedContent="AAEC"), stop(0), text(1, "Done."), stop(1), *end()],
        [{"reasoningContent": {"redactedContent": "AAEC"}}, {"text": "Done."}],
    ),
    _stream(
        "parallel-tools",
        [
            *(
                tool_start(0, "t1"),
                arguments(0, ""),
                arguments(0, '{"sign": "W'),
                arguments(0, 'ZPZ"}'),
                stop(0),
            ),
            *(tool_start(1, "t2"), arguments(1, '{"sign": "WKRP"}'), stop(1), *end("tool_use")),
        ],
        [use("t1", sign="WZPZ"), use("t2", sign="WKRP")],
        "tool_use",
    ),
    _stream("tool-without-fragments", [tool_start(0), stop(0), *end("tool_use")], [use()], "tool_use"),
    _stream(
        "tool-with-an-empty-fragment",
        [tool_start(0), arguments(0, ""), stop(0), *end("tool_use")],
        [use()],
        "tool_use",
    ),
    _stream(
        "tool-with-broken-arguments",
        [tool_start(0), arguments(0, '{"sign": '), stop(0), *end("tool_use")],
        [{"toolUse": {"toolUseId": "t1", "name": "top_song", "input": '{"sign": '}}],
        "tool_use",
    ),
    _stream(
        "citation-before-its-text",
        [delta(0, citation=CITATION), text(0, "It says so."), stop(0), text(1, " Yes."), stop(1), *end()],
        [
            {"citationsContent": {"content": [{"text": "It says so."}], "citations": [CITATION]}},
            {"text": " Yes."},
        ],
    ),
    _stream(
        "citation-alone",
        [
            text(0, "4.0.6"),
            stop(0),
            delta(1, citation=CITATION),
            delta(1, citation=CITATION),
            stop(1),
            *end(),
        ],
        [
            {"text": "4.0.6"},
            {"citationsContent": {"content": [{"text": ""}], "citations": [CITATION, CITATION]}},
        ],
    ),
    _stream(
        "server-tool",
        [
            *(start(0, toolUse=SERVER_USE), arguments(0, '{"query": "hits"}'), stop(0)),
            *(start(1, toolResult=SERVER_RESULT), delta(1, toolResult=[{"text": "[HIDDEN]"}]), stop(1)),
            *(tool_start(2, type="tool_use"), arguments(2, "{}"), stop(2), *end("tool_use")),
        ],
        [
            {"toolUse": SERVER_USE | {"input": {"query": "hits"}}},
            {"toolResult": SERVER_RESULT | {"content": [{"text": "[HIDDEN]"}]}},
            {"toolUse": {"toolUseId": "t1", "name": "top_song", "type": "tool_use", "input": {}}},
        ],
        "tool_use",
    ),
    _stream(
        "image",
        [start(0, image={"format": "png"}), delta(0, image={"source": {"bytes": PIXEL}}), stop(0), *end()],
        [{"image": {"format": "png", "source": {"bytes": PIXEL}}}],
    ),
    _stream(
        "blank-text",
        [text(0, ""), stop(0), text(1, "\n\n"), stop(1), tool_start(2), stop(2), *end("tool_use")],
        [{"text": ""}, {"text": "\n\n"}, use()],
        "tool_use",
    ),
    _stream(
        "interleaved",
        [
            *(
                text(1, "One "),
                reasoning(0, text="hm"),
                tool_start(2),
                text(1, "two"),
                arguments(2, "{"),
                stop(0),
            ),
            *(arguments(2, "}"), stop(2), stop(1), *end("tool_use")),
        ],
        [{"reasoningContent": {"reasoningText": {"text": "hm"}}}, {"text": "One two"}, use()],
        "tool_use",
    ),
    _stream(
        "split-surrogates", [text(0, "a\ud83d"), text(0, "\ude00b"), stop(0), *end()], [{"text": "a😀b"}]
    ),
    _stream(
        "cut",
        [text(0, "I'll look"), stop(0), tool_start(1), arguments(1, '{"sign": "W')],
        [{"text": "I'll look"}, {"toolUse": {"toolUseId": "t1", "name": "top_song", "input": '{"sign": "W'}}],
        None,
    ),
    _stream("no-metadata", [text(0, "Hi"), stop(0), end()[0]], [{"text": "Hi"}]),
    _stream(
        "no-block-stops",
        [text(0, "Hi"), tool_start(1), *end("tool_use")],
        [{"text": "Hi"}, use()],
        "tool_use",
    ),
    _stream("empty-answer", end(), []),
    _stream(
        "newer-than-this-code",
        [
            *(
                ("contentBlockMood", {"contentBlockIndex": 0}),
                text(0, "Hi"),
                delta(0, hologram={"data": "x"}),
            ),
            *(
                start(1, hologram={"id": "h"}),
                reasoning(1, colour="blue"),
                stop(1),
                stop(0),
                *end("pause_turn"),
            ),
        ],
        [{"text": "Hi"}],
        "pause_turn",
    ),
]
