"""A conversation as a file to keep."""

from collections.abc import Callable, Iterable
from tempfile import TemporaryFile
from typing import NamedTuple
from uuid import UUID

from django.http import FileResponse, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.text import slugify
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from conversations import exports
from conversations.models import Conversation

from .access import SignedIn, own_or_404


class Format(NamedTuple):
    """A function that writes the file, and the file's media type."""

    write: Callable[[Conversation], str | Iterable[str]]
    media_type: str


FORMATS = {
    "json": Format(exports.as_json, "application/json; charset=utf-8"),
    "md": Format(exports.as_markdown, "text/markdown; charset=utf-8"),
    "jsonl": Format(exports.as_lines, "application/x-ndjson; charset=utf-8"),
}
ZIP = "zip"
NAME_LENGTH = 80


@never_cache
@require_safe
def export(request: SignedIn, pk: UUID) -> HttpResponseBase:
    """The user's own conversation as a file; 400 for an unknown format."""
    conversation = own_or_404(request, pk)
    name = request.GET.get("format", "json")
    if name == ZIP:
        return _as_zip([(_file_name(conversation), conversation)], f"{_file_name(conversation)}.zip")
    if name not in FORMATS:
        return HttpResponse(
            f"There is no such format. Ask for one of {', '.join([*FORMATS, ZIP])}.",
            status=400,
            content_type="text/plain; charset=utf-8",
        )
    text = FORMATS[name].write(conversation)
    body = text if isinstance(text, str) else "".join(text)
    headers = {"Content-Disposition": f'attachment; filename="{_file_name(conversation)}.{name}"'}
    return HttpResponse(body, content_type=FORMATS[name].media_type, headers=headers)


def as_zip(conversations: Iterable[Conversation]) -> FileResponse:
    """A zip with the exports of several conversations, which `import` takes all at once."""
    named = ((f"{_file_name(row)}-{str(row.pk)[:8]}", row) for row in conversations)
    return _as_zip(named, "conversations.zip")


def _as_zip(conversations: Iterable[tuple[str, Conversation]], name: str) -> FileResponse:
    file = TemporaryFile()  # noqa: SIM115 (the response closes it)
    exports.write_zip(file, conversations)
    file.seek(0)
    return FileResponse(file, as_attachment=True, filename=name)


def _file_name(conversation: Conversation) -> str:
    """A name that any system takes, made of the title's letters and digits."""
    return slugify(conversation.title)[:NAME_LENGTH].strip("-_") or "conversation"
