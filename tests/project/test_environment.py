import stat
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from pathlib import Path

import pytest

from conversations.errors import ConfigurationError
from project.database import POOL, POSTGRES_OPTIONS, from_url
from project.environment import (
    AguiEnvironment,
    Environment,
    FileEnvironment,
    McpEnvironment,
    TitleEnvironment,
    read_as,
    read_environment,
)
from project.secret_key import read_or_make

KINDS = ("input", "output", "cacheRead", "cacheWrite")
PRICES = "MODEL=input/output or MODEL=input/output/cacheRead/cacheWrite with commas between them"
BAD_PRICES = (
    "one",
    "one=",
    "=1/2",
    "one=1",
    "one=1/2/3",
    "one=1/2/3/4/5",
    "one=-1/2",
    "one=a/b",
    "one=NaN/1",
    "one=1/inf",
)


@pytest.fixture(autouse=True)
def nothing_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (
        *Environment.model_fields,
        *TitleEnvironment.model_fields,
        *FileEnvironment.model_fields,
        *AguiEnvironment.model_fields,
        *McpEnvironment.model_fields,
    ):
        monkeypatch.delenv(name, raising=False)


def test_without_any_variable_the_defaults_are_the_contracts() -> None:
    assert read_environment().model_dump() == {
        "GATEWAY_URL": None,
        "GATEWAY_MODELS": ["cohere.command-r-v1:0"],
        "GATEWAY_HEADERS": {},
        "GATEWAY_TIMEOUT": 300,
        "GATEWAY_RETRIES": 3,
        "GATEWAY_PRICES": {},
        "PRICE_CURRENCY": "USD",
        "AWS_REGION": "us-west-2",
        "AWS_ACCESS_KEY_ID": "dummy",
        "AWS_SECRET_ACCESS_KEY": "dummy",
        "UPSTREAM_URL": None,
        "UPSTREAM_API_KEY": "",
        "UPSTREAM_MODEL": "",
        "MAX_ROUNDS": 25,
        "MAX_TOKENS": 4096,
        "USER_TURNS_AT_ONCE": 20,
        "USER_TURNS_PER_MINUTE": 60,
        "USER_TOKENS_PER_DAY": 0,
        "APPROVAL_TIMEOUT": 86_400,
        "TOOL_TIMEOUT": 30,
        "TOOL_RESULT_LIMIT": 65536,
        "DATABASE_URL": "sqlite:///db.sqlite3",
        "REDIS_URL": None,
        "SECRET_KEY": None,
        "DEBUG": False,
        "ALLOWED_HOSTS": ["127.0.0.1", "localhost"],
    }


def test_an_empty_variable_counts_as_unset(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (
        *Environment.model_fields,
        *TitleEnvironment.model_fields,
        *FileEnvironment.model_fields,
        *AguiEnvironment.model_fields,
        *McpEnvironment.model_fields,
    ):
        monkeypatch.setenv(name, "")
    assert read_environment() == Environment()


@pytest.mark.parametrize(
    ("name", "value", "setting"),
    [
        ("GATEWAY_URL", "http://127.0.0.1:8000/bedrock", "http://127.0.0.1:8000/bedrock"),
        ("GATEWAY_URL", "https://gateway.example.org", "https://gateway.example.org"),
        ("GATEWAY_MODELS", "one, two,,one ", ["one", "two"]),
        ("GATEWAY_MODELS", "arn:aws:bedrock:us-west-2::p/x", ["arn:aws:bedrock:us-west-2::p/x"]),
        ("GATEWAY_HEADERS", "apikey=a=b, X-User={user},", {"apikey": "a=b", "X-User": "{user}"}),
        ("GATEWAY_HEADERS", "X-Empty=", {"X-Empty": ""}),
        ("GATEWAY_TIMEOUT", "0.5", 0.5),
        ("PRICE_CURRENCY", "EUR", "EUR"),
        ("APPROVAL_TIMEOUT", "0", 0),
        ("USER_TURNS_AT_ONCE", "0", 0),
        ("USER_TOKENS_PER_DAY", "4096", 4096),
        ("REDIS_URL", "redis://127.0.0.1:6379/0", "redis://127.0.0.1:6379/0"),
        ("DEBUG", "1", True),
        ("ALLOWED_HOSTS", "chat.example.org, .example.net", ["chat.example.org", ".example.net"]),
    ],
)
def test_a_variable_is_read_as_its_type(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, setting: object
) -> None:
    monkeypatch.setenv(name, value)
    assert getattr(read_environment(), name) == setting


@pytest.mark.parametrize(
    ("name", "value", "due"),
    [
        ("GATEWAY_URL", "ftp://h", "an http or https URL such as http://127.0.0.1:8000/bedrock"),
        ("GATEWAY_URL", "http://", "an http or https URL such as http://127.0.0.1:8000/bedrock"),
        ("GATEWAY_URL", "http://h:port", "an http or https URL such as http://127.0.0.1:8000/bedrock"),
        ("GATEWAY_URL", "http://h?q", "an http or https URL such as http://127.0.0.1:8000/bedrock"),
        ("GATEWAY_URL", "http://u:p@h", "an http or https URL such as http://127.0.0.1:8000/bedrock"),
        ("GATEWAY_URL", "http://a b", "an http or https URL such as http://127.0.0.1:8000/bedrock"),
        ("UPSTREAM_URL", "localhost:11434/v1", "an http or https URL such as http://localhost:11434/v1"),
        ("UPSTREAM_API_KEY", "two words", "printable ASCII without blanks"),
        ("UPSTREAM_API_KEY", "schl\u00fcssel", "printable ASCII without blanks"),
        ("GATEWAY_MODELS", " , ", "model ids with commas between them"),
        ("GATEWAY_HEADERS", "apikey", "name=value pairs with commas between them"),
        ("GATEWAY_HEADERS", "=value", "name=value pairs with commas between them"),
        ("GATEWAY_HEADERS", "a b=c", "name=value pairs with commas between them"),
        ("GATEWAY_HEADERS", "a=b\nc", "name=value pairs with commas between them"),
        ("GATEWAY_HEADERS", "a=\u00fc", "name=value pairs with commas between them"),
        ("GATEWAY_TIMEOUT", "0", "a number above 0"),
        ("GATEWAY_TIMEOUT", "nan", "a number above 0"),
        ("GATEWAY_TIMEOUT", "inf", "a number above 0"),
        ("GATEWAY_RETRIES", "0", "a whole number above 0"),
        *(("GATEWAY_PRICES", value, PRICES) for value in BAD_PRICES),
        ("PRICE_CURRENCY", "$", "a currency's three letters"),
        ("PRICE_CURRENCY", "usd", "a currency's three letters"),
        ("APPROVAL_TIMEOUT", "-1", "whole seconds, 0 for never"),
        ("APPROVAL_TIMEOUT", "1.5", "whole seconds, 0 for never"),
        ("AWS_REGION", "us west", "a region's name"),
        ("MAX_ROUNDS", "2.5", "a whole number above 0"),
        ("MAX_TOKENS", "many", "a whole number above 0"),
        ("USER_TURNS_PER_MINUTE", "-1", "a whole number, 0 for no limit"),
        ("USER_TOKENS_PER_DAY", "4095", "0 for no limit, or a whole number of at least MAX_TOKENS"),
        ("TOOL_TIMEOUT", "-1", "a number above 0"),
        ("TOOL_RESULT_LIMIT", "0", "a whole number above 0"),
        ("DATABASE_URL", "db.sqlite3", "sqlite:///FILE or postgres://USER:PASSWORD@HOST:PORT/NAME"),
        ("DATABASE_URL", "mysql://h/x", "sqlite:///FILE or postgres://USER:PASSWORD@HOST:PORT/NAME"),
        ("DATABASE_URL", "sqlite://", "sqlite:///FILE or postgres://USER:PASSWORD@HOST:PORT/NAME"),
        ("DATABASE_URL", "sqlite:///:memory:", "sqlite:///FILE or postgres://USER:PASSWORD@HOST:PORT/NAME"),
        ("DATABASE_URL", "sqlite://h/x", "sqlite:///FILE or postgres://USER:PASSWORD@HOST:PORT/NAME"),
        ("DATABASE_URL", "postgres://h:x/y", "sqlite:///FILE or postgres://USER:PASSWORD@HOST:PORT/NAME"),
        ("REDIS_URL", "http://h", "a URL such as redis://127.0.0.1:6379/0"),
        ("DEBUG", "perhaps", "0 or 1"),
        ("ALLOWED_HOSTS", ",", "host names with commas between them"),
    ],
)
def test_a_bad_value_is_one_sentence_that_says_what_is_due(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, due: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(ConfigurationError) as error:
        read_environment()
    assert str(error.value) == f"{name} must be {due}."


def test_prices_are_exact_and_what_is_cached_costs_as_input_unless_it_is_said(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("GATEWAY_PRICES", "one=0.1/15, arn:aws:bedrock:us-west-2::p/x = 3/15/0.3/3.75")
    prices = read_environment().GATEWAY_PRICES
    assert prices == {
        "one": dict(zip(KINDS, map(Decimal, ("0.1", "15", "0.1", "0.1")), strict=True)),
        "arn:aws:bedrock:us-west-2::p/x": dict(
            zip(KINDS, map(Decimal, ("3", "15", "0.3", "3.75")), strict=True)
        ),
    }


def test_every_bad_variable_is_named_and_no_value_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "mysql://jennifer:carlson@h/wkrp")
    monkeypatch.setenv("REDIS_URL", "amqp://:carlson@h")
    with pytest.raises(ConfigurationError) as error:
        read_environment()
    assert str(error.value).startswith("DATABASE_URL must be ")
    assert " REDIS_URL must be " in str(error.value)
    assert "carlson" not in str(error.value)
    assert error.value.__cause__ is None


def test_secrets_are_not_in_the_settings_text(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SECRET_KEY", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "carlson")
    monkeypatch.setenv("GATEWAY_HEADERS", "apikey=carlson")
    monkeypatch.setenv("DATABASE_URL", "postgres://jennifer:carlson@h/wkrp")
    assert "carlson" not in repr(read_environment())


def test_a_database_file_is_relative_to_the_folder_unless_it_is_absolute() -> None:
    assert from_url("sqlite:///db.sqlite3", Path("/srv/site"))["NAME"] == Path("/srv/site/db.sqlite3")
    assert from_url("sqlite:////var/db.sqlite3", Path("/srv/site"))["NAME"] == Path("/var/db.sqlite3")
    assert from_url("sqlite:///a%20b.sqlite3", Path("/srv"))["NAME"] == Path("/srv/a b.sqlite3")


def test_sqlite_takes_its_lock_when_a_transaction_begins() -> None:
    options = from_url("sqlite:///db.sqlite3")["OPTIONS"]
    assert options["transaction_mode"] == "IMMEDIATE"
    assert "journal_mode=WAL" in options["init_command"]


def test_options_of_the_database_url_win() -> None:
    options = from_url("postgres://jennifer:fly%40@db:5433/wkrp?sslmode=require&connect_timeout=9")
    assert (options["USER"], options["PASSWORD"], options["PORT"]) == ("jennifer", "fly@", 5433)
    assert options["OPTIONS"] == POSTGRES_OPTIONS | {"sslmode": "require", "connect_timeout": 9}


@pytest.mark.parametrize(
    ("query", "pool", "is_tried"),
    [
        ("", POOL, True),
        ("?pool=3", POOL | {"max_size": 3}, True),
        ("?pool=0", 0, False),
        ("?pool=false", False, False),
    ],
)
def test_postgresql_has_a_pool_unless_the_database_url_says_otherwise(
    query: str, pool: object, is_tried: bool
) -> None:
    settings = from_url(f"postgres://db/wkrp{query}")
    assert settings["OPTIONS"]["pool"] == pool
    assert settings["CONN_HEALTH_CHECKS"] == is_tried
    assert settings["CONN_MAX_AGE"] == 0  # a pool takes every connection back


def test_sqlite_has_no_pool() -> None:
    assert "pool" not in from_url("sqlite:///db.sqlite3")["OPTIONS"]


def test_the_secret_key_is_made_once_for_its_owner_only(tmp_path: Path) -> None:
    path = tmp_path / ".secret_key"
    key = read_or_make(path)
    assert len(key) >= 50
    assert read_or_make(path) == key
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [tmp_path / ".secret_key"]


def test_processes_that_start_together_agree_on_the_key(tmp_path: Path) -> None:
    with ThreadPoolExecutor(16) as pool:
        keys = set(pool.map(read_or_make, [tmp_path / ".secret_key"] * 64))
    assert len(keys) == 1
    assert list(tmp_path.iterdir()) == [tmp_path / ".secret_key"]


@pytest.mark.parametrize("content", ["", "\n"])
def test_an_empty_key_is_not_used(tmp_path: Path, content: str) -> None:
    (tmp_path / ".secret_key").write_text(content)
    with pytest.raises(ConfigurationError, match=r"^SECRET_KEY must be set, or the empty file .* be removed"):
        read_or_make(tmp_path / ".secret_key")


def test_a_folder_that_takes_no_key_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(
        ConfigurationError, match=r"^SECRET_KEY must be set: .* cannot be used \(Not a directory\)"
    ):
        read_or_make(tmp_path / "file" / ".secret_key")


def test_titles_cost_nothing_unless_a_model_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    assert TitleEnvironment().TITLE_MODEL == ""
    monkeypatch.setenv("TITLE_MODEL", " small.model-v1 ")
    monkeypatch.setenv("TITLE_PROMPT", "")
    assert TitleEnvironment().TITLE_MODEL == "small.model-v1"
    assert "title" in TitleEnvironment().TITLE_PROMPT


def test_the_limit_of_attached_files_is_a_number_of_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    assert read_as(FileEnvironment).ATTACHMENTS_LIMIT == 100_000_000
    monkeypatch.setenv("ATTACHMENTS_LIMIT", "0")
    assert read_as(FileEnvironment).ATTACHMENTS_LIMIT == 0
    monkeypatch.setenv("ATTACHMENTS_LIMIT", "much")
    with pytest.raises(
        ConfigurationError, match=r"^ATTACHMENTS_LIMIT must be a whole number, 0 for no limit\.$"
    ):
        read_as(FileEnvironment)


def test_origins_are_named_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    assert read_as(AguiEnvironment).AGUI_ORIGINS == []
    monkeypatch.setenv("AGUI_ORIGINS", "https://App.example.com, http://localhost:3000")
    assert read_as(AguiEnvironment).AGUI_ORIGINS == ["https://app.example.com", "http://localhost:3000"]


@pytest.mark.parametrize(
    "value", ["*", "app.example.com", "https://app.example.com/", "https://*.example.com", "null"]
)
def test_what_is_no_origin_is_told(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("AGUI_ORIGINS", value)
    with pytest.raises(ConfigurationError, match="AGUI_ORIGINS must be origins such as"):
        read_as(AguiEnvironment)
