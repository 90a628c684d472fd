"""Replies to the phrases that begin with `show`: each has one thing that real streams have."""

import base64
import json
import re
from collections.abc import Callable
from dataclasses import replace

from conversations.demo_gateway import ordinary
from conversations.demo_gateway.conversation import Conversation
from conversations.demo_gateway.reply import Block, Reply, call, say, sign, text
from conversations.demo_gateway.texts import SENTENCES, SOURCES, THOUGHT, sections

Play = Callable[[Conversation, str], Reply]
"""Makes the reply from what was asked, and the rest of the question."""

NO_TOOL = "The request offers no tool, so there is nothing to call."


def before(*blocks: Block) -> Play:
    """These blocks, then the ordinary answer to the rest of the question."""

    def play(conversation: Conversation, rest: str) -> Reply:
        reply = ordinary.respond(conversation, rest) if rest else say("That was it.")
        return replace(reply, blocks=(*blocks, *reply.blocks))

    return play


signed = before({"reasoningContent": {"reasoningText": {"text": THOUGHT, "signature": sign(THOUGHT)}}})
unsigned = before({"reasoningContent": {"reasoningText": {"text": THOUGHT}}})  # as gpt-oss streams it
redacted = before(
    {"reasoningContent": {"redactedContent": base64.b64encode(sign(THOUGHT).encode()).decode()}}
)
in_text = Reply((text(f"<thinking>{THOUGHT}</thinking>\n\n{SENTENCES[0]}"),))
cited = Reply(
    (
        text(SENTENCES[0]),
        {"citationsContent": {"citations": [SOURCES[0]]}},
        {"citationsContent": {"content": [{"text": SENTENCES[2]}], "citations": [SOURCES[1]]}},
    )
)


def tool_call(conversation: Conversation, rest: str) -> Reply:
    """A call of the tool that fits best.

    Its arguments are from the rest of the question or from the tool's own examples.
    """
    if not conversation.tools:
        return say(NO_TOOL)
    return ordinary.calling([ordinary.best(conversation, rest)], rest)


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
    """A tool of the model's own, its result and a text, as Nova's code interpreter streams them."""
    name = "nova_code_interpreter"
    request = call(name, {"snippet": "1234 * 5678"})["toolUse"] | {"type": "server_tool_use"}
    output = {"json": {"stdOut": "7006652", "stdErr": "", "exitCode": 0, "isError": False}}
    result = {"toolUseId": request["toolUseId"], "type": f"{name}_result", "status": "success"}
    result["content"] = [output]
    blocks = ({"toolUse": request}, {"toolResult": result}, text("1234 times 5678 is 7006652."))
    return before(*blocks)(conversation, rest) if rest else Reply(blocks)


def blank(conversation: Conversation, rest: str) -> Reply:
    """An empty text block, the answer to the rest, a blank one (as Nova 2 and gpt-oss stream them)."""
    reply = before(text(""))(conversation, rest)
    return replace(reply, blocks=(*reply.blocks, text("\n\n")))


def characters(conversation: Conversation, rest: str) -> Reply:
    """As many characters as the question names, a thousand if it names none."""
    number = re.search(r"\d+", rest)
    return say(sections(int(number.group()) if number else 1000))


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
