"""A client of the gateway, and fixtures of an upstream that speaks TLS."""

from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest

from conversations import demo_gateway as demo
from tests.demo_gateway.bedrock import bedrock
from tests.gateway.conftest import certificate, tls

__all__ = ["certificate", "client", "tls"]


@pytest.fixture
def client(gateway: demo.DemoGateway) -> Iterator[Any]:
    with closing(bedrock(gateway.url)) as boto_client:
        yield boto_client
