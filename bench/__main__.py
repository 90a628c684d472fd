"""`python -m bench floor`: what a delta costs from the gateway to the socket, beside AWS's own sample loop."""

import argparse
import json
import sys
from collections.abc import Sequence

from .floor import measure
from .machine import cores
from .plan import Plan
from .report import as_json, table


def parsed(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    floor = parser.add_subparsers(required=True).add_parser(
        "floor", help="boto3's loop and the whole way, compared"
    )
    floor.add_argument(
        "--streams", type=_numbers, default=[1, 50, 100, 200], help="at a time, with commas (1,50,100,200)"
    )
    floor.add_argument("--seconds", type=float, default=10.0, help="measured in each run (10)")
    floor.add_argument("--rate", type=float, default=50.0, help="deltas a second of each stream (50)")
    floor.add_argument(
        "--repeat", type=int, default=3, help="runs of each, of which the medians are told (3)"
    )
    floor.add_argument("--json", action="store_true", help="print everything as JSON")
    return parser.parse_args(arguments)


def _numbers(text: str) -> list[int]:
    return [int(number) for number in text.split(",")]


def main() -> None:
    """Measure, and print."""
    asked = parsed()
    plans = [Plan(streams, asked.rate, asked.seconds) for streams in asked.streams]
    spread = cores()
    levels = measure(plans, asked.repeat, spread, lambda text: print(text, file=sys.stderr))
    print(json.dumps(as_json(levels, plans, spread), indent=1) if asked.json else table(levels, spread))


if __name__ == "__main__":
    main()
