"""Files of a conversation: attached by its owner, and served to the owner alone, as downloads."""

from typing import IO, Any
from uuid import UUID

from asgiref.sync import sync_to_async
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import BadRequest, SuspiciousOperation
from django.core.files.uploadedfile import UploadedFile
from django.core.files.uploadhandler import FileUploadHandler, StopUpload
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    JsonResponse,
    UnreadablePostError,
)
from django.middleware.csrf import CsrfViewMiddleware
from django.shortcuts import get_object_or_404
from django.utils.cache import get_conditional_response, patch_cache_control
from django.utils.http import content_disposition_header
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from conversations.attachments import Inspection, NoFile, NotTaken, TooLarge, inspect, store
from conversations.models import Attachment, Conversation
from conversations.protocol.converse.attached import LARGEST
from conversations.threads import Threads

from .access import SignedIn
from .pictures import MEDIA_TYPES

INSPECTING = Threads("attachments", 1)
"""One thread, so that one file is inspected at a time: a picture of 64 megapixels takes 250 MB."""

FORM = 64 * 1024
"""Bytes of a form beside its file."""

NO_SESSION = "Your session has ended. Sign in again, then attach the file once more."
NOT_FOUND = "There is no such conversation."
NOT_POST = "A file is attached by POST."
FAILED = "The file could not be stored. Try again; if it happens again, tell your operator."

SENT = "This file was sent with a message, which keeps it."
COPIES = {"thumbnail": ".thumbnail", "large": ".model"}
"""The copies of a picture that pages show, by their parameter."""

HEADERS = {
    "Content-Security-Policy": "sandbox; default-src 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}
"""Headers that keep a browser from running anything in a file."""


@csrf_exempt  # it is checked below, so that a refusal is JSON as every other answer
@login_not_required  # likewise
async def attach(request: HttpRequest, pk: UUID) -> JsonResponse:
    """Attaches a file to the user's own conversation: 201 and its facts, or an error that says why."""
    conversation = await _own(request, pk)
    if not isinstance(conversation, Conversation):
        return conversation
    if request.method != "POST":
        return _error(405, "invalid_request", NOT_POST, {"Allow": "POST"})
    try:
        file, inspected = await INSPECTING.run(_inspected, request)
        row = await sync_to_async(store)(conversation, file, inspected)
    except NotTaken as problem:
        return _error(problem.status, problem.code, str(problem))
    except OSError:
        return _error(500, "internal", FAILED)
    return JsonResponse(row.facts, status=201)


async def _own(request: HttpRequest, pk: UUID) -> Conversation | JsonResponse:
    user = await request.auser()
    if not user.is_authenticated:
        return _error(401, "no_session", NO_SESSION)
    conversation = await Conversation.objects.owned_by(user).filter(pk=pk).afirst()
    return conversation or _error(404, "not_found", NOT_FOUND)


def _inspected(request: HttpRequest) -> tuple[IO[bytes], Inspection]:
    """The file of a form, and its inspection; raises NotTaken."""
    file = _file(request)
    return file, inspect(file, file.name or "")


def _file(request: HttpRequest) -> Any:
    if int(request.META.get("CONTENT_LENGTH") or 0) > LARGEST + FORM:
        raise TooLarge
    bound = Bounded(request)
    request.upload_handlers.insert(0, bound)
    try:
        if _TokenCheck(lambda _: HttpResponse()).process_view(request, HttpResponse, (), {}):
            raise Outdated
        file = request.FILES.get("file")
    except (BadRequest, SuspiciousOperation, UnreadablePostError) as error:
        raise NoFile from error
    if bound.is_over:
        raise TooLarge
    if not isinstance(file, UploadedFile):
        raise NoFile
    return file


class Outdated(NotTaken):
    """This page is outdated. Load it again, then attach the file once more."""

    code = "outdated"
    status = 403


class _TokenCheck(CsrfViewMiddleware):
    """Django's own check, whose refusal is not answered with a page."""

    def _reject(self, request: HttpRequest, reason: str) -> HttpResponse:
        return HttpResponse(reason, status=403)


class Bounded(FileUploadHandler):
    """Ends an upload that is too large, and leaves any other to Django's own handlers."""

    is_over = False

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes:
        """Passes the chunk on, or ends the upload."""
        if start + len(raw_data) > LARGEST:
            self.is_over = True
            raise StopUpload(connection_reset=True)
        return raw_data

    def file_complete(self, file_size: int) -> None:
        """Leaves the file to the next handler."""


def _error(status: int, code: str, message: str, headers: dict[str, str] | None = None) -> JsonResponse:
    return JsonResponse({"error": {"code": code, "message": message}}, status=status, headers=headers)


@require_http_methods(["GET", "HEAD", "POST", "DELETE"])
def attachment(request: SignedIn, pk: UUID) -> HttpResponseBase:
    """A file as it came, for its conversation's owner.

    With `?thumbnail` it is a small copy of a picture, with `?large` the copy that a model gets. DELETE deletes a file that was never sent.
    POST with `left_out` leaves it out of later turns (`1`), or puts it back.
    """
    rows = Attachment.objects.filter(conversation__in=Conversation.objects.owned_by(request.user))
    row = get_object_or_404(rows, pk=pk)
    if request.method == "DELETE":
        return _forget(row)
    if request.method == "POST":
        rows.filter(pk=pk).update(left_out=request.POST.get("left_out") == "1")
        return HttpResponse(status=204)
    copy = next((name for name in COPIES if name in request.GET), None)
    return inline(request, row, copy) if copy else download(request, row)


def _forget(row: Attachment) -> HttpResponse:
    if row.messages.exists():
        return _error(409, "sent", SENT)
    row.delete()
    return HttpResponse(status=204)


@never_cache
def download(request: HttpRequest, row: Attachment) -> HttpResponse:
    """The file as a download, with no type that a browser would open."""
    disposition = content_disposition_header(as_attachment=True, filename=row.name) or "attachment"
    return HttpResponse(
        _bytes(row),
        content_type="application/octet-stream",
        headers=HEADERS | {"Content-Disposition": disposition},
    )


def inline(request: HttpRequest, row: Attachment, name: str) -> HttpResponseBase:
    """A copy of a picture, made here, for a page."""
    if not row.is_picture:
        raise Http404
    copy = COPIES[name]
    content_type = "image/webp" if copy == ".thumbnail" else MEDIA_TYPES[row.format]
    response = HttpResponse(_bytes(row, copy), content_type=content_type, headers=HEADERS)
    response["ETag"] = etag = f'"{row.pk.hex}-{name}"'
    patch_cache_control(response, private=True, no_cache=True)  # kept, but never shown without a session
    return get_conditional_response(request, etag=etag, response=response) or response


def _bytes(row: Attachment, copy: str = "") -> bytes:
    try:
        return row.read(copy)
    except FileNotFoundError:
        raise Http404 from None
