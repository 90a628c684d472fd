"""The way to the model: the only place that knows boto3, botocore and httptools.

client.py has a round, session.py signs its request, options.py says where it goes. pool.py keeps the connections (connection.py),
frames.py takes their bytes apart, errors.py names what fails.
"""

from conversations.gateway import frames
from conversations.gateway.client import Call, FlowControl, Gateway, Receive, get_gateway
from conversations.gateway.options import answering_host, endpoint, is_demo

__all__ = [
    "Call",
    "FlowControl",
    "Gateway",
    "Receive",
    "answering_host",
    "endpoint",
    "frames",
    "get_gateway",
    "is_demo",
]
