"""What the demo gateway answers to a valid request, from the request alone."""

from conversations.demo_gateway import ordinary, phrases, telling
from conversations.demo_gateway.conversation import Conversation
from conversations.demo_gateway.phrases import Phrase
from conversations.demo_gateway.reply import Answer, Reply, limited, say

LOOP = "show tool loop"
FIRST = ("what did i ask first", "what was my first question", "what did i say first")
RECOVERED = "This is the second try of the same request. The first one failed, as it was asked to."


def answer(conversation: Conversation, tried: bool = False) -> Answer:
    """The reply, or the failure that was asked for; `tried` says that this very request has failed once already."""
    found = phrases.find(conversation.question)
    rest = phrases.rest(conversation.question, found) if found else conversation.question
    chosen: Answer
    if found and not tried and _due(conversation, found):
        chosen = found.answer(conversation, rest)
    elif conversation.results:
        chosen = say(telling.tell(conversation.results, rest))
    else:
        chosen = say(RECOVERED) if tried else _ordinary(conversation, rest)
    return limited(chosen, conversation.most) if isinstance(chosen, Reply) else chosen


def fails_once(conversation: Conversation) -> bool:
    """Whether this request is to fail now, and not when it is sent again."""
    found = phrases.find(conversation.question)
    once = "once" in phrases.modifiers(conversation.question)
    return bool(found and found.fails and once and _due(conversation, found))


def _due(conversation: Conversation, found: Phrase) -> bool:
    """Whether a phrase is played in this round; after tool results only the loop and what fails later."""
    if found.fails:
        return ("later" in phrases.modifiers(conversation.question)) == bool(conversation.results)
    return not conversation.results or found.say == LOOP


def _ordinary(conversation: Conversation, question: str) -> Reply:
    if any(said in question.lower() for said in FIRST):
        return say(f"Your first message was: “{conversation.asked[0]}”")
    return ordinary.respond(conversation, question)
