"""The statements that a site logged, by turn."""

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
    """A statement, its time in microseconds, its thread, and whether it is in an atomic block."""

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
    """The averages of a turn; `threads` are statements by the name of the thread without its numbers."""

    statements: float
    before: float
    transactions: float
    threads: dict[str, float]


def read(path: Path) -> list[Statement]:
    """All statements of a log, in order."""
    return sorted(Statement(*json.loads(line)) for line in path.read_text().splitlines())


def of_turn(statements: Iterable[Statement], turns: Sequence[ShortTurn], number: int) -> list[Statement]:
    """Statements from one turn's question to the next one's."""
    begin = turns[number].asked_at
    end = turns[number + 1].asked_at if number + 1 < len(turns) else float("inf")
    return [statement for statement in statements if begin <= statement.at < end]


def counts(statements: Sequence[Statement], turns: Sequence[ShortTurn]) -> Counts:
    """Averages over the turns."""
    by_turn = [of_turn(statements, turns, number) for number in range(len(turns))]
    real = [[statement for statement in turn if not statement.is_control] for turn in by_turn]
    threads = Counter(NUMBER.sub("*", statement.thread) for turn in real for statement in turn)
    before = [
        sum(statement.at < turn.sent_at for statement in statements)
        for turn, statements in zip(turns, real, strict=True)
    ]
    return Counts(
        fmean(map(len, real)),
        fmean(before),
        fmean(sum(statement.is_commit for statement in turn) for turn in by_turn),
        {name: number / len(turns) for name, number in threads.most_common()},
    )


def listing(statements: Sequence[Statement], turns: Sequence[ShortTurn], length: int = 100) -> Iterator[str]:
    """The last but one turn's statements, a line each, in ms after the gateway's first delta."""
    number = max(0, len(turns) - 2)
    for statement in of_turn(statements, turns, number):
        yield f"{(statement.at - turns[number].sent_at) / 1000:+9.2f} ms  {statement.thread[-24:]:24}  {statement.sql[:length]}"
