"""A conversation's turns as the tree that they are: each follows on another, several on the same one where something was asked again."""

from collections import defaultdict
from dataclasses import dataclass, field
from typing import NamedTuple
from uuid import UUID

from .conversation import Conversation, Turn


class Node(NamedTuple):
    """A turn in its tree."""

    parent: UUID | None
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
        """A conversation's; `head` is where its shown branch ends."""
        head = Conversation.objects.values_list("head", flat=True).get(pk=conversation)
        rows = Turn.objects.filter(conversation=conversation).order_by("number")
        told = rows.values_list("pk", "parent", "number", "status")
        tree = cls(
            {pk: Node(parent, number, status != "queued") for pk, parent, number, status in told}, head
        )
        for pk, node in tree.nodes.items():
            tree.children[node.parent].append(pk)
        return tree

    def line(self, turn: UUID | None) -> list[UUID]:
        """The turn and what it follows on, oldest first."""
        found: list[UUID] = []
        while turn is not None:
            found.append(turn)
            turn = self.nodes[turn].parent
        return found[::-1]

    def shown(self) -> list[UUID]:
        """The turns of the shown branch that have begun, oldest first."""
        head = self.head if self.head in self.nodes else self._newest()
        return [turn for turn in self.line(head) if self.nodes[turn].has_begun]

    def _newest(self) -> UUID | None:
        """The newest turn that has begun: one that waits has no place in the tree yet."""
        return next((turn for turn, node in reversed(self.nodes.items()) if node.has_begun), None)

    def versions(self, turn: UUID) -> list[UUID]:
        """The turns that follow on the same one and have begun, itself among them, oldest first."""
        return [pk for pk in self.children[self.nodes[turn].parent] if self.nodes[pk].has_begun]

    def end(self, turn: UUID) -> UUID:
        """The newest end of the branches that a turn is on."""
        return max(self._under(turn), key=lambda pk: self.nodes[pk].number)

    def _under(self, turn: UUID) -> list[UUID]:
        found = [turn]
        for pk in found:  # grows as it goes
            found += self.children[pk]
        return found

    @property
    def has_branches(self) -> bool:
        """Whether any turn has another beside it that has begun."""
        begun = {pk: node.parent for pk, node in self.nodes.items() if node.has_begun}
        return len(set(begun.values())) < len(begun)
