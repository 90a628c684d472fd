"""The phrases that begin with `show`, and replies that each have one thing that real streams have."""

import base64
import json
import re
from collections.abc import Callable
from dataclasses import replace

from conversations.demo_gateway import ordinary, texts
from conversations.demo_gateway.conversation import Conversation
from conversations.demo_gateway.reply import Block, Reply, call, say, sign, text

Play = Callable[[Conversation, str], Reply]
"""Makes the reply to a conversation, from the rest of the question."""

NO_TOOL = "The request offers no tool, so there is nothing to call."


def before(*blocks: Block) -> Play:
    """These blocks, then the ordinary answer to the rest of the question."""

    def play(conversation: Conversation, rest: str) -> Reply:
        reply = ordinary.respond(conversation, rest) if rest else say("That was it.")
        return replace(reply, blocks=(*blocks, *reply.blocks))

    return play


reasoning = before(
    {"reasoningContent": {"reasoningText": {"text": texts.THOUGHT, "signature": sign(texts.THOUGHT)}}}
)
unsigned_reasoning = before(
    {"reasoningContent": {"reasoningText": {"text": texts.THOUGHT}}}
)  # as gpt-oss streams it
redacted_reasoning = before(
    {"reasoningContent": {"redactedContent": base64.b64encode(sign(texts.THOUGHT).encode()).decode()}}
)
thinking_as_text = say(f"<thinking>{texts.THOUGHT}</thinking>\n\n{texts.SENTENCES[0]}")
picture = {"image": {"format": "png", "source": {"bytes": texts.PNG}}}
citations = Reply(tuple(texts.CITATIONS))


def tool_call(conversation: Conversation, rest: str) -> Reply:
    """A call of the tool that fits best.

    Its arguments are from the rest of the question or from the tool's own examples.
    """
    if not conversation.tools:
        return say(NO_TOOL)
    return ordinary.calling([ordinary.best(conversation, rest)], rest)


def parallel(conversation: Conversation, rest: str) -> Reply:
    """Calls of all tools on offer; of a lone tool at least two, if its description has examples for them."""
    tools = conversation.tools
    if not tools:
        return say(NO_TOOL)
    reply = ordinary.calling(tools, rest, several=len(tools) == 1)
    return reply if len(reply.blocks) > 1 else ordinary.calling(tools * 2, rest)


def unknown_tool(conversation: Conversation, rest: str) -> Reply:
    """A call of a tool that is not on offer."""
    request = call("ask_the_jukebox", {"question": rest})
    return Reply((text("I will ask the jukebox."), request), stop="tool_use")


def broken_input(conversation: Conversation, rest: str) -> Reply:
    """A tool call whose input ends too early to be JSON."""
    name = ordinary.best(conversation, rest).name if conversation.tools else "top_song"
    return Reply((text("I will look that up."), call(name, '{"sign": "WZ')), stop="tool_use")


def reused_id(conversation: Conversation, rest: str) -> Reply:
    """A tool call whose id is the tool's name, as some models make them up."""
    reply = tool_call(conversation, rest)
    if reply.stop != "tool_use":
        return reply
    *before, last = reply.blocks[:2]
    use = last["toolUse"]
    return replace(reply, blocks=(*before, {"toolUse": {**use, "toolUseId": use["name"]}}))


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
    return say(texts.sections(int(number[0]) if number else 1000))


def stop_reason(conversation: Conversation, rest: str) -> Reply:
    """An answer that stops for the reason that the question names."""
    name = (rest.split() or ["lunch_break"])[0].strip(".,;:!?\"'`")
    if name == "guardrail_intervened":
        blocked = {"actionReason": "Guardrail blocked.", "modelOutput": [texts.SENTENCES[3]]}
        return replace(say("The guardrail blocked this."), stop=name, trace={"guardrail": blocked})
    return replace(say(f"This answer stops with {name}."), stop=name)


def summary(conversation: Conversation, rest: str) -> Reply:
    """What the request held: the model, the roles, the texts, the tools and the settings."""
    lines = [
        f"Model: `{conversation.model}`",
        f"System: {conversation.system or 'none'}",
        f"Tools: {', '.join(tool.name for tool in conversation.tools) or 'none'}",
        f"Settings: `{json.dumps(conversation.body.get('inferenceConfig') or {})}`",
    ]
    for number, message in enumerate(conversation.messages, 1):
        contents = (str(block.get("text") or next(iter(block))) for block in message["content"])
        lines.append(f"{number}. {message['role']}: {', '.join(contents)}")
    return say("\n".join(lines))


ROWS: tuple[tuple[str, str, Reply | Play], ...] = (
    ("show a tool call", "a call of the offered tool that fits best", tool_call),
    ("show parallel calls", "several tool calls in one message", parallel),
    ("show tool loop", "a tool call after every result, for ever", tool_call),
    ("show unknown tool", "a call of a tool that is not on offer", unknown_tool),
    ("show broken tool input", "a tool call whose input is not JSON", broken_input),
    ("show reused id", "a tool call whose id is the tool's name, every time", reused_id),
    ("show a server tool", "a tool that runs on the model's side, then an answer to the rest", server_tool),
    ("show reasoning", "reasoning with its signature, then an answer to the rest", reasoning),
    ("show redacted reasoning", "reasoning that nobody may read", redacted_reasoning),
    ("show unsigned reasoning", "reasoning without a signature", unsigned_reasoning),
    ("show thinking as text", "reasoning in tags within the text, as Nova writes it", thinking_as_text),
    ("show citations", "text with its sources", citations),
    ("show markdown", "headings, a list, a table, code, a link and a quote", say(texts.MARKDOWN)),
    ("show formulas", "formulas, code in two languages, a table and a list of tasks", say(texts.FORMULAS)),
    ("show a long answer", "twenty paragraphs", say(texts.paragraphs(20))),
    ("show characters NUMBER", "an answer of that length, as far as its limit allows", characters),
    ("show slow", "sentences with two seconds between them", replace(say(texts.paragraphs(3)), pause=2.0)),
    ("show blank text", "empty text blocks round the text", blank),
    ("show nothing", "an answer without any content block", Reply(())),
    ("show a picture", "a small PNG", Reply((text("A record, seen from the side:"), picture))),
    ("show no usage", "an answer without its metadata event", replace(say(texts.SENTENCES[0]), metadata=False)),
    ("show an unknown event", "an event that nobody knows yet", replace(say(texts.SENTENCES[1]), strange=True)),
    ("show stop reason NAME", "any stop reason, known or not", stop_reason),
    ("show the conversation", "what the request held", summary),
)  # fmt: skip
