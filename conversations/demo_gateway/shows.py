"""The plays of the phrases that begin with `show`: each a reply that has one thing that real streams have."""

import base64
import json
import struct
import zlib
from dataclasses import replace

from conversations.demo_gateway import ordinary
from conversations.demo_gateway.conversation import Conversation
from conversations.demo_gateway.reasoning import sign
from conversations.demo_gateway.reply import Block, Reply, call, new_id, say, text

NO_TOOL = "The request offers no tool, so there is nothing to call."
THOUGHT = (
    "The user wants to see how reasoning looks. First it is said what is wanted, then what is known, "
    "and then what follows. Nothing more is needed."
)
MARKDOWN = """# A record shop in five lines

Bandoneon, *chanson* and **dub** on one shelf, as in [the catalogue](https://example.com/catalogue).

## What is in stock

1. Singles
   - 7 inch, 45 rpm
   - 10 inch, 78 rpm
2. Albums

| Title | Artist | Minutes |
| --- | --- | ---: |
| Elemental Hotel | 8 Storey Hike | 3.5 |
| Señora Blue | The Überground | 4.25 |

```python
def minutes(seconds: int) -> float:
    \"\"\"How long a side is.\"\"\"
    return seconds / 60 if seconds > 0 else 0.0
```

> Turn it over when the needle reaches the label.

---

Inline code is `rpm = 100 / 3`, and <b>HTML</b> stays as it was written.
"""
SENTENCES = (
    "A turntable turns a record at a steady speed while a needle follows its groove.",
    "The groove holds the sound as a wave, and the needle gives it back as a voltage.",
    "Thirty-three and a third turns a minute suit an album, forty-five suit a single.",
    "A worn needle is changed before it wears the record, which cannot be changed.",
    "What is heard at last is the shop's choice, the engineer's — and a little of the dust's.",
)
SOURCES = (
    {
        "title": "Turntables",
        "location": {"web": {"url": "https://example.com/turntables", "domain": "example.com"}},
    },
    {
        "title": "Manual",
        "sourceContent": [{"text": "thirty-three and a third turns a minute"}],
        "location": {"documentChar": {"documentIndex": 0, "start": 10, "end": 49}},
    },
)


def paragraphs(count: int) -> str:
    """That many paragraphs about turntables, numbered."""
    turned = [[SENTENCES[(number + step) % 5] for step in range(4)] for number in range(count)]
    return "\n\n".join(f"{number}. {' '.join(sentences)}" for number, sentences in enumerate(turned, 1))


def tool_call(conversation: Conversation, rest: str) -> Reply:
    """A call of the tool that fits best, its arguments from the rest of the question or the tool's own examples."""
    if not conversation.tools:
        return say(NO_TOOL)
    return ordinary.calling([ordinary.best(conversation, rest)], rest)


def loop(conversation: Conversation, rest: str) -> Reply:
    """The same as a tool call, again after each result."""
    return tool_call(conversation, rest)


def parallel(conversation: Conversation, rest: str) -> Reply:
    """Calls of all tools on offer; of a lone tool at least two, if its description has examples for them."""
    if not conversation.tools:
        return say(NO_TOOL)
    alone = len(conversation.tools) == 1
    reply = ordinary.calling(conversation.tools, rest, several=alone)
    if alone and len(reply.blocks) < 2:
        return replace(reply, blocks=reply.blocks + ordinary.calling(conversation.tools, rest).blocks)
    return reply


def unknown_tool(conversation: Conversation, rest: str) -> Reply:
    """A call of a tool that is not on offer."""
    return Reply(
        (text("I will ask the jukebox."), call("ask_the_jukebox", {"question": rest})), stop="tool_use"
    )


def broken_input(conversation: Conversation, rest: str) -> Reply:
    """A tool call whose input ends too early to be JSON."""
    name = ordinary.best(conversation, rest).name if conversation.tools else "top_song"
    return Reply((text("I will look that up."), call(name, '{"sign": "WZ')), stop="tool_use")


def reused_id(conversation: Conversation, rest: str) -> Reply:
    """A tool call whose id is the tool's name, as some models make them up."""
    reply = tool_call(conversation, rest)
    blocks = [
        {"toolUse": {**block["toolUse"], "toolUseId": block["toolUse"]["name"]}}
        if "toolUse" in block
        else block
        for block in reply.blocks
    ]
    return replace(reply, blocks=tuple(blocks[:2]))


def server_tool(conversation: Conversation, rest: str) -> Reply:
    """A tool of the model's own, with its result and the text that follows (as Nova's code interpreter streams it)."""
    use, name = new_id(), "nova_code_interpreter"
    ran = {"stdOut": "7006652", "stdErr": "", "exitCode": 0, "isError": False}
    result = {"toolUseId": use, "type": f"{name}_result", "status": "success", "content": [{"json": ran}]}
    asked = {"toolUseId": use, "name": name, "input": {"snippet": "1234 * 5678"}, "type": "server_tool_use"}
    blocks = ({"toolUse": asked}, {"toolResult": result}, text("1234 times 5678 is 7006652."))
    return _after(conversation, rest, *blocks) if rest else Reply(blocks)


def _thought(words: str) -> Block:
    return {"reasoningContent": {"reasoningText": {"text": words, "signature": sign(words)}}}


def _after(conversation: Conversation, rest: str, *blocks: Block) -> Reply:
    """These blocks, then the ordinary answer to the rest of the question."""
    reply = ordinary.respond(conversation, rest) if rest else say("That was it.")
    return replace(reply, blocks=(*blocks, *reply.blocks))


def reasoned(conversation: Conversation, rest: str) -> Reply:
    """Signed reasoning, then the answer to the rest."""
    return _after(conversation, rest, _thought(THOUGHT))


def redacted(conversation: Conversation, rest: str) -> Reply:
    """Redacted reasoning, then the answer to the rest."""
    hidden = base64.b64encode(sign(THOUGHT).encode()).decode()
    return _after(conversation, rest, {"reasoningContent": {"redactedContent": hidden}})


def unsigned(conversation: Conversation, rest: str) -> Reply:
    """Reasoning without a signature (as gpt-oss streams it), then the answer to the rest."""
    return _after(conversation, rest, {"reasoningContent": {"reasoningText": {"text": THOUGHT}}})


def citations(conversation: Conversation, rest: str) -> Reply:
    """A text, a block of citations alone, and a text that cites a document."""
    web, document = SOURCES
    cited = {"citationsContent": {"content": [{"text": SENTENCES[2]}], "citations": [document]}}
    return Reply((text(SENTENCES[0]), {"citationsContent": {"citations": [web]}}, cited))


def markdown(conversation: Conversation, rest: str) -> Reply:
    """An answer with most of Markdown in it."""
    return say(MARKDOWN)


def long(conversation: Conversation, rest: str) -> Reply:
    """Twenty paragraphs."""
    return say(paragraphs(20))


def slow(conversation: Conversation, rest: str) -> Reply:
    """Three paragraphs, two seconds after each sentence."""
    return replace(say(paragraphs(3)), pause=2.0)


def blank(conversation: Conversation, rest: str) -> Reply:
    """An empty text block, the answer to the rest, a blank one (as Nova 2 and gpt-oss stream them)."""
    reply = _after(conversation, rest, text(""))
    return replace(reply, blocks=(*reply.blocks, text("\n\n")))


def nothing(conversation: Conversation, rest: str) -> Reply:
    """No block at all."""
    return Reply(())


def picture(conversation: Conversation, rest: str) -> Reply:
    """A PNG of 64 by 64, grey stripes."""
    png = base64.b64encode(_png(64)).decode()
    return Reply(
        (text("A record, seen from the side:"), {"image": {"format": "png", "source": {"bytes": png}}})
    )


def _png(size: int) -> bytes:
    rows = b"".join(b"\0" + bytes([60 + (row * 24) % 180]) * size for row in range(size))
    header = struct.pack("!IIBBBBB", size, size, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack("!I", len(data)) + kind + data + struct.pack("!I", zlib.crc32(kind + data))
        for kind, data in ((b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    )


def no_usage(conversation: Conversation, rest: str) -> Reply:
    """An answer that ends with messageStop."""
    return replace(say(SENTENCES[0]), metadata=False)


def unknown_event(conversation: Conversation, rest: str) -> Reply:
    """An answer with an event of an unknown type in it."""
    return replace(say(SENTENCES[1]), strange=True)


def stop_reason(conversation: Conversation, rest: str) -> Reply:
    """An answer that stops for the reason that the question names."""
    name = (rest.split() or ["lunch_break"])[0].strip(".,;:!?\"'`")
    if name == "guardrail_intervened":
        blocked = {"actionReason": "Guardrail blocked.", "modelOutput": [SENTENCES[3]]}
        return replace(say("The guardrail blocked this."), stop=name, trace={"guardrail": blocked})
    return replace(say(f"This answer stops with {name}."), stop=name)


def retold(conversation: Conversation, rest: str) -> Reply:
    """What the request held: the model, the roles, the texts, the tools and the settings."""
    lines = [f"Model: `{conversation.model}`", f"System: {conversation.system or 'none'}"]
    lines.append(f"Tools: {', '.join(tool.name for tool in conversation.tools) or 'none'}")
    lines.append(f"Settings: `{json.dumps(conversation.body.get('inferenceConfig') or {})}`")
    lines += [
        f"{number}. {message['role']}: {', '.join(map(_contents, message['content']))}"
        for number, message in enumerate(conversation.messages, 1)
    ]
    return say("\n".join(lines))


def _contents(block: Block) -> str:
    return str(block.get("text") or next(iter(block)))
