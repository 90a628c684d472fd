"""Fixtures of an upstream that speaks TLS."""

from tests.gateway.conftest import certificate, tls

__all__ = ["certificate", "tls"]
