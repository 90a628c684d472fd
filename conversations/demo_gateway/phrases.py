"""What the demo gateway can be told to show: one table, from which help and dispatch are both made."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from conversations.demo_gateway import failures, shows
from conversations.demo_gateway.conversation import Conversation
from conversations.demo_gateway.failures import bedrock, invalid, kong
from conversations.demo_gateway.reply import Answer, Ending, Failure, Kind, Reply, picture, say, text
from conversations.demo_gateway.texts import FORMULAS, MARKDOWN, PICTURE, SENTENCES, paragraphs


@dataclass(frozen=True)
class Phrase:
    """What to say, what it shows, and how it is played; capitals in `say` stand for a word of one's own."""

    say: str
    shows: str
    plays: Answer | Callable[[Conversation, str], Answer]

    @property
    def key(self) -> str:
        """The words that have to be there."""
        return _plain(re.sub(r"\b[A-Z]+\b", "", self.say))

    def answer(self, conversation: Conversation, rest: str) -> Answer:
        """What is played; `rest` is what the question says beside the phrase."""
        return self.plays if isinstance(self.plays, Reply | Failure) else self.plays(conversation, rest)

    @property
    def fails(self) -> bool:
        """Whether it is a failure, which can be had once or later."""
        return self.say.startswith("fail")


def _plain(text: str) -> str:
    return " ".join(word for word in re.findall(r"[a-z]+", text.lower()) if word not in ("a", "an", "the"))


def _breaks(kind: Kind, name: str = "", message: str = "", early: bool = False) -> Reply:
    return Reply((text(paragraphs(3)),), ending=Ending(kind, name, message, early))


def _raises(name: str, message: str, early: bool = False) -> Reply:
    return _breaks("exception", f"{name}Exception", message, early)


def _help(conversation: Conversation, rest: str) -> Reply:
    return say(help_text())


UNAVAILABLE = bedrock(503, "ServiceUnavailableException", failures.BUSY)
LIMITED = {"Retry-After": "1", "RateLimit-Limit": "60", "RateLimit-Remaining": "0", "RateLimit-Reset": "1"}

PHRASES = (
    Phrase("help", "this list", _help),
    Phrase("show a tool call", "a call of the offered tool that fits best", shows.tool_call),
    Phrase("show parallel calls", "several tool calls in one message", shows.parallel),
    Phrase("show tool loop", "a tool call after every result, for ever", shows.tool_call),
    Phrase("show unknown tool", "a call of a tool that is not on offer", shows.unknown_tool),
    Phrase("show broken tool input", "a tool call whose input is not JSON", shows.broken_input),
    Phrase("show reused id", "a tool call whose id is the tool's name, every time", shows.reused_id),
    Phrase("show a server tool", "a tool that runs on the model's side, then an answer to the rest", shows.server_tool),
    Phrase("show reasoning", "reasoning with its signature, then an answer to the rest", shows.signed),
    Phrase("show redacted reasoning", "reasoning that nobody may read", shows.redacted),
    Phrase("show unsigned reasoning", "reasoning without a signature", shows.unsigned),
    Phrase("show thinking as text", "reasoning in tags within the text, as Nova writes it", shows.in_text),
    Phrase("show citations", "text with its sources", shows.cited),
    Phrase("show markdown", "headings, a list, a table, code, a link and a quote", say(MARKDOWN)),
    Phrase("show formulas", "formulas, code in two languages, a table and a list of tasks", say(FORMULAS)),
    Phrase("show a long answer", "twenty paragraphs", say(paragraphs(20))),
    Phrase("show characters NUMBER", "an answer of that length, as far as its limit allows", shows.characters),
    Phrase("show slow", "sentences with two seconds between them", Reply((text(paragraphs(3)),), pause=2.0)),
    Phrase("show blank text", "empty text blocks round the text", shows.blank),
    Phrase("show nothing", "an answer without any content block", Reply(())),
    Phrase("show a picture", "a small PNG", Reply((text("A record, seen from the side:"), picture(PICTURE)))),
    Phrase("show no usage", "an answer without its metadata event", Reply((text(SENTENCES[0]),), metadata=False)),
    Phrase("show an unknown event", "an event that nobody knows yet", Reply((text(SENTENCES[1]),), strange=True)),
    Phrase("show stop reason NAME", "any stop reason, known or not", shows.stop_reason),
    Phrase("show the conversation", "what the request held", shows.retold),
    Phrase("fail once", "503 the first time, an answer the second", UNAVAILABLE),
    Phrase("fail throttled", "429 of Bedrock", bedrock(429, "ThrottlingException", failures.TOO_MANY)),
    Phrase("fail rate limit", "429 of the gateway", kong(429, "API rate limit exceeded", LIMITED)),
    Phrase("fail refused", "403 of the gateway", kong(403, "You cannot consume this service")),
    Phrase("fail key", "401 of the gateway", kong(401, "No API key found in request")),
    Phrase("fail gateway", "502 of the gateway", kong(502, failures.BAD_UPSTREAM)),
    Phrase("fail unavailable", "503 of Bedrock", UNAVAILABLE),
    Phrase("fail plugin", "400 of an AI plugin", failures.PLUGIN),
    Phrase("fail invalid", "400 of Bedrock", invalid(failures.MALFORMED)),
    Phrase("fail blocked", "400 of a guard against what the message says", Failure(400, {"error": {"message": failures.BLOCKED}})),
    Phrase("fail overflow", "the conversation is too long", invalid(failures.TOO_LONG)),
    Phrase("fail page", "an HTML page instead of a stream", failures.PAGE),
    Phrase("fail empty", "200 and nothing", Failure(200)),
    Phrase("fail timeout", "silence before the answer", Failure(0, instead="silence")),
    Phrase("fail unreachable", "the connection is closed unanswered", Failure(0, instead="close")),
    Phrase("fail silent", "silence in the middle of the text", _breaks("silent")),
    Phrase("fail cut", "a clean end in the middle of the text", _breaks("cut")),
    Phrase("fail dropped", "the connection is lost in the middle of the text", _breaks("dropped")),
    Phrase("fail half a frame", "a clean end in the middle of a frame", _breaks("half")),
    Phrase("fail checksum", "a frame with a wrong checksum", _breaks("checksum")),
    Phrase("fail stream", "an exception in the text", _raises("modelStreamError", failures.BAD_SEQUENCE)),
    Phrase("fail throttled in stream", "an exception as the first event", _raises("throttling", failures.TOO_MANY, True)),
    Phrase("fail overflow in stream", "a refusal after 200", _raises("validation", failures.TOO_LONG, True)),
    Phrase("fail unavailable in stream", "503 after 200", _raises("serviceUnavailable", failures.BUSY)),
    Phrase("fail internal in stream", "500 after 200", _raises("internalServer", failures.INTERNAL)),
    Phrase("fail error in stream", "an error frame", _breaks("error", "InternalError", failures.INTERNAL)),
)  # fmt: skip

MODIFIERS = (
    "With `once` (`fail gateway once`) the same request is answered when it is sent again. "
    "With `later` (`fail cut later: what is the most popular song on WZPZ?`) the tool is called first, "
    "and what follows its result fails."
)

_LONGEST_FIRST = sorted(PHRASES[1:], key=lambda phrase: -len(phrase.key))


def find(question: str) -> Phrase | None:
    """The phrase that a question says; the longest if it says several. `help` has to be all of it."""
    plain = _plain(question)
    if plain == "help":
        return PHRASES[0]
    return next((phrase for phrase in _LONGEST_FIRST if re.search(rf"\b{phrase.key}\b", plain)), None)


def rest(question: str, phrase: Phrase) -> str:
    """What the question says beside the phrase."""
    wording = r"\W+(?:(?:a|an|the)\W+)?".join(phrase.key.split())
    modified = r"(?:\W+(?:once|later)\b)*" if phrase.fails else ""
    return re.sub(rf"\b{wording}\b{modified}[\s:,.]*", "", question, count=1, flags=re.IGNORECASE).strip()


def modifiers(question: str) -> set[str]:
    """`once` and `later`, if the question has them."""
    return set(re.findall(r"\b(?:once|later)\b", question.lower()))


def help_text() -> str:
    """The phrases, one a line."""
    lines = [f"- `{phrase.say}`: {phrase.shows}" for phrase in PHRASES]
    return "\n".join(["Say one of these:", "", *lines, "", MODIFIERS])
