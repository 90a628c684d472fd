"""AG-UI over HTTP: a run begun or read again by a POST, its events streamed from the journal.

urls.py and views.py have the addresses, origins.py the pages that may use them, callers.py reads credentials, inputs.py the body.
runs.py begins or looks up the run, streams.py is a reader's stream, detached.py sends it without holding a thread. offer.py says what
this agent can do, problems.py what is wrong.
"""

from .detached import DetachedStreams
from .urls import urlpatterns

__all__ = ["DetachedStreams", "urlpatterns"]
