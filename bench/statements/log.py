"""The statements that a site wrote down, by turn."""

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from statistics import fmean
from typing import NamedTuple

from bench.load import ShortTurn

CONTROL = re.compile(r"(BEGIN|COMMIT|ROLLBACK|SAVEPOINT|RELEASE)\b", re.IGNORECASE)
WRITES = re.compile(r"(INSERT|UPDATE|DELETE|REPLACE)\b", re.IGNORECASE)
NUMBER = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|\d+")


class Statement(NamedTuple):
    """When in microseconds, by which thread, whether in an atomic block, and what."""

    at: int
    thread: str
    is_atomic: bool
    sql: str

    @property
    def is_control(self) -> bool:
        """Whether it only begins or ends a transaction."""
        return bool(CONTROL.match(self.sql))

    @property
    def is_commit(self) -> bool:
        """Whether it ends a transaction, or is a writing one by itself."""
        return self.sql == "COMMIT" or (not self.is_atomic and bool(WRITES.match(self.sql)))


class Counts(NamedTuple):
    """What a turn took, on average; `threads` are statements by the name of the thread, its ids and numbers left out."""

    statements: float
    before: float
    transactions: float
    threads: dict[str, float]


def read(path: Path) -> list[Statement]:
    """All that was written down, in order."""
    return sorted(Statement(*json.loads(line)) for line in path.read_text().splitlines())


def of_turn(statements: Iterable[Statement], turns: Sequence[ShortTurn], number: int) -> list[Statement]:
    """Statements from one turn's asking to the next one's."""
    begin = turns[number].asked
    end = turns[number + 1].asked if number + 1 < len(turns) else float("inf")
    return [statement for statement in statements if begin <= statement.at < end]


def counts(statements: Sequence[Statement], turns: Sequence[ShortTurn]) -> Counts:
    """Averages over the turns."""
    by_turn = [of_turn(statements, turns, number) for number in range(len(turns))]
    real = [[one for one in turn if not one.is_control] for turn in by_turn]
    threads = Counter(NUMBER.sub("*", one.thread) for turn in real for one in turn)
    before = [
        sum(one.at < turn.sent for one in statements) for turn, statements in zip(turns, real, strict=True)
    ]
    return Counts(
        fmean(map(len, real)),
        fmean(before),
        fmean(sum(one.is_commit for one in turn) for turn in by_turn),
        {name: number / len(turns) for name, number in threads.most_common()},
    )


def listing(statements: Sequence[Statement], turns: Sequence[ShortTurn], length: int = 100) -> Iterator[str]:
    """The last but one turn's statements, a line each, in ms after the gateway was asked."""
    number = max(0, len(turns) - 2)
    for one in of_turn(statements, turns, number):
        yield f"{(one.at - turns[number].sent) / 1000:+9.2f} ms  {one.thread[-24:]:24}  {one.sql[:length]}"
