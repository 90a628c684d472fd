"""The benchmarks.

`python -m bench floor`: what a delta costs from the gateway to the socket, beside AWS's own sample loop.
`python -m bench turn`: the first delta, the CPU time and the statements of a turn of one delta.
`python -m bench agui`: the first delta over AG-UI by HTTP, beside that by the socket.
`python -m bench silent`: what turns cost that wait for a silent gateway.
`python -m bench workers`: what a second worker process brings.
`python -m bench peers`: the same load on FastAPI with boto3, and on Chainlit.
`python -m bench crash`: what is lost when the server is killed, again and again.
`python -m bench search`: how long a search takes in a million messages.
`python -m bench library`: how long the lists of 50,000 conversations take, among a million messages.
`python -m bench admin`: how long the operator waits for pages over a million tool calls.
`python -m bench replay`: how long a long conversation takes to open in the player, and to seek in it.
`python -m bench upload`: what an attached file adds to the memory of each web server.
`python -m bench upstream`: what the embedded gateway adds to an answer of the server behind it.
`python -m bench mcp`: what the product adds to a call of an MCP server's tool.
`python -m bench page`: how smooth the chat's page is in Chromium.
"""

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from random import SystemRandom

from . import (
    admin,
    agui,
    crash,
    floor,
    library,
    mcp,
    page,
    peers,
    replay,
    search,
    silent,
    turn,
    upload,
    upstream,
    workers,
)
from .crash.kills import kill
from .crash.report import as_json, text
from .report import Report, Tell
from .services import Missing


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Parses the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m bench", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(required=True)
    modules = {
        "turn": turn,
        "agui": agui,
        "silent": silent,
        "workers": workers,
        "peers": peers,
        "search": search,
        "library": library,
        "upload": upload,
        "mcp": mcp,
        "upstream": upstream,
        "page": page,
        "replay": replay,
        "admin": admin,
    }
    for name, module in modules.items():
        module.add_options(_command(commands, name, module.__doc__, module.report))
    floor.add_floor_options(_command(commands, "floor", floor.__doc__, floor.report))
    _crash_options(_command(commands, "crash", crash.__doc__, run_crash))
    return parser.parse_args(arguments)


def _command(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]",
    name: str,
    description: str | None,
    run: Callable[[argparse.Namespace, Tell], Report],
) -> argparse.ArgumentParser:
    parser = commands.add_parser(name, help=description, description=description)
    parser.add_argument("--json", action="store_true", help="print everything as JSON")
    parser.set_defaults(run=run)
    return parser


def _crash_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--kills", type=int, default=50, help="how often (50)")
    parser.add_argument("--seed", type=int, help="repeats the same moments and questions (a new one)")


def run_crash(options: argparse.Namespace, tell: Tell) -> Report:
    """Kills the server; all is well without a violation."""
    seed = SystemRandom().randrange(1_000_000) if options.seed is None else options.seed
    tell(f"seed {seed}")
    outcome = kill(options.kills, seed, lambda number: tell(f"{number} of {options.kills} kills"))
    return Report(text(outcome, seed), as_json(outcome, seed), not outcome.violations)


def _tell(line: str) -> None:
    print(line, file=sys.stderr)


def main() -> None:
    """Measures and prints; exits with 1 if something was lost or a goal is not met."""
    options = parse()
    try:
        report = options.run(options, _tell)
    except Missing as missing:
        sys.exit(f"Not measured: {missing}.")
    print(json.dumps(report.data, indent=1) if options.json else report.text)
    sys.exit(0 if report.is_well else 1)


if __name__ == "__main__":
    main()
