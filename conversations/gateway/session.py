"""Requests signed by botocore. Our own settings alone decide where they go, and how."""

import hashlib
import json
import os
import ssl
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple
from urllib.parse import quote, urlsplit

import boto3
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.httpsession import get_cert_path
from botocore.session import Session

from conversations.errors import ConfigurationError, InvalidRequest
from conversations.gateway.options import Options

_UNSIGNED = [("User-Agent", "Turntable"), ("Accept-Encoding", "identity")]
# The one variable that botocore may read: a gateway with a certificate of its own needs it.
_FROM_ENVIRONMENT = ("ca_bundle",)
_NO_FILES = dict.fromkeys(("config_file", "credentials_file"), (None, None, os.devnull, None))
_DEFAULT_PORTS = {"http": 80, "https": 443}


class Request(NamedTuple):
    """An HTTP request, ready to be sent."""

    data: bytes
    """Head and body."""
    size: int
    """Bytes of the body alone."""
    sha256: str
    """Of the body, in hex."""


class Signer:
    """Builds signed requests to the gateway; raises ConfigurationError if botocore refuses the options."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self._credentials, meta = _credentials_and_meta(options)
        parts = urlsplit(meta.endpoint_url)
        path = quote(parts.path.rstrip("/"), safe="/%:@!$&'()*+,;=~")
        self._host = _host(meta.endpoint_url)
        self._base = f"{parts.scheme}://{self._host}{path}/model/"
        self._service, self._region = meta.service_model.signing_name, meta.region_name

    def request(self, model: str, body: Mapping[str, Any], labels: Mapping[str, str]) -> Request:
        """A signed ConverseStream request; raises InvalidRequest. May block while keys are fetched."""
        if not model:
            raise InvalidRequest("the request names no model")
        data = _encoded(body)
        url = f"{self._base}{quote(model, safe='')}/converse-stream"
        # Last of all: none of our headers is signed, and an Authorization of ours replaces boto3's.
        headers = [*self._signed(url, data), *_UNSIGNED, *self._options.headers_for(labels).items()]
        head = _head(urlsplit(url).path, {name.lower(): value for name, value in headers})
        return Request(head + data, len(data), hashlib.sha256(data).hexdigest())

    def _signed(self, url: str, data: bytes) -> Iterable[tuple[str, str]]:
        headers = {"Host": self._host, "Content-Type": "application/json"}
        request = AWSRequest("POST", url, headers=headers, data=data)
        keys = self._credentials.get_frozen_credentials()
        SigV4Auth(keys, self._service, self._region).add_auth(request)
        return request.prepare().headers.items()


def make_tls(options: Options) -> ssl.SSLContext | None:
    """The TLS context, if there is TLS, with the authorities that boto3 would trust.

    They are those of AWS_CA_BUNDLE, of REQUESTS_CA_BUNDLE, or botocore's own.
    """
    if urlsplit(options.url).scheme != "https":
        return None
    bundle: Any = _session().get_config_variable("ca_bundle") or os.environ.get("REQUESTS_CA_BUNDLE")
    try:
        return ssl.create_default_context(cafile=get_cert_path(bundle or True))
    except OSError as error:
        raise ConfigurationError(
            f"{bundle} is no file of certificates: AWS_CA_BUNDLE or REQUESTS_CA_BUNDLE names it."
        ) from error


def _credentials_and_meta(options: Options) -> tuple[Any, Any]:
    """The keys, and the metadata of a bedrock-runtime client."""
    session = boto3.Session(
        botocore_session=_session(),
        region_name=options.region,
        aws_access_key_id=options.access_key,
        aws_secret_access_key=options.secret_key,
    )
    try:
        client = session.client("bedrock-runtime", endpoint_url=options.url)
    except ValueError as error:
        raise ConfigurationError(f"GATEWAY_URL or AWS_REGION cannot be used: {error}") from error
    client.close()
    return session.get_credentials(), client.meta


def _session() -> Session:
    """A session that no environment variable and no file under ~/.aws can change."""
    variables = {
        name: (None, None, default, convert)
        for name, (_, _, default, convert) in Session.SESSION_VARIABLES.items()
        if name not in _FROM_ENVIRONMENT
    }
    return Session(session_vars=variables | _NO_FILES)


def _host(url: str) -> str:
    """The Host header, without the scheme's default port."""
    parts = urlsplit(url)
    name = parts.hostname or ""
    name = f"[{name}]" if ":" in name else name
    return name if parts.port in (None, _DEFAULT_PORTS[parts.scheme]) else f"{name}:{parts.port}"


def _encoded(body: Mapping[str, Any]) -> bytes:
    try:
        return json.dumps(body, allow_nan=False).encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise InvalidRequest(f"the request is no JSON: {error}") from error


def _head(path: str, headers: Mapping[str, str]) -> bytes:
    lines = [f"POST {path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items()), "", ""]
    return "\r\n".join(lines).encode("latin-1")
