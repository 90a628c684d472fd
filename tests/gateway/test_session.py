"""Nothing but our own settings decides how the gateway is called; and TLS."""

import ssl
from pathlib import Path

import pytest

from conversations.errors import GatewayUnreachable
from tests.conditions import until
from tests.gateway.calls import Aside, outcome_of, talking
from tests.gateway.wire import Answer, End, WireServer, answer_frames

FRAMES = answer_frames("Hello", " world")
NOWHERE = "http://127.0.0.1:1"
ENVIRONMENTS = [
    {"AWS_BEARER_TOKEN_BEDROCK": "token"},
    {"AWS_AUTH_SCHEME_PREFERENCE": "httpBearerAuth", "AWS_BEARER_TOKEN_BEDROCK": "token"},
    {"HTTP_PROXY": NOWHERE, "http_proxy": NOWHERE, "ALL_PROXY": NOWHERE, "all_proxy": NOWHERE},
    {"AWS_ENDPOINT_URL": NOWHERE, "AWS_ENDPOINT_URL_BEDROCK_RUNTIME": NOWHERE},
    {"AWS_PROFILE": "missing"},
    {"AWS_DEFAULT_PROFILE": "missing"},
    {"AWS_DEFAULT_REGION": "eu-north-1", "AWS_REGION": "eu-north-1"},
    {"AWS_ACCESS_KEY_ID": "real", "AWS_SECRET_ACCESS_KEY": "real", "AWS_SESSION_TOKEN": "real"},
    {"AWS_USE_FIPS_ENDPOINT": "true", "AWS_USE_DUALSTACK_ENDPOINT": "true"},
    {"AWS_DEFAULTS_MODE": "nonsense"},
    {"AWS_RETRY_MODE": "nonsense", "AWS_MAX_ATTEMPTS": "nonsense"},
    {"AWS_DATA_PATH": "/nowhere", "AWS_SDK_UA_APP_ID": "app"},
    {"AWS_CSM_ENABLED": "true", "AWS_REQUEST_CHECKSUM_CALCULATION": "when_required"},
]


@pytest.mark.parametrize("variables", ENVIRONMENTS, ids="+".join)
def test_the_environment_changes_nothing(variables: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with talking(Answer.stream(*FRAMES)) as wire:
        assert outcome_of(wire.call()).error is None
        [request] = wire.server.requests
    signature = request.headers["authorization"]
    assert signature.startswith("AWS4-HMAC-SHA256 Credential=dummy/")
    assert "/us-west-2/bedrock/aws4_request, SignedHeaders=content-type;host;x-amz-date," in signature
    assert "x-amz-security-token" not in request.headers
    assert "app/" not in request.headers["user-agent"]


@pytest.mark.parametrize(
    "text",
    [
        "this is no configuration",
        "[default]\nregion = eu-north-1\nmax_attempts = 7\nendpoint_url = http://127.0.0.1:1\n",
        "[default]\nca_bundle = /nowhere\nuse_fips_endpoint = true\naws_access_key_id = real\n",
    ],
    ids=["broken", "elsewhere", "otherwise"],
)
def test_files_of_aws_change_nothing(text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".aws").mkdir()
    for name, variable in (("config", "AWS_CONFIG_FILE"), ("credentials", "AWS_SHARED_CREDENTIALS_FILE")):
        (tmp_path / ".aws" / name).write_text(text)
        monkeypatch.setenv(variable, str(tmp_path / ".aws" / name))
    monkeypatch.setenv("HOME", str(tmp_path))
    with talking(Answer.stream(*FRAMES)) as wire:
        assert outcome_of(wire.call()).error is None
        assert "Credential=dummy/" in wire.server.requests[0].headers["authorization"]


@pytest.mark.parametrize("status", [429, 500, 503])
def test_there_is_one_attempt_whatever_the_environment_says(
    status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "5")
    with talking(Answer.error(status, {"message": "no"})) as wire:
        assert outcome_of(wire.call()).error is not None
        assert len(wire.server.requests) == 1


def test_no_machine_is_asked_for_its_metadata(monkeypatch: pytest.MonkeyPatch) -> None:
    with WireServer([Answer.error(404)]) as machine:
        monkeypatch.setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", machine.url)
        monkeypatch.setenv("AWS_DEFAULTS_MODE", "auto")
        with talking(Answer.stream(*FRAMES)) as wire:
            assert outcome_of(wire.call()).error is None
        assert machine.requests == []


def test_a_certificate_that_nobody_vouches_for_is_told_as_unreachable(tls: ssl.SSLContext) -> None:
    with talking(Answer.stream(*FRAMES), tls=tls) as wire:
        error = outcome_of(wire.call()).error
        assert wire.server.requests == []
    assert type(error) is GatewayUnreachable
    assert "certificate" in error.detail


@pytest.mark.parametrize("variable", ["AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE"])
def test_a_site_may_vouch_for_its_own_certificate(
    tls: ssl.SSLContext, certificate: Path, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    monkeypatch.delenv("AWS_CA_BUNDLE", raising=False)
    monkeypatch.setenv(variable, str(certificate))
    with talking(Answer.stream(*FRAMES), tls=tls) as wire:
        assert [outcome_of(wire.call()).error, outcome_of(wire.call()).error] == [None, None]
        assert len({request.connection for request in wire.server.requests}) == 1


@pytest.mark.parametrize("is_kept", [False, True], ids=["a new connection", "a kept connection"])
@pytest.mark.parametrize(
    ("answer", "count"),
    [(Answer.silence(), 0), (Answer.stream(*FRAMES[:3], terminated=False, end=End.STALL), 3)],
    ids=["before the headers", "in the stream"],
)
def test_a_call_over_tls_may_be_interrupted(
    trusted: ssl.SSLContext, answer: Answer, *, count: int, is_kept: bool
) -> None:
    with talking(*[Answer.stream(*FRAMES)] * is_kept, answer, tls=trusted) as wire:
        if is_kept:
            assert outcome_of(wire.call()).error is None
        aside = Aside(wire.call())
        until(lambda: len(wire.server.requests) == 1 + is_kept and len(aside.events) == count)
        assert aside.interrupt() < 0.5
        assert wire.server.requests[-1].hung_up.wait(0.5)
