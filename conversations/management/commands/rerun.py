"""A stored conversation, asked again."""

import json
import re
import sys
from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from conversations import engine
from conversations.errors import Refused
from conversations.management.approvals import answers
from conversations.management.terminal import printable
from conversations.management.users import conversation_with, user_named
from conversations.rerun import Options, Pair, Rerun, against, fixtures, rerun

STOP_TIMEOUT = 60.0
"""Seconds in which a turn that Ctrl+C stopped may end."""

UNASKED = "There are messages left that were not asked again."


class Command(BaseCommand):
    """`python manage.py rerun ID`."""

    help = (
        "Asks the user messages of a stored conversation again, in a new conversation, and prints what differs. "
        "Tool calls are answered from the record unless --tools live is given. Exit code 1 where something differs."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Adds the arguments."""
        which = parser.add_mutually_exclusive_group(required=True)
        which.add_argument("id", metavar="ID", nargs="?", help="the conversation")
        which.add_argument(
            "--continue", metavar="ID", dest="onto", help="go on with a rerun that was broken off"
        )
        which.add_argument(
            "--against", metavar="FILE", type=Path, help="check a fixture, which answers itself: no gateway"
        )
        parser.add_argument("--model", metavar="ID", help="another model")
        parser.add_argument("--system", metavar="TEXT", help="another system prompt")
        parser.add_argument(
            "--inference", metavar="JSON", type=_object, help="another inferenceConfig, beside maxTokens"
        )
        parser.add_argument("--tools", choices=["recorded", "live"], default="recorded", help="(recorded)")
        parser.add_argument(
            "--on-miss", choices=["stop", "error", "live"], default="stop",
            help="a call that is not in the record: ends the rerun, is answered with an error, is run (stop)",
        )  # fmt: skip
        parser.add_argument("--turns", metavar="N-M", type=_range, help="these messages alone, from 1")
        parser.add_argument("--json", action="store_true", help="print JSON")
        parser.add_argument(
            "--user", metavar="NAME", help="whose the new conversation is (the old one's owner's)"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Asks again and prints the report; exits with 1 on a difference, raises CommandError if refused."""
        try:
            rerun = self._rerun(options)
            with _cleanup(rerun):
                is_same = self._report(rerun, self._run(rerun), is_json=options["json"])
        except Refused as refused:
            raise CommandError(str(refused)) from None
        if not is_same:
            raise SystemExit(1)

    def _rerun(self, options: dict[str, Any]) -> Rerun:
        how = Options(
            model=options["model"],
            system=options["system"],
            inference=options["inference"],
            tools=options["tools"],
            miss=options["on_miss"],
            numbers=options["turns"],
        )
        if options["against"]:
            file = fixtures.read(options["against"])
            return against(file, user_named(options["user"]), how, tell=self._tell)
        onto = conversation_with(options["onto"]) if options["onto"] else None
        old = onto.rerun_of if onto else conversation_with(options["id"])
        if old is None:
            raise Refused(f"Conversation {options['onto']} is no rerun, or what it is one of was deleted.")
        owner = user_named(options["user"]) if options["user"] else None
        return rerun(old, how, onto=onto, owner=owner, tell=self._tell)

    def _run(self, rerun: Rerun) -> list[Pair]:
        """Runs the rerun to its end or to Ctrl-C; returns the turns that were asked."""
        pairs: list[Pair] = []
        rerun.approve = partial(answers, out=sys.stderr)
        try:
            pairs += rerun.run()
        except KeyboardInterrupt:
            engine.stop(rerun.conversation.pk)
            engine.WORKER.wait(timeout=STOP_TIMEOUT)
            self.stderr.write("Stopped.")
        return pairs

    def _report(self, rerun: Rerun, pairs: list[Pair], *, is_json: bool) -> bool:
        """Prints the report; returns whether all was asked and nothing differs."""
        report = {
            "rerun": str(rerun.conversation.pk),
            "rerunOf": str(rerun.conversation.rerun_of_id) if rerun.conversation.rerun_of_id else None,
            "complete": rerun.complete,
            "differs": any(pair.differs for pair in pairs),
            "turns": [pair.as_json() for pair in pairs],
        }
        if is_json:
            self.stdout.write(json.dumps(report, indent=1))
        else:
            lines = [line for pair in pairs for line in pair.as_text()]
            self.stdout.write("\n".join([*map(printable, lines), _result(report)]))
        if not (rerun.complete or rerun.gateway):
            self.stderr.write(f"{UNASKED} Go on with: rerun --continue {rerun.conversation.pk}")
        return rerun.complete and not report["differs"]

    def _tell(self, text: str) -> None:
        self.stderr.write(printable(text))


@contextmanager
def _cleanup(rerun: Rerun) -> Iterator[None]:
    """Deletes the new conversation afterwards if it is a check against a file, or empty."""
    try:
        yield
    finally:
        if rerun.gateway or not rerun.conversation.turns.exists():
            rerun.conversation.delete()


def _result(report: dict[str, Any]) -> str:
    result = "something differs" if report["differs"] else "nothing differs"
    unasked = "" if report["complete"] else ", and it was not asked to its end"
    where = f"in conversation {report['rerun']}" if report["rerunOf"] else "against the file"
    return f"Asked again {where}: {result}{unasked}."


def _range(text: str) -> range:
    match = re.fullmatch(r"([0-9]+)(?:-([0-9]*))?", text)
    if not match:
        raise ArgumentTypeError(f"{text} is no range of messages: say 3, 2-5 or 2-")
    first, last = int(match[1]), match[2]
    return range(first, first + 1 if last is None else int(last or 10**6) + 1)


def _object(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise ArgumentTypeError(f"{text} is no JSON object")
    return value
