"""What the demo gateway can show: one table, from which help and dispatch are both made."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

from conversations.demo_gateway import failures, ordinary, shows
from conversations.demo_gateway.conversation import Conversation
from conversations.demo_gateway.reply import Answer, Failure, Reply, limited, say

LOOP = "show tool loop"
FIRST_QUESTION = ("what did i ask first", "what was my first question", "what did i say first")
RECOVERED = "This is the second try of the same request. The first one failed, as it was asked to."
MODIFIERS = (
    "With `once` (`fail gateway once`) the same request is answered when it is sent again. "
    "With `later` (`fail cut later: what is the most popular song on WZPZ?`) the tool is called first, "
    "and what follows its result fails."
)


@dataclass(frozen=True)
class Phrase:
    """What to say, what it shows, and how it is played; capitals in `say` stand for a word of one's own."""

    say: str
    shows: str
    plays: Answer | Callable[[Conversation, str], Answer]

    @property
    def fails(self) -> bool:
        """Whether it is a failure, which can be had once or later."""
        return self.say.startswith("fail")

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """The phrase in a question, its modifiers included; articles may be there or not."""
        words = (word for word in re.findall(r"\b[a-z]+\b", self.say) if word not in ("a", "an", "the"))
        wording = r"\W+(?:(?:a|an|the)\W+)?".join(words)
        modified = r"(?:\W+(?:once|later)\b)*" if self.fails else ""
        return re.compile(rf"\b{wording}\b{modified}[\s:,.]*", re.IGNORECASE)

    def rest_of(self, question: str) -> str:
        """What a question says beside the phrase."""
        return self.pattern.sub("", question, count=1).strip()


PHRASES = (
    Phrase("help", "this list", lambda conversation, rest: say(help_text())),
    *(Phrase(*row) for row in (*shows.ROWS, *failures.ROWS)),
)


def answer(conversation: Conversation, was_tried: Callable[[], bool]) -> Answer:
    """The reply, or the failure that the question names.

    `was_tried` tells of a request that is to fail once whether it has failed already.
    """
    question = conversation.question
    phrase = find(question)
    rest = phrase.rest_of(question) if phrase else question
    is_due = bool(phrase and _is_due(phrase, conversation))
    is_second = bool(phrase and phrase.fails and is_due and "once" in _modifiers(question)) and was_tried()
    reply: Answer
    if title := ordinary.title(question):
        reply = say(title)
    elif phrase and is_due and not is_second:
        reply = (
            phrase.plays if isinstance(phrase.plays, Reply | Failure) else phrase.plays(conversation, rest)
        )
    elif conversation.results:
        reply = say(ordinary.tell(conversation.results, rest))
    elif is_second:
        reply = say(RECOVERED)
    elif any(wording in question.lower() for wording in FIRST_QUESTION):
        reply = say(f"Your first message was: “{conversation.questions[0]}”")
    else:
        reply = ordinary.respond(conversation, rest)
    return limited(reply, conversation.limit) if isinstance(reply, Reply) else reply


def _is_due(phrase: Phrase, conversation: Conversation) -> bool:
    """Whether a phrase is played in this round; after tool results only the loop and what fails later."""
    if phrase.fails:
        return ("later" in _modifiers(conversation.question)) == bool(conversation.results)
    return not conversation.results or phrase.say == LOOP


def _modifiers(question: str) -> list[str]:
    return re.findall(r"\b(?:once|later)\b", question.lower())


def find(question: str) -> Phrase | None:
    """The phrase that a question says; the longest if it says several. `help` has to be all of it."""
    if re.fullmatch(r"\W*help\W*", question, re.IGNORECASE):
        return PHRASES[0]
    phrases = (phrase for phrase in PHRASES[1:] if phrase.pattern.search(question))
    return max(phrases, key=lambda phrase: len(phrase.say), default=None)


def help_text() -> str:
    """The phrases, one a line."""
    lines = [f"- `{phrase.say}`: {phrase.shows}" for phrase in PHRASES]
    return "\n".join(["Say one of these:", "", *lines, "", MODIFIERS])
