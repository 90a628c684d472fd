"""What the demo gateway answers to a valid request, from the request alone."""

from conversations.demo_gateway import ordinary, phrases
from conversations.demo_gateway.conversation import Conversation
from conversations.demo_gateway.phrases import Phrase
from conversations.demo_gateway.reply import Answer, Reply, limited, say

LOOP = "show tool loop"
FIRST = ("what did i ask first", "what was my first question", "what did i say first")
RECOVERED = "This is the second try of the same request. The first one failed, as it was asked to."


def answer(conversation: Conversation, tried: bool = False) -> Answer:
    """The reply, or the failure that the question names.

    `tried` says that this very request has failed once already.
    """
    if title := ordinary.title(conversation.question):
        return say(title)
    phrase = phrases.find(conversation.question)
    rest = phrases.rest(conversation.question, phrase) if phrase else conversation.question
    reply: Answer
    if phrase and not tried and _due(conversation, phrase):
        reply = phrase.answer(conversation, rest)
    elif conversation.results:
        reply = say(ordinary.tell(conversation.results, rest))
    else:
        reply = say(RECOVERED) if tried else _ordinary(conversation, rest)
    return limited(reply, conversation.most) if isinstance(reply, Reply) else reply


def fails_once(conversation: Conversation) -> bool:
    """Whether this request is to fail now, and not when it is sent again."""
    phrase = phrases.find(conversation.question)
    once = "once" in phrases.modifiers(conversation.question)
    return bool(phrase and phrase.fails and once and _due(conversation, phrase))


def _due(conversation: Conversation, phrase: Phrase) -> bool:
    """Whether a phrase is played in this round; after tool results only the loop and what fails later."""
    if phrase.fails:
        return ("later" in phrases.modifiers(conversation.question)) == bool(conversation.results)
    return not conversation.results or phrase.say == LOOP


def _ordinary(conversation: Conversation, question: str) -> Reply:
    if any(wording in question.lower() for wording in FIRST):
        return say(f"Your first message was: “{conversation.questions[0]}”")
    return ordinary.respond(conversation, question)
