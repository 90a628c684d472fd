"""AG-UI over HTTP: a run begun or read again by a POST, its events streamed from the journal.

views.py has the addresses, callers.py says who asks, inputs.py what is asked, runs.py begins or finds it, streams.py is a reader's stream,
detached.py sends it without holding a thread.
"""

from .detached import DetachedStreams
from .urls import urlpatterns

__all__ = ["DetachedStreams", "urlpatterns"]
