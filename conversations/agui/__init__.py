"""AG-UI over HTTP: a run begun or read again by a POST, its events streamed from the journal.

views.py has the addresses, callers.py reads credentials, inputs.py the body, runs.py begins or looks up the run, streams.py is a
reader's stream, detached.py sends it without holding a thread.
"""

from .detached import DetachedStreams
from .urls import urlpatterns

__all__ = ["DetachedStreams", "urlpatterns"]
