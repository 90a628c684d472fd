"""The tree of a conversation's turns, in which each turn follows on another."""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple
from uuid import UUID

from .conversation import Conversation, Turn


class Node(NamedTuple):
    """A turn in its tree."""

    parent: UUID | None
    """The turn that it follows on; for a queued turn the one that it would follow on if it began now."""

    number: int
    has_begun: bool


@dataclass(frozen=True)
class Tree:
    """The turns of one conversation by their id, in the order of their numbers."""

    nodes: dict[UUID, Node]
    head: UUID | None = None
    children: dict[UUID | None, list[UUID]] = field(default_factory=lambda: defaultdict(list))

    @classmethod
    def of(cls, conversation: UUID) -> "Tree":
        """The tree of a conversation; where no head is stored, it is the newest turn that has begun."""
        head = Conversation.with_deleted.values_list("head", flat=True).get(pk=conversation)
        turns = Turn.objects.filter(conversation=conversation).order_by("number")
        rows = list(turns.values_list("pk", "parent", "number", "status", "beside", "beside__parent"))
        begun = [row[0] for row in rows if row[3] != Turn.Status.QUEUED]
        tree = cls({}, head if head in begun else next(reversed(begun), None))
        end = tree.head
        for pk, parent, number, status, beside, parent_of_beside in rows:
            has_begun = status != Turn.Status.QUEUED
            follows = parent if has_begun else parent_of_beside if beside else end
            end = end if has_begun else pk
            tree.nodes[pk] = Node(follows, number, has_begun)
            tree.children[follows].append(pk)
        return tree

    def line(self, turn: UUID | None) -> list[UUID]:
        """The turn and its ancestors, oldest first."""
        return line(turn, lambda pk: self.nodes[pk].parent)

    def active_line(self) -> list[UUID]:
        """The turns of the active branch that have begun, oldest first."""
        return self.line(self.head)

    def versions(self, turn: UUID) -> list[UUID]:
        """The turns that follow on the same one and have begun, itself among them, oldest first."""
        return [pk for pk in self.children[self.nodes[turn].parent] if self.nodes[pk].has_begun]

    def end(self, turn: UUID) -> UUID:
        """The newest end of the branches that a turn is on."""
        return max(self._subtree(turn), key=lambda pk: self.nodes[pk].number)

    def _subtree(self, turn: UUID) -> list[UUID]:
        turns = [turn]
        for pk in turns:  # grows as it goes
            turns += self.children[pk]
        return turns

    @property
    def has_branches(self) -> bool:
        """Whether two turns that have begun follow on the same one."""
        begun = {pk: node.parent for pk, node in self.nodes.items() if node.has_begun}
        return len(set(begun.values())) < len(begun)


def line(turn: UUID | None, parent: Callable[[UUID], UUID | None]) -> list[UUID]:
    """The turn and its ancestors, oldest first."""
    turns: list[UUID] = []
    while turn is not None:
        turns.append(turn)
        turn = parent(turn)
    return turns[::-1]


def line_of(turn: Turn) -> list[UUID]:
    """The turn and its ancestors by the parents that are stored, oldest first."""
    parents = Turn.objects.filter(conversation=turn.conversation_id).values_list("pk", "parent")
    return line(turn.pk, dict(parents).__getitem__)


def active_line(conversation: Conversation) -> list[Turn]:
    """The turns of the active branch that have begun, oldest first."""
    return list(conversation.turns.filter(pk__in=Tree.of(conversation.pk).active_line()).order_by("number"))
