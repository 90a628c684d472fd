"""What this agent can do, as AG-UI's AgentCapabilities."""

from typing import TYPE_CHECKING, Any

from conversations import engine
from conversations.conf import settings
from conversations.models import Model
from conversations.tools import registry

if TYPE_CHECKING:
    from django.contrib.auth.models import User


def offer(user: "User") -> dict[str, Any]:
    """The capabilities for a user: tools as permitted to them, files as the default model takes them."""
    takes = Model.default().capabilities
    pictures, documents = takes.takes_pictures is not False, takes.takes_documents is not False
    return {
        "identity": {
            "name": "Turntable",
            "type": "turntable",
            "description": "A chat with models behind a gateway.",
        },
        "transport": {"streaming": True, "websocket": True, "httpBinary": False, "resumable": True},
        "tools": {
            "supported": True,
            "items": _tools(user),
            "parallelCalls": True,
            "clientProvided": False,
        },
        "state": {"snapshots": False, "deltas": False, "memory": False, "persistentState": False},
        "reasoning": {"supported": True, "streaming": True, "encrypted": False},
        "multimodal": {"input": {"image": pictures, "pdf": documents, "file": documents}},
        "execution": {"maxIterations": settings.MAX_ROUNDS},
        "humanInTheLoop": {
            "supported": True,
            "approvals": True,
            "interrupts": True,
            "approveWithEdits": True,
        },
    }


def _tools(user: "User") -> list[dict[str, Any]]:
    lacking = engine.permissions.lacking(user.pk)
    return [
        {"name": spec["name"], "description": spec["description"], "parameters": spec["inputSchema"]["json"]}
        for spec in (entry["toolSpec"] for entry in registry.specs())
        if spec["name"] not in lacking
    ]
