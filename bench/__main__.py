"""`python -m bench floor`: what a delta costs from the gateway to the socket, beside AWS's own sample loop.
`python -m bench crash`: what is lost when the server is killed, again and again.
`python -m bench admin`: what the operator waits for, over a million tool calls.
`python -m bench page`: how smooth the chat's page is in Chromium.
"""

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from random import SystemRandom

from . import admin, crash, floor, machine, page, replay, report
from .crash.kills import kill
from .crash.report import as_json, text
from .plan import Plan

Told = tuple[str, object, bool]
"""What to print for people, as JSON, and whether all is well."""


def parsed(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    commands = parser.add_subparsers(required=True)
    _floor_options(commands.add_parser("floor", help="boto3's loop and the whole way, compared"))
    _crash_options(commands.add_parser("crash", help=crash.__doc__))
    _replay_options(commands.add_parser("replay", help=replay.__doc__))
    _admin_options(commands.add_parser("admin", help=admin.__doc__))
    _page_options(commands.add_parser("page", help=page.__doc__))
    return parser.parse_args(arguments)


def _floor_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--streams", type=_numbers, default=[1, 50, 100, 200], help="at a time, with commas (1,50,100,200)"
    )
    parser.add_argument("--seconds", type=float, default=10.0, help="measured in each run (10)")
    parser.add_argument("--rate", type=float, default=50.0, help="deltas a second of each stream (50)")
    parser.add_argument("--repeat", type=int, default=3, help="runs of each, whose medians are told (3)")
    _json_option(parser, run_floor)


def _crash_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--kills", type=int, default=50, help="how often (50)")
    parser.add_argument("--seed", type=int, help="repeats the same moments and questions (a new one)")
    _json_option(parser, run_crash)


def _replay_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--turns", type=int, default=100, help="of the conversation (100)")
    parser.add_argument("--events", type=int, default=100_000, help="of the conversation (100,000)")
    parser.add_argument("--seeks", type=int, default=30, help="to moments by chance (30)")
    _json_option(parser, run_replay)


def _admin_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--calls", type=int, default=1_000_000, help="tool calls in the database (1,000,000)")
    parser.add_argument("--repeat", type=int, default=5, help="looks at each page, whose median is told (5)")
    _json_option(parser, run_admin)


def _page_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--characters", type=int, default=1_000_000, help="of the answer (1,000,000)")
    parser.add_argument(
        "--turns", type=_numbers, default=[0, 100, 1000], help="of conversations, with commas (0,100,1000)"
    )
    _json_option(parser, run_page)


def _json_option(parser: argparse.ArgumentParser, run: Callable[[argparse.Namespace], Told]) -> None:
    parser.add_argument("--json", action="store_true", help="print everything as JSON")
    parser.set_defaults(run=run)


def _numbers(text: str) -> list[int]:
    return [int(number) for number in text.split(",")]


def run_floor(asked: argparse.Namespace) -> Told:
    """Measures the way of a delta."""
    plans = [Plan(streams, asked.rate, asked.seconds) for streams in asked.streams]
    spread = machine.cores()
    levels = floor.measure(plans, asked.repeat, spread, _tell)
    return report.table(levels, spread), report.as_json(levels, plans, spread), True


def run_crash(asked: argparse.Namespace) -> Told:
    """Kills the server; all is well without a violation."""
    seed = SystemRandom().randrange(1_000_000) if asked.seed is None else asked.seed
    _tell(f"seed {seed}")
    outcome = kill(asked.kills, seed, lambda number: _tell(f"{number} of {asked.kills} kills"))
    return text(outcome, seed), as_json(outcome, seed), not outcome.violations


def run_replay(asked: argparse.Namespace) -> Told:
    """Measures opening and seeking in the player; all is well within the times that are due."""
    measured = replay.measure(asked.turns, asked.events, asked.seeks, _tell)
    return replay.text(measured), replay.as_json(measured), measured.is_well


def run_admin(asked: argparse.Namespace) -> Told:
    """Opens the operator's pages; all is well when each is there in time."""
    measured = admin.measure(asked.calls, asked.repeat, _tell)
    return admin.text(measured), admin.as_json(measured), measured.well


def run_page(asked: argparse.Namespace) -> Told:
    """Measures the chat's page; all is well when each figure is below its limit."""
    measured = page.measure(asked.characters, asked.turns, _tell)
    return page.text(measured), page.as_json(measured), page.is_well(measured)


def _tell(text: str) -> None:
    print(text, file=sys.stderr)


def main() -> None:
    """Measure, and print; 1 if something was lost."""
    asked = parsed()
    people, machines, well = asked.run(asked)
    print(json.dumps(machines, indent=1) if asked.json else people)
    sys.exit(0 if well else 1)


if __name__ == "__main__":
    main()
