"""A model's pictures. The record has their SHA-256, the stored message their bytes."""

from uuid import UUID

from django.http import Http404, HttpResponse, HttpResponseBase
from django.utils.cache import get_conditional_response, patch_cache_control
from django.views.decorators.http import require_safe

from conversations.models import Message
from conversations.protocol.converse.content import Block, picture_bytes, picture_facts

from .access import SignedIn, watched_or_404

MEDIA_TYPES = {"png": "image/png", "jpeg": "image/jpeg", "gif": "image/gif", "webp": "image/webp"}
"""The formats that a page shows as pictures. SVG is not among them, as it may hold scripts."""


@require_safe
def picture(request: SignedIn, pk: UUID, turn: UUID, sha256: str) -> HttpResponseBase:
    """A picture of a turn that the user may watch; 404 until its round has ended."""
    image = _image(watched_or_404(request, pk).pk, turn, sha256)
    response = HttpResponse(picture_bytes(image), content_type=MEDIA_TYPES[image["format"]])
    response["ETag"] = etag = f'"{sha256}"'
    patch_cache_control(response, private=True, no_cache=True)  # kept, but never shown without a session
    return get_conditional_response(request, etag=etag, response=response) or response


def _image(conversation: UUID, turn: UUID, sha256: str) -> Block:
    for row in Message.objects.filter(conversation=conversation, turn=turn, round__isnull=False):
        for block in row.content:
            facts = picture_facts(block["image"]) if "image" in block else {}
            if facts.get("sha256") == sha256 and facts["format"] in MEDIA_TYPES:
                image: Block = block["image"]
                return image
    raise Http404
