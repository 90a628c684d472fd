"""AG-UI over HTTP: a POST begins a run or reads it again, as a stream of its events from the journal.

urls.py and views.py have the addresses, origins.py lets pages of other sites use them; callers.py reads credentials, inputs.py the body.
runs.py begins or looks up the run, streams.py is a reader's stream, detached.py sends it without holding a thread. offer.py says what
this agent can do, problems.py answers errors.
"""

from .detached import DetachedStreams
from .urls import urlpatterns

__all__ = ["DetachedStreams", "urlpatterns"]
