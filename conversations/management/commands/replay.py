"""A recording in the terminal."""

import time
from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Iterable
from contextlib import suppress
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from conversations import playback
from conversations.errors import Refused
from conversations.management.terminal import RecordingPrinter
from conversations.management.users import conversation_with
from conversations.protocol.agui.timeline import LONGEST_PAUSE, Cue, cues

LONG_PAUSE = 5.0
"""Seconds from which on a pause is announced."""


class Command(BaseCommand):
    """`python manage.py replay ID`."""

    help = (
        "Plays the recording of a stored conversation at its own pace. Calls neither the gateway nor a tool."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Adds the arguments."""
        parser.add_argument("id", metavar="ID", help="the conversation")
        parser.add_argument(
            "--speed", metavar="N", type=speed, default=1.0, help="times its own pace; 0 plays it at once (1)"
        )
        parser.add_argument("--skip-waiting", action="store_true", help="leave 1 s of every longer pause")

    def handle(self, *args: Any, **options: Any) -> None:
        """Plays the recording; Ctrl-C ends it."""
        try:
            conversation = conversation_with(options["id"])
        except Refused as refused:
            raise CommandError(str(refused)) from None
        moments = playback.moments(conversation)
        longest = LONGEST_PAUSE if options["skip_waiting"] else None
        self.printer = RecordingPrinter(self.stdout)
        with suppress(KeyboardInterrupt):
            self._play(cues(moments, longest), options["speed"])
        self.printer.end_line()

    def _play(self, cues: Iterable[Cue], speed: float) -> None:
        began = time.monotonic()
        for cue in cues:
            if speed:
                self._wait(cue, began + cue.at / 1000 / speed)
            self.printer.show(cue.moment.event)

    def _wait(self, cue: Cue, until: float) -> None:
        if cue.skipped:
            self.printer.skip(cue.skipped)
        seconds = until - time.monotonic()
        if seconds > LONG_PAUSE:
            self.stderr.write(f"[{seconds:.0f} s pass; --skip-waiting leaves 1 s of a pause]")
        if seconds > 0:
            time.sleep(seconds)


def speed(text: str) -> float:
    """A number of 0 or more; raises ArgumentTypeError."""
    try:
        number = float(text)
    except ValueError:
        number = -1
    if not 0 <= number < float("inf"):
        raise ArgumentTypeError(f"{text} is no speed: say 0, 1, 2.5 ...")
    return number
