"""The page that says whether the process can work."""

import asyncio
import logging

from asgiref.sync import sync_to_async
from channels.layers import get_channel_layer
from django.contrib.auth.decorators import login_not_required
from django.db import DatabaseError, connection
from django.http import HttpRequest, JsonResponse

logger = logging.getLogger(__name__)
TIMEOUT = 5.0


@login_not_required
async def healthz(request: HttpRequest) -> JsonResponse:
    """Answers 200 if database and channel layer answer, else 503 and which of them does."""
    database, layer = await asyncio.gather(sync_to_async(database_answers)(), channel_layer_answers())
    if database and layer:
        return JsonResponse({"status": "ok"})
    return JsonResponse({"status": "unavailable", "database": database, "channelLayer": layer}, status=503)


def database_answers() -> bool:
    """Whether the database answers a query."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError as error:
        logger.warning("The database does not answer: %s", error)
        return False
    return True


async def channel_layer_answers() -> bool:
    """Whether a message to a group without members is taken within five seconds."""
    try:
        await asyncio.wait_for(get_channel_layer().group_send("healthz", {"type": "healthz"}), TIMEOUT)
    except Exception as error:  # noqa: BLE001 (a layer may fail with anything)
        logger.warning("The channel layer does not answer: %r", error)
        return False
    return True
