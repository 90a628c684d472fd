"""Servers of the Model Context Protocol, whose tools are offered like our own.

configuration.py reads the file that MCP_SERVERS names, checks.py says what is wrong with it. servers.py has a process's servers, each a
long-lived task (server.py) with a connection (connection.py). definitions.py pins the tools as they were first seen, offering.py makes
them tools of ours (schemas.py), contents.py turns their results into Converse's. The SDK is imported only where there are servers.
"""

from .checks import check, ensure_usable
from .configuration import read
from .servers import SERVERS, faults_in

__all__ = ["SERVERS", "check", "ensure_usable", "faults_in", "read"]
