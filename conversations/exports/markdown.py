"""A conversation for reading: Markdown, its tool calls folded."""

from collections.abc import Iterator

from conversations.models import Conversation, Round, Turn
from conversations.protocol.agui.events import result_text
from conversations.protocol.converse import attached
from conversations.protocol.converse.content import plain_text

from .blocks import as_text, code_block, details, line, paragraphs, quote
from .format import Document
from .whole import document


def as_markdown(conversation: Conversation) -> str:
    """The conversation's turns in order, whatever branch they are on."""
    return "\n\n".join(_paragraphs(document(conversation))) + "\n"


def _paragraphs(export: Document) -> Iterator[str]:
    yield f"# {line(export['title'] or 'Untitled')}"
    yield f"Model: {line(export['model'])}. Begun {export['createdAt']}."
    if export["system"]:
        yield "System prompt:\n\n" + quote(export["system"])
    calls: dict[tuple[str, int, int], list[Document]] = {}
    for call in export["toolCalls"]:
        calls.setdefault((call["turn"], call["round"], call["attempt"]), []).append(call)
    for turn in export["turns"]:
        yield from _turn(turn, calls)


def _turn(turn: Document, calls: dict[tuple[str, int, int], list[Document]]) -> Iterator[str]:
    yield "## You"
    content = turn["message"]["content"]
    yield from (f"*Attached: {line(file['name'])}*" for file in attached.facts(content))
    if plain_text(content).strip():
        yield quote(plain_text(content))
    yield "## Assistant"
    for row in turn["rounds"]:
        if row["status"] == Round.Status.INTERRUPTED:
            yield "*An attempt that was interrupted:*"
        name = f"{turn['number']}-{row['number']}-{row['attempt']}"
        yield from paragraphs(row["message"]["content"] if row["message"] else [], name)
        for call in calls.get((turn["id"], row["number"], row["attempt"]), ()):
            yield _call(call)
    if turn["status"] != Turn.Status.COMPLETED:
        yield f"*{turn['status'].capitalize()}.{' ' + line(turn['error']['message']) if turn['error'] else ''}*"


def _call(call: Document) -> str:
    arguments = as_text(call["arguments"] if call["input"] is None else call["input"])
    result = result_text(call["result"] or [])
    duration = "" if call["durationMs"] is None else f", {call['durationMs']} ms"
    heading = f"Tool call {line(call['name'])}: {call['status']}{duration}{_decision(call['approval'])}"
    return details(heading, f"{code_block(arguments)}\n\n{code_block(result)}")


def _decision(approval: Document | None) -> str:
    if approval is None:
        return ""
    by = f" by {line(approval['decidedBy'])}" if approval["decidedBy"] else ""
    return f", {approval['status']}{by}"
