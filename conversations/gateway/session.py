"""The boto3 client, made so that nothing but our own settings decides whom it calls, how, and how often."""

import os
from typing import Any

import boto3
from botocore.config import Config
from botocore.session import Session

from conversations.errors import ConfigurationError
from conversations.gateway.connection import use_lines
from conversations.gateway.options import CONNECT_TIMEOUT, Options

# A gateway with a certificate of its own needs it, and it changes nothing else.
_FROM_ENVIRONMENT = ("ca_bundle",)
_NO_FILES = dict.fromkeys(("config_file", "credentials_file"), (None, None, os.devnull, None))


def make_client(options: Options) -> Any:
    """A bedrock-runtime client for these options; raises ConfigurationError if botocore refuses them."""
    try:
        client = boto3.Session(botocore_session=_session()).client(
            "bedrock-runtime",
            endpoint_url=options.url,
            region_name=options.region,
            aws_access_key_id=options.access_key,
            aws_secret_access_key=options.secret_key,
            config=_config(options),
        )
    except ValueError as error:
        raise ConfigurationError(f"GATEWAY_URL or AWS_REGION cannot be used: {error}") from error
    use_lines(client)
    return client


def _session() -> Session:
    """A session that no environment variable and no file under ~/.aws can change."""
    deaf = {
        name: (None, None, default, convert)
        for name, (_, _, default, convert) in Session.SESSION_VARIABLES.items()
        if name not in _FROM_ENVIRONMENT
    }
    return Session(session_vars=deaf | _NO_FILES)


def _config(options: Options) -> Config:
    return Config(
        signature_version="v4",  # or AWS_BEARER_TOKEN_BEDROCK would replace it
        proxies={},  # or HTTP_PROXY would be used, for 127.0.0.1 too
        retries={"total_max_attempts": 1, "mode": "standard"},
        connect_timeout=min(CONNECT_TIMEOUT, options.timeout),
        read_timeout=options.timeout,
        max_pool_connections=options.connections,
    )
