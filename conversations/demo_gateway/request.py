"""The request of Converse and ConverseStream as shapes (botocore's bedrock-runtime 2023-09-30 service model)."""

from conversations.demo_gateway.shapes import (
    Blob,
    Document,
    Flag,
    ListOf,
    MapOf,
    Number,
    Structure,
    Text,
    union,
)

ANY = Text()
NAME = Text(1, 64, "[a-zA-Z0-9_-]+")
TOOL_USE_ID = Text(1, 64, "[a-zA-Z0-9_.:-]+")
NOTHING = Structure({})
TEXTS = ListOf(union(text=ANY))


def _one_of(*values: str) -> Text:
    return Text(values=values)


S3 = Structure(
    {
        "uri": Text(1, 1024, r"s3://[a-z0-9][\.\-a-z0-9]{1,61}[a-z0-9](/.*)?"),
        "bucketOwner": Text(pattern="[0-9]{12}"),
    },
    ["uri"],
)
SOURCE = union(bytes=Blob(1), s3Location=S3)
ERROR = Structure({"message": ANY})
CITED = Structure({"enabled": Flag()}, ["enabled"])


def _media(formats: Text) -> Structure:
    return Structure({"format": formats, "source": SOURCE, "error": ERROR}, ["format", "source"])


IMAGE = _media(_one_of("png", "jpeg", "gif", "webp"))
VIDEO = Structure(
    {
        "format": _one_of("mkv", "mov", "mp4", "webm", "flv", "mpeg", "mpg", "wmv", "three_gp"),
        "source": SOURCE,
    },
    ["format", "source"],
)
AUDIO = _media(
    _one_of(
        *("mp3", "opus", "wav", "aac", "flac", "mp4", "ogg", "mkv", "mka", "x-aac", "m4a", "mpeg", "mpga"),
        *("pcm", "webm"),
    )
)
DOCUMENT = Structure(
    {
        "format": _one_of("pdf", "csv", "doc", "docx", "xls", "xlsx", "html", "txt", "md"),
        "name": Text(1, 200),
        "source": union(bytes=Blob(1), s3Location=S3, text=ANY, content=TEXTS),
        "context": ANY,
        "citations": CITED,
    },
    ["name", "source"],
)
SEARCH_RESULT = Structure(
    {"source": ANY, "title": ANY, "content": ListOf(Structure({"text": ANY}, ["text"])), "citations": CITED},
    ["source", "title", "content"],
)
CACHE_POINT = Structure({"type": _one_of("default"), "ttl": _one_of("5m", "1h")}, ["type"])
GUARDED = union(
    text=Structure(
        {"text": ANY, "qualifiers": ListOf(_one_of("grounding_source", "query", "guard_content"))}, ["text"]
    ),
    image=Structure(
        {"format": _one_of("png", "jpeg"), "source": union(bytes=Blob(1))},
        ["format", "source"],
    ),
)
TOOL_USE = Structure(
    {"toolUseId": TOOL_USE_ID, "name": NAME, "input": Document(), "type": _one_of("server_tool_use")},
    ["toolUseId", "name", "input"],
)
TOOL_RESULT = Structure(
    {
        "toolUseId": TOOL_USE_ID,
        "content": ListOf(
            union(
                json=Document(),
                text=ANY,
                image=IMAGE,
                document=DOCUMENT,
                video=VIDEO,
                searchResult=SEARCH_RESULT,
            )
        ),
        "status": _one_of("success", "error"),
        "type": ANY,
    },
    ["toolUseId", "content"],
)


def _span(index: str) -> Structure:
    return Structure({key: Number(0, whole=True) for key in (index, "start", "end")})


LOCATION = union(
    web=Structure({"url": ANY, "domain": ANY}),
    documentChar=_span("documentIndex"),
    documentPage=_span("documentIndex"),
    documentChunk=_span("documentIndex"),
    searchResultLocation=_span("searchResultIndex"),
)
CITATION = Structure({"title": ANY, "source": ANY, "sourceContent": TEXTS, "location": LOCATION})
TOOL_CHANGE = Structure(
    {"tool": Structure({"type": Text(1, 64), "name": Text(1, 128), "serverName": Text(1, 128)})}, ["tool"]
)
BLOCK = union(
    text=ANY,
    image=IMAGE,
    document=DOCUMENT,
    video=VIDEO,
    audio=AUDIO,
    toolUse=TOOL_USE,
    toolResult=TOOL_RESULT,
    guardContent=GUARDED,
    cachePoint=CACHE_POINT,
    reasoningContent=union(
        reasoningText=Structure({"text": ANY, "signature": ANY}, ["text"]), redactedContent=Blob()
    ),
    citationsContent=Structure({"content": TEXTS, "citations": ListOf(CITATION)}),
    searchResult=SEARCH_RESULT,
    toolAddition=TOOL_CHANGE,
    toolRemoval=TOOL_CHANGE,
)
# The service model also knows the role `system`, which most models refuse.
MESSAGE = Structure({"role": _one_of("user", "assistant"), "content": ListOf(BLOCK)}, ["role", "content"])
TOOL = union(
    toolSpec=Structure(
        {"name": NAME, "description": Text(1), "inputSchema": union(json=Document()), "strict": Flag()},
        ["name", "inputSchema"],
    ),
    systemTool=Structure({"name": NAME}, ["name"]),
    cachePoint=CACHE_POINT,
)
TOOL_CONFIG = Structure(
    {
        "tools": ListOf(TOOL, 1),
        "toolChoice": union(auto=NOTHING, any=NOTHING, tool=Structure({"name": NAME}, ["name"])),
    },
    ["tools"],
)
GUARDRAIL = Structure(
    {
        "guardrailIdentifier": Text(0, 2048),
        "guardrailVersion": Text(pattern="|[1-9][0-9]{0,7}|DRAFT"),
        "trace": _one_of("enabled", "disabled", "enabled_full"),
        "streamProcessingMode": _one_of("sync", "async"),
    }
)
INFERENCE = Structure(
    {
        "maxTokens": Number(1, whole=True),
        "temperature": Number(0, 1),
        "topP": Number(0, 1),
        "stopSequences": ListOf(Text(1), 0, 2500),
    }
)
JSON_SCHEMA = Structure({"schema": ANY, "name": ANY, "description": ANY}, ["schema"])
OUTPUT = Structure(
    {
        "textFormat": Structure(
            {"type": _one_of("json_schema"), "structure": union(jsonSchema=JSON_SCHEMA)},
            ["type", "structure"],
        ),
        "effort": Text(0, 16),
    }
)
REQUEST = Structure(
    {
        "messages": ListOf(MESSAGE),
        "system": ListOf(union(text=Text(1), guardContent=GUARDED, cachePoint=CACHE_POINT)),
        "inferenceConfig": INFERENCE,
        "toolConfig": TOOL_CONFIG,
        "guardrailConfig": GUARDRAIL,
        "additionalModelRequestFields": Document(),
        "additionalModelResponseFieldPaths": ListOf(Text(1, 256), 0, 10),
        "promptVariables": MapOf(union(text=ANY)),
        "requestMetadata": MapOf(Text(0, 256)),
        "performanceConfig": Structure({"latency": _one_of("standard", "optimized")}),
        "serviceTier": Structure({"type": _one_of("priority", "default", "flex", "reserved")}, ["type"]),
        "outputConfig": OUTPUT,
    }
)
