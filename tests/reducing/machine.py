"""Two tabs read a record while it is written, over faulty lines, and come to the same state."""

from typing import Any, ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from conversations.protocol.agui.snapshot import Snapshot
from tests.reducing.reader import Reader, fresh
from tests.reducing.record import Record

TABS = st.sampled_from([0, 1])
TEXT = st.text(
    st.sampled_from("aé \n*`<&\u202e\N{PILE OF POO}\N{COMBINING ACUTE ACCENT}\N{REPLACEMENT CHARACTER}\x01"),
    max_size=6,
)


class Reading(RuleBasedStateMachine):
    """The server's moves and the lines' faults, in any order."""

    vectors: ClassVar[list[dict[str, Any]]] = []
    """Test vectors for other reducers: the frames that a tab received, and its state at the end."""

    def __init__(self) -> None:
        super().__init__()
        self.record = Record()
        self.tabs = [Reader(self.record), Reader(self.record)]

    @rule(choices=st.lists(st.tuples(st.integers(0, 11), TEXT), min_size=3, max_size=12))
    def write(self, choices: list[tuple[int, str]]) -> None:
        """The server goes on."""
        for choice, text in choices:
            moves = self.record.moves()
            moves[choice % len(moves)](text)
        for tab in self.tabs:
            tab.push()

    @rule(text=TEXT)
    def call_a_tool(self, text: str) -> None:
        """The server goes through a round with a tool call, and is in the next."""
        while not self.record.may_step():
            self.record.moves()[-1](text)
        for move in ("step", "call", "part", "end", "finish_step", "answer", "step", "text", "part"):
            getattr(self.record, move)(text)
        for tab in self.tabs:
            tab.push()

    @precondition(lambda self: self.record.running)
    @rule(choice=st.integers(0, 5), text=TEXT)
    def cut_short(self, choice: int, text: str) -> None:
        """The process dies, the user stops, or the gateway fails."""
        faults = self.record.faults()
        faults[choice % len(faults)](text)
        for tab in self.tabs:
            tab.push()

    @rule(tab=TABS, number=st.integers(1, 12))
    def deliver(self, tab: int, number: int) -> None:
        """Frames arrive."""
        self.tabs[tab].deliver(number)

    @rule(tab=TABS, at=st.integers(0, 20))
    def lose(self, tab: int, at: int) -> None:
        """A frame is lost."""
        del self.tabs[tab].line[at : at + 1]

    @rule(tab=TABS, at=st.integers(0, 20), again=st.integers(0, 20))
    def repeat(self, tab: int, at: int, again: int) -> None:
        """A frame comes a second time, at once or later."""
        line = self.tabs[tab].line
        line[again:again] = line[at : at + 1]

    @rule(tab=TABS, at=st.integers(0, 20))
    def reorder(self, tab: int, at: int) -> None:
        """A frame overtakes another."""
        line = self.tabs[tab].line
        line[at : at + 2] = line[at : at + 2][::-1]

    @rule(tab=TABS, after=st.integers(0, 200))
    def reconnect(self, tab: int, after: int) -> None:
        """A socket is lost; the next begins somewhere in the record."""
        self.tabs[tab].reconnect(min(after, len(self.record.events)))

    @rule(tab=TABS)
    def resynchronise(self, tab: int) -> None:
        """A tab that was asleep begins with a snapshot."""
        self.tabs[tab].resynchronise()

    @invariant()
    def every_tab_shows_what_was_true_at_its_cursor(self) -> None:
        """Nothing is missing, twice or in another order; texts are beginnings of those that are stored."""
        snapshots = [Snapshot("").apply(turn) for turn in self.record.turns]
        stored = {message["id"]: message.get("content") for one in snapshots for message in one.as_list()}
        for tab in self.tabs:
            view = tab.view()
            assert view == fresh(self.record, tab.cursor)
            for message in view["messages"]:
                content = message.get("content") or ""
                whole = stored[message["id"]] or ""
                assert whole == content if isinstance(content, dict) else whole.startswith(content)

    def teardown(self) -> None:
        """All lines are mended: both tabs come to what a new page shows."""
        now = fresh(self.record)
        for tab in self.tabs:
            tab.reconnect()
            tab.deliver(len(tab.line))
            assert tab.view() == now
            self.vectors.append({"frames": tab.frames, "end": now})
