"""The environment variables of README's table, with their types, defaults and limits."""

import re
from decimal import Decimal, InvalidOperation
from string import ascii_letters, digits
from typing import Annotated, Any, TypeVar
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from conversations.errors import ConfigurationError
from project.database import from_url

# A token of RFC 9110, section 5.6.2: the characters of a header's name.
TOKEN = frozenset(ascii_letters + digits + "!#$%&'*+-.^_`|~")


def split_list(value: Any) -> Any:
    """The items of a comma-separated text, without blanks and repetitions."""
    if not isinstance(value, str):
        return value
    return list(dict.fromkeys(item.strip() for item in value.split(",") if item.strip()))


def split_pairs(value: Any) -> Any:
    """The headers of `name=value` pairs; raises ValueError for a name or value that HTTP cannot carry."""
    if not isinstance(value, str):
        return value
    pairs = [item.partition("=") for item in split_list(value)]
    headers = {name.strip(): content.strip() for name, _, content in pairs}
    if not all(sign for _, sign, _ in pairs) or not all(map(is_header, headers, headers.values())):
        raise ValueError
    return headers


def is_header(name: str, content: str) -> bool:
    """Whether name and content are those of a header: a token, and printable ASCII."""
    return bool(name) and TOKEN.issuperset(name) and content.isascii() and content.isprintable()


def split_prices(value: Any) -> Any:
    """The prices of models, from `MODEL=input/output[/cacheRead/cacheWrite]`."""
    if not isinstance(value, str):
        return value
    pairs = [item.rpartition("=") for item in split_list(value)]
    if not all(model.strip() for model, _, _ in pairs):
        raise ValueError
    return {model.strip(): prices_of(amounts) for model, _, amounts in pairs}


def prices_of(amounts: str) -> dict[str, Decimal]:
    """A model's four prices: without its own, a cached token costs as much as one of the input.

    Raises ValueError unless there are two or four amounts, none below 0.
    """
    try:
        prices = [Decimal(amount.strip()) for amount in amounts.split("/")]
    except InvalidOperation:
        raise ValueError from None
    if len(prices) not in (2, 4) or not all(price.is_finite() and 0 <= price < 10**9 for price in prices):
        raise ValueError
    if len(prices) == 2:
        prices += [prices[0], prices[0]]
    return dict(zip(("input", "output", "cacheRead", "cacheWrite"), prices, strict=True))


def check_http_url(value: str) -> str:
    """The URL; raises ValueError unless it is http or https, without a user, query or fragment."""
    url = urlsplit(value)
    if url.scheme not in ("http", "https") or not url.hostname or url.port == 0:
        raise ValueError
    if url.username is not None or url.query or url.fragment or re.search(r"\s", value):
        raise ValueError
    return value


def check_key(value: str) -> str:
    """The key; raises ValueError unless a header can carry it."""
    if not value.isascii() or not value.isprintable() or " " in value:
        raise ValueError
    return value


def check_origins(value: list[str]) -> list[str]:
    """The origins in lower case; raises ValueError for `*`, a path, or anything else."""
    for origin in value:
        url = urlsplit(origin)
        if check_http_url(origin) != f"{url.scheme}://{url.netloc}" or "*" in origin:
            raise ValueError
    return [origin.lower() for origin in value]


def check_redis_url(value: str) -> str:
    """The URL; raises ValueError unless redis-py can read it."""
    if urlsplit(value).scheme not in ("redis", "rediss", "unix"):
        raise ValueError
    return value


def check_database_url(value: str) -> str:
    """The URL; raises ValueError unless it names a database that Turntable can use."""
    from_url(value)
    return value


Seconds = Annotated[float, Field(gt=0, allow_inf_nan=False, description="a number above 0")]
Count = Annotated[int, Field(gt=0, description="a whole number above 0")]
Limit = Annotated[int, Field(ge=0, description="a whole number, 0 for no limit")]
Names = Annotated[list[str], NoDecode, BeforeValidator(split_list), Field(min_length=1)]
Headers = Annotated[dict[str, str], NoDecode, BeforeValidator(split_pairs)]
Origins = Annotated[list[str], NoDecode, BeforeValidator(split_list), AfterValidator(check_origins)]
Prices = Annotated[dict[str, dict[str, Decimal]], NoDecode, BeforeValidator(split_prices)]


class Environment(BaseSettings):
    """The settings of the environment; an empty variable counts as unset."""

    model_config = SettingsConfigDict(
        case_sensitive=True, env_ignore_empty=True, frozen=True, str_strip_whitespace=True
    )

    GATEWAY_URL: Annotated[str, AfterValidator(check_http_url)] | None = Field(
        None, repr=False, description="an http or https URL such as http://127.0.0.1:8000/bedrock"
    )
    GATEWAY_MODELS: Names = Field(["cohere.command-r-v1:0"], description="model ids with commas between them")
    GATEWAY_HEADERS: Headers = Field({}, repr=False, description="name=value pairs with commas between them")
    GATEWAY_TIMEOUT: Seconds = 300
    GATEWAY_RETRIES: Count = 3
    GATEWAY_PRICES: Prices = Field(
        {},
        description="MODEL=input/output or MODEL=input/output/cacheRead/cacheWrite with commas between them",
    )
    PRICE_CURRENCY: str = Field("USD", pattern=r"^[A-Z]{3}$", description="a currency's three letters")
    AWS_REGION: str = Field("us-west-2", pattern=r"^[A-Za-z0-9-]{1,63}$", description="a region's name")
    AWS_ACCESS_KEY_ID: str = Field("dummy", repr=False)
    AWS_SECRET_ACCESS_KEY: str = Field("dummy", repr=False)
    UPSTREAM_URL: Annotated[str, AfterValidator(check_http_url)] | None = Field(
        None, repr=False, description="an http or https URL such as http://localhost:11434/v1"
    )
    UPSTREAM_API_KEY: Annotated[str, AfterValidator(check_key)] = Field(
        "", repr=False, description="printable ASCII without blanks"
    )
    UPSTREAM_MODEL: str = ""
    MAX_ROUNDS: Count = 25
    MAX_TOKENS: Count = 4096
    USER_TURNS_AT_ONCE: Limit = 20
    USER_TURNS_PER_MINUTE: Limit = 60
    USER_TOKENS_PER_DAY: Limit = Field(
        0, description="0 for no limit, or a whole number of at least MAX_TOKENS"
    )
    APPROVAL_TIMEOUT: int = Field(86_400, ge=0, lt=2**31, description="whole seconds, 0 for never")
    TOOL_TIMEOUT: Seconds = 30
    TOOL_RESULT_LIMIT: Count = 65_536
    DATABASE_URL: Annotated[str, AfterValidator(check_database_url)] = Field(
        "sqlite:///db.sqlite3",
        repr=False,
        description="sqlite:///FILE or postgres://USER:PASSWORD@HOST:PORT/NAME",
    )
    REDIS_URL: Annotated[str, AfterValidator(check_redis_url)] | None = Field(
        None, repr=False, description="a URL such as redis://127.0.0.1:6379/0"
    )
    SECRET_KEY: str | None = Field(None, repr=False, description="a long text that nobody can guess")
    DEBUG: bool = Field(False, description="0 or 1")
    ALLOWED_HOSTS: Names = Field(
        ["127.0.0.1", "localhost"], description="host names with commas between them"
    )

    @field_validator("USER_TOKENS_PER_DAY")
    @classmethod
    def allow_one_turn(cls, value: int, info: ValidationInfo) -> int:
        """The limit; raises ValueError if it would refuse the first turn of a day."""
        if 0 < value < info.data.get("MAX_TOKENS", 0):
            raise ValueError
        return value


class TitleEnvironment(BaseSettings):
    """The model that titles conversations, and its instructions. Else the first words are the title."""

    model_config = Environment.model_config

    TITLE_MODEL: str = ""
    TITLE_PROMPT: str = (
        "You write titles. Read the beginning of a conversation and answer with its title alone: at most six words, in the language of "
        "the user's message, naming what it is about. No quotes, no full stop, no explanation."
    )


class FileEnvironment(BaseSettings):
    """The limit for attached files."""

    model_config = Environment.model_config

    ATTACHMENTS_LIMIT: Limit = 100_000_000


class AguiEnvironment(BaseSettings):
    """The origins whose pages may use AG-UI over HTTP."""

    model_config = Environment.model_config

    AGUI_ORIGINS: Origins = Field(
        [], description="origins such as https://app.example.com with commas between them"
    )


class McpEnvironment(BaseSettings):
    """The file that lists servers of the Model Context Protocol."""

    model_config = Environment.model_config

    MCP_SERVERS: str | None = Field(None, description="the path of a JSON file with mcpServers")


Settings = TypeVar("Settings", bound=BaseSettings)


def read_environment() -> Environment:
    """The environment as settings; raises ConfigurationError."""
    return read_as(Environment)


def read_as(settings: type[Settings]) -> Settings:
    """Settings of the environment; raises ConfigurationError, which repeats no value of a bad variable."""
    try:
        return settings()
    except ValidationError as error:
        names = dict.fromkeys(str(problem["loc"][0]) for problem in error.errors(include_input=False))
    fields = settings.model_fields
    raise ConfigurationError(" ".join(f"{name} must be {fields[name].description}." for name in names))
