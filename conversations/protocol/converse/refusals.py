"""Why a gateway or a model refuses a request: its words -> a cause.

The same cause has many wordings: Bedrock's, those of the models behind it, of Kong's plugins, of LiteLLM and of servers that speak like
OpenAI's. The first row that matches counts, so the most specific rows stand first.
"""

import re
from typing import NamedTuple

OWN_CONTENT = frozenset({"content", "overflow", "room", "size"})
"""Causes that lie in the request's content, which would be refused again."""


class Refusal(NamedTuple):
    """Why a request was refused.

    `cause` is a word of the table, blank for an unknown one; `number` is a limit in tokens that the words name, `names` are the settings
    that they name.
    """

    cause: str = ""
    number: int | None = None
    names: tuple[str, ...] = ()
    is_permanent: bool = False
    """Whether the words say that the model never takes such a thing, not only that this one was bad."""


NOT = r"(?:n't|not|no|never|cannot|un)[\s-]?"
REFUSES = rf"(?:{NOT}(?:be )?(?:support|accept|allow|enabled|available|permitted|capable|valid)|unsupported|invalid|remove |deprecated)"
OVER = r"(?:exceed|too (?:large|high|big|many)|greater|larger|higher|at most|(?:less|lower) than|maximum|range|\d\s*>\s*\d)"
MOST = r"`?max(?:imum)?[ _]?(?:(?:new |new_|output[ _]?|completion[ _]?)?(?:tokens|token_?count)|gen_len)`?"
SAMPLING = r"\b(?:temperature|top[_ ]?[pk]|stop[_ ]?sequences?)\b"
PICTURE = r"(?:image|picture|vision|video|multi-?modal|mmproj)"
DOCUMENT = r"(?:\bdocument|\bpdf\b|\bfile)"
BAD = r"(?:exceed|too (?:large|big|many)|could not|match|fail|process|at most|maximum|can only contain)"
BLOCKED = r"(?:block|denied|rejected|flagged|violat|filtered|prohibit|forbidden|disallow)"

WORDINGS: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (cause, re.compile(wording, re.IGNORECASE))
    for cause, wording in (
        ("cache", r"cache[ _]?(?:point|control)|prompt[ _-]cach|cach(?:e|ing) (?:is )?(?:not|un)"),
        # the gateway's account, route or model: no changed request helps
        ("setup", r"signature (?:we|that was) calculated|signature (?:not yet current|expired)|incompletesignature|authorization header"),
        ("setup", r"security token|(?:invalid|no|missing|incorrect|expired) (?:api[ _]?key|access key|credential)|unauthori[sz]ed"),
        ("setup", r"not authorized|you don't have access|access denied|\bregion\b|quota|billing|credit balance"),
        ("setup", r"on-demand throughput|inference profile|model identifier|(?:invalid|unknown|own) model|model parameter"),
        ("setup", r"model.{0,80}(?:not found|does not exist|end of (?:its )?life)|streaming is not enabled|valid prompts"),
        ("setup", r"thrott|rate.?limit|too many requests|per (?:minute|day|second)|please wait"),
        # the sum of input and answer is too long: a shorter answer may do
        ("room", rf"(?:input length and|`?inputs`? tokens \+) {MOST}"),
        ("room", r"\d+ (?:tokens )?(?:in|from|of) (?:the |your )?(?:messages|prompt|(?:text )?input).{0,60}(?:completion|output)\)"),
        ("max_tokens", r"maximum tokens you requested|at most \d+ (?:completion|output) tokens"),
        ("max_tokens", r"maximum (?:allowed )?number of (?:output|completion) tokens"),
        ("room", rf"{MOST}.{{0,80}}too large.{{0,80}}\d+ input tokens|\(\d+ > \d+ - \d+\)"),
        ("max_tokens", rf"{MOST}\W{{0,3}} (?:\d+ is not less|integer above)|too many (?:output|completion) tokens"),
        ("max_tokens", rf"{MOST}\W{{0,3}}(?:\d+\W{{0,3}})?(?:of \d+ )?(?:must|should|value|is|cannot|can't|may not|{OVER})"),
        ("max_tokens", rf"max_?tokens.{{0,80}}{OVER}|value .{{0,60}}maxtokens"),
        ("overflow", r"(?:input|prompt)(?: is)? too long|too many (?:input |prompt )?tokens (?:in|for)|too many (?:input|prompt) tokens"),
        ("overflow", r"context[_ ](?:length|window|limit|size).{0,20}(?:exceed|is (?:only |full|\d)|of \d|\(\d|overflow)"),
        ("overflow", r"(?:exceed|longer|greater|larger|fills|beyond|over|outside).{0,60}(?:context|model) (?:length|window|limit|size)"),
        ("overflow", r"maximum (?:context|model|prompt|input|length)|exceeds? (?:the )?maximum allowed input|max_model_len"),
        ("overflow", r"(?:prompt|input)(?: token)? ?(?:tokens?|count|length)[^.]{0,40}exceed|tokens in (?:the )?request more than"),
        ("overflow", r"exceed[^.]{0,30}(?:maximum number of (?:input )?tokens|token limit)|token limit exceeded|exceeded model token"),
        ("overflow", r"reduce the length of|request contains \d+ tokens|configured context size|too large for model with"),
        ("overflow", r"current length is .*while limit is|too many total text bytes|context_window_exceeded|string too long\. expected"),
        ("overflow", r"range of input length|(?:conversation|messages?|history) (?:is|are) too long"),
        ("overflow", r"number of tokens in the (?:prompt|request|input)|max message tokens"),
        ("overflow", r"(?:prompt|input|messages?|conversation)\b[^.]{0,30}(?:at most|over|only|more than)[^.]{0,30}\d tokens"),
        ("overflow", r"(?:prompt|input|messages) (?:has|have) [\d,]+ tokens|[\d,]+ (?:input|prompt) tokens\W.{0,40}context"),
        ("reasoning", r"signature.{0,60}(?:required|missing|invalid|not valid|mismatch|n.t match|must|empty|expired)"),
        ("reasoning", r"signature.{0,60}(?:verif|corrupt|decrypt|fail)"),
        ("reasoning", r"(?:invalid|missing|expired|empty|bad|corrupt|verif|unknown|unrecogni[sz]ed|without|lacks)[^.]{0,30}signature"),
        ("reasoning", r"(?:thinking|reasoning)[^.]{0,80}(?:modified|must remain|must match|not match|unchanged|tampered|verified)"),
        ("reasoning", r"blocks must remain as they were|redacted_thinking|encrypted_content|of type 'reasoning'"),
        ("reasoning", rf"(?:reasoning|thinking)[ _]?(?:content|text|block)[^.]{{0,60}}{REFUSES}"),
        ("reasoning", rf"(?:{REFUSES}|cannot contain)[^.]{{0,40}}(?:reasoning|thinking)[ _]?(?:content|text|block)"),
        ("split", r"blocks?(?: and| with)? tool[ _]?(?:use|result|call)s?(?: content)? blocks?.{0,40}same"),
        ("split", r"(?:text|content) [^.]{0,24}\b(?:and|with|beside|alongside|next to) (?:an? )?(?:tool|function)[ _]?(?:use|call)"),
        ("split", r"either (?:a )?(?:text|content) or (?:a )?(?:tool|function)"),
        ("status", rf"\bstatus\W{{0,2}}(?:field|member)|{REFUSES}[^.]{{0,30}}\bstatus\b"),
        ("numbers", r"too (?:big|large) (?:to convert|for (?:an? )?(?:int|64))|64[- ]?bit|overflowerror|integer overflow"),
        ("numbers", r"(?:int|integer|number)\b[^.]{0,30}(?:out of range|overflow|exceed|too (?:big|large))"),
        ("numbers", r"(?:cannot|can't|unable to) (?:represent|convert|parse)[^.]{0,30}(?:int|number)"),
        ("numbers", r"out of range (?:of|for) (?:a )?(?:long|int)|unmarshal number|integer string conversion|big_?integer"),
        ("tools", r"enable-auto-tool-choice|endpoints[^.]{0,10} that support tool"),
        ("tools", rf"{REFUSES}[^.]{{0,30}}(?:tool|function)[ _-]?(?:s\b|use|usage|call|config\b(?!\.))"),
        ("tools", rf"(?:tools|(?:tool|function)[ _-]?(?:use|calls?|calling|config))\W{{0,2}} (?:is |are |in )?[^.]{{0,20}}{REFUSES}"),
        ("system", rf"{REFUSES}[^.]{{0,30}}(?:system|developer) (?:message|prompt|instruction|role|field|content)"),
        ("system", rf"(?:system|developer) (?:message|prompt|instruction|role|field|content)s?[^.]{{0,20}}{REFUSES}"),
        ("sampling", rf"{SAMPLING}.{{0,80}}(?:{REFUSES}|no longer|range|both|may only|must be|only one|constraint|(?:less|greater) than)"),
        ("sampling", rf"(?:{REFUSES}|constraint|both).{{0,60}}{SAMPLING}"),
        ("pictures", rf"{PICTURE}[^.]{{0,80}}(?:{REFUSES}|{BAD})"),
        ("pictures", r"\btext[- ]only\b|only (?:accepts|takes|supports) text|image_url|multi-?modal[^.]{0,30}disabled"),
        ("pictures", rf"(?:{REFUSES}|{BAD}|only|endpoints[^.]{{0,10}} that support|unable to)[^.]{{0,60}}{PICTURE}"),
        ("documents", rf"{DOCUMENT}[^.]{{0,80}}(?:{REFUSES}|{BAD})|(?:{REFUSES}|{BAD}|unable to)[^.]{{0,60}}{DOCUMENT}"),
        ("size", r"content length exceeded|body is (?:over|larger)"),
        ("size", r"request size limit|(?:payload|entity|body|request)[ _](?:is )?too[ _]large|does not match request body"),
        ("content", r"guard|(?:content|usage|safety|acceptable|responsible)[^.]{0,12}polic|content[ _](?:filter|moderat)|moderation"),
        ("content", r"jailbreak|(?:prompt|sql|code)[ -](?:injection|attack)|toxic|harmful|unsafe|inappropriate|offensive"),
        ("content", rf"(?:prompt|message|request|content|input|text|query|question)[^.]{{0,40}}(?:{BLOCKED}|sensitive)"),
        ("content", rf"(?:{BLOCKED}|detected|contains?)[^.]{{0,40}}(?:prompt|policy|sensitive|personal|\bpii\b|secret|card|key\b)"),
        ("content", r"\bpii\b[^.]{0,20}detected|security check"),
        ("content", r"^\W*bad request\W*$"),
        ("setup", r"tool_?config|input_?schema|json schema|tool schema|tools\.\d|toolspec|function\.parameters|schema for function"),
    )
)  # fmt: skip

NEVER = re.compile(REFUSES, re.IGNORECASE)
BOUNDS = re.compile(
    r"constraint|may only|must be|only \w+ default|(?:less|greater) than|between|\brange\b", re.IGNORECASE
)
"""Words about a setting's value, which do not say that the model lacks the setting."""

SUM = re.compile(r"(\d+)\s*\+\s*(\d+)\s*(?:>|<=)\s*(\d+)")
DIFFERENCE = re.compile(r"\d\s*>\s*(\d+)\s*-\s*(\d+)")
PARTS = re.compile(
    r"(?:length|window|limit) (?:is|of) (\d+).*?(\d+) (?:tokens )?(?:in|from|of) (?:the |your )?\w"
)
LIMITS = re.compile(
    r"(?:limit (?:of|is)|supports? (?:at most|up to|only)|at most|up to|less (?:than )?or equal to|lower than|less than|<=?|\d\s*>|"
    r"maximum (?:value )?(?:of|is|allowed is)|range (?:of \w+ )?(?:is )?\[\s*\d+\s*,)\s*[`'\"]?(\d+)"
)
SETTING_NAMES = {
    "temperature": re.compile(r"\btemperature\b", re.IGNORECASE),
    "topP": re.compile(r"\btop[_ ]?p\b", re.IGNORECASE),
    "topK": re.compile(r"\btop[_ ]?k\b", re.IGNORECASE),
    "stopSequences": re.compile(r"\bstop[_ ]?sequences?\b", re.IGNORECASE),
}
HINTS: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(wording, re.IGNORECASE), hint)
    for wording, hint in (
        (r"on-demand throughput", "GATEWAY_MODELS may need the id of the model's inference profile, such as one that begins with us."),
        (r"model identifier|unknown model|invalid model|own model", "GATEWAY_MODELS may name a model that the gateway does not have."),
        (r"max_?tokens|maximum tokens", "MAX_TOKENS may have to be smaller."),
        (r"temperature|top_?p\b", "It is set in the conversation's Settings."),
        (r"no connected db", "So LiteLLM's proxy says that it does not know the key: GATEWAY_HEADERS has to hold x-litellm-api-key."),
        (r"access to the model", "The gateway's account has to be given access to the model."),
        (r"signature we calculated|security token|incompletesignature", "These are the gateway's own credentials, or AWS_REGION."),
        (r"inputschema|input_schema|schema for function|function\.parameters", "A tool's schema is at fault: switch the tool off."),
    )
)  # fmt: skip
"""What an operator may change, by the words of a refusal that no changed request would avoid."""


def refusal(words: str) -> Refusal:
    """The refusal that these words express."""
    text = words.replace("\N{RIGHT SINGLE QUOTATION MARK}", "'")
    cause = next((cause for cause, wording in WORDINGS if wording.search(text)), "")
    text = re.sub(r"(?<=\d)[,_](?=\d{3}\b)", "", text)
    match cause:
        case "room":
            return Refusal(cause, _room(text))
        case "max_tokens":
            return Refusal(cause, _limit(text))
        case "sampling":
            return Refusal(cause, names=_names(text), is_permanent=BOUNDS.search(text) is None)
        case "cache":
            return Refusal(cause, names=("tools",) if re.search(r"tool", text, re.IGNORECASE) else ())
        case _:
            return Refusal(cause, is_permanent=NEVER.search(text) is not None)


def is_overflow(words: str) -> bool:
    """Whether the words say that a conversation is too long for the model."""
    return refusal(words).cause in ("overflow", "room")


def hint(words: str) -> str:
    """A sentence for an operator about a refusal, "" without one."""
    return next((hint for wording, hint in HINTS if wording.search(words)), "")


def _room(text: str) -> int | None:
    """The tokens that are left for an answer beside the conversation."""
    if match := SUM.search(text):
        return int(match[3]) - int(match[1])
    match = DIFFERENCE.search(text) or PARTS.search(text)
    return int(match[1]) - int(match[2]) if match else None


def _limit(text: str) -> int | None:
    """The most tokens that an answer may have."""
    match = LIMITS.search(text)
    if match is None:
        match = re.search(r"\((\d+)\)\W*$", text)
    return int(match[1]) if match else None


def _names(text: str) -> tuple[str, ...]:
    """The settings to leave out. Of two that exclude each other the first stays."""
    names = [name for name, wording in SETTING_NAMES.items() if wording.search(text)]
    return tuple(names[1:] if len(names) > 1 and "both" in text else names)
