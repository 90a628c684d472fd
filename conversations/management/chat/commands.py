"""The commands of a session, which begin with a slash."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from conversations import engine
from conversations.attachments import NotTaken, inspect, store
from conversations.errors import Refused
from conversations.management.users import new_conversation, own_conversation
from conversations.models import Conversation, Model, ToolCall
from conversations.protocol.agui.events import result_text
from conversations.tools import registry

from .session import Session

LISTED = 10
"""Conversations that `/open` lists."""


class Command(NamedTuple):
    """A command: its argument and its description, as `/help` lists them, and its function."""

    argument: str
    help: str
    do: Callable[[Session, str], None]


def do(session: Session, line: str) -> None:
    """Runs the command in a line; raises Refused if there is no such command."""
    name, _, argument = line.strip().removeprefix("/").partition(" ")
    command = COMMANDS.get(name.lower())
    if command is None:
        raise Refused(
            f"There is no command /{name}. /help lists them; a message that begins with / needs two."
        )
    command.do(session, argument.strip())


def _help(session: Session, argument: str) -> None:
    lines = [
        f"{f'/{name} {command.argument}':<18}{command.help}".rstrip() for name, command in COMMANDS.items()
    ]
    keys = "Ctrl+C stops the answer. Ctrl+D ends. Alt+Enter, or a backslash before Enter, breaks the line."
    session.display.note("\n".join([*lines, keys]))


def _model(session: Session, argument: str) -> None:
    offered = Model.offered()
    if not argument:
        session.display.note("\n".join(_model_line(session, model) for model in offered))
        return
    word = argument.lower()
    named = [model for model in offered if word in (model.model_id.lower(), str(model).lower())]
    alike = named or [model for model in offered if word in f"{model.model_id} {model}".lower()]
    if len(alike) > 1:
        raise Refused(f"Several models are called {argument}: {', '.join(m.model_id for m in alike)}.")
    if not alike and "." not in argument:
        raise Refused(f"There is no model {argument}. /model lists those that are offered.")
    _choose(session, alike[0] if alike else None, argument)


def _choose(session: Session, model: Model | None, argument: str) -> None:
    """Lets the model answer from now on. One that is not offered answers in this session alone."""
    if model is None:
        session.model = argument
        session.display.note(f"{argument} answers from now on. It is not in the list of models.")
        return
    faults = engine.change_settings(session.conversation, {"model": model.model_id})
    if faults:
        raise Refused(" ".join(faults.values()))
    session.model = None
    session.conversation.model = model.model_id
    session.display.note(f"{model} answers from now on.")


def _model_line(session: Session, model: Model) -> str:
    mark = "*" if model.model_id == (session.model or session.conversation.model) else " "
    name = "" if str(model) == model.model_id else f"  {model}"
    return f"{mark} {model.model_id}{name}"


def _regenerate(session: Session, argument: str) -> None:
    engine.regenerate(session.conversation, model=argument or session.offered_model)


def _tools(session: Session, argument: str) -> None:
    names = registry.names()
    if argument and argument not in names:
        raise Refused(f"There is no tool {argument}. /tools lists them.")
    session.conversation.refresh_from_db()
    off = session.conversation.tools_off
    if argument:
        engine.change_settings(session.conversation, {f"tool-{argument}": "on" if argument in off else "off"})
        session.conversation.refresh_from_db()
        off = session.conversation.tools_off
    lines = [f"{name}: {'off' if name in off else 'on'}{_asks(name)}" for name in names]
    session.display.note("\n".join(lines) or "There are no tools.")


def _asks(name: str) -> str:
    tool = registry.get(name)
    return ", asks you first" if tool and tool.approval else ""


def _result(session: Session, argument: str) -> None:
    calls = session.display.calls
    number = int(argument) if argument.isascii() and argument.isdigit() else len(calls)
    if not 0 < number <= len(calls) or (argument and not argument.isdigit()):
        raise Refused("There is no such call. /result 1 shows the first one, /result the last.")
    rows = ToolCall.objects.filter(conversation=session.conversation)
    call = rows.get(tool_use_id=calls[number - 1])
    arguments = json.dumps(call.input, ensure_ascii=False, indent=2)
    session.display.plain(f"{call.name} {arguments}\n{result_text(call.result or [])}")


def _attach(session: Session, argument: str) -> None:
    path = Path(argument).expanduser()
    try:
        with path.open("rb") as file:
            row = store(session.conversation, file, inspect(file, path.name))
    except OSError as error:
        raise Refused(f"{argument or 'No file'} cannot be read: {error.strerror}.") from None
    except NotTaken as problem:
        raise Refused(str(problem)) from None
    session.files.append(row)
    session.display.note(f"{row.name} goes with the next message.")


def _new(session: Session, argument: str) -> None:
    session.next = new_conversation(session.user, argument or session.model or session.conversation.model)


def _open(session: Session, argument: str) -> None:
    rows = Conversation.objects.owned_by(session.user).exclude(turns=None).order_by("-updated_at")[:LISTED]
    if not argument:
        lines = [f"{number:>2}  {row}" for number, row in enumerate(rows, 1)]
        session.display.note("\n".join([*lines, "/open NUMBER goes there."]))
        return
    is_number = argument.isascii() and argument.isdigit()
    if is_number and not 0 < int(argument) <= len(rows):
        raise Refused("There is no such number. /open lists the newest conversations.")
    session.next = rows[int(argument) - 1] if is_number else own_conversation(session.user, argument)


def _quit(session: Session, argument: str) -> None:
    raise EOFError


COMMANDS = {
    "help": Command("", "this list", _help),
    "model": Command("[ID]", "lists the models, or has another one answer", _model),
    "regenerate": Command(
        "[ID]", "asks the last message again, with another model if one is named", _regenerate
    ),
    "tools": Command("[NAME]", "lists the tools, or switches one on or off", _tools),
    "result": Command(
        "[N]", "shows a call's arguments and result whole, the last one's without a number", _result
    ),
    "attach": Command("PATH", "attaches a file to the next message", _attach),
    "new": Command("", "begins another conversation", _new),
    "open": Command("[N or ID]", "lists the newest conversations, or goes to one", _open),
    "quit": Command("", "ends, as Ctrl+D does", _quit),
}
