"""Settings from `ARENA_*` variables or `.env`; every one is explained in docs/settings.md."""

import os
from functools import cached_property
from pathlib import Path
from typing import Annotated, Self
from urllib.parse import urlsplit

from dotenv import dotenv_values
from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict
from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from arena.errors import RefusedError
from arena.proofs.notes import SigningKey

PREFIX = "ARENA_"
ENV_FILE = ".env"


def _split(value: object) -> object:
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


class Settings(BaseSettings):
    model_config = SettingsConfigDict(env_prefix=PREFIX, env_file=ENV_FILE, extra="ignore", frozen=True)

    database_url: str = Field(default="", description="`sqlite:///PATH` or `postgresql://...`")
    data_dir: Path = Field(default=Path("data"), description="where files are kept")
    secret_key: SecretStr | None = Field(
        default=None,
        min_length=32,
        description="signs cookies and tokens; at least 32 characters; `arena serve` needs it",
    )
    ledger_key: SecretStr | None = Field(
        default=None, description="signs the ledger; made by `arena key ledger`; needed wherever rounds open and run"
    )
    public_url: str = Field(default="", description="the origin citizens see, such as https://arena.example")
    endpoint_allow: Annotated[list[str], NoDecode] = Field(
        default=[], description="networks and host names endpoints may lie in besides the public internet"
    )
    trusted_proxies: Annotated[list[str], NoDecode] = Field(
        default=[], description="networks whose forwarded headers count"
    )
    embedded_worker: bool = Field(default=True, description="run the background worker inside `arena serve`")
    max_battles: int = Field(
        default=300, ge=1, description="turns that may stream at once in one process; more are asked to wait"
    )
    second_factor: bool = Field(
        default=True, description="admins show a code of their phone when they sign in; false only for trials"
    )
    oidc_issuer: str = Field(default="", description="the OpenID Connect provider admins may sign in with")
    oidc_client_id: str = Field(default="", description="this arena's name at the provider")
    oidc_client_secret: SecretStr | None = Field(default=None, description="this arena's secret at the provider")
    classifier_url: str = Field(
        default="", description="a classifier of prompts in OpenAI's form, such as https://host/v1/moderations"
    )
    classifier_model: str = Field(default="", description="the model that the classifier is asked for")
    classifier_key: SecretStr | None = Field(default=None, description="sent to the classifier as a bearer token")

    split_lists = field_validator("endpoint_allow", "trusted_proxies", mode="before")(_split)

    @field_validator("database_url")
    @classmethod
    def known_database(cls, value: str) -> str:
        try:
            known = not value or make_url(value).get_backend_name() in ("sqlite", "postgresql")
        except (ArgumentError, ValueError):
            known = False
        if not known:
            raise ValueError("expected sqlite:///PATH or postgresql://USER@HOST/NAME")
        return value

    @field_validator("ledger_key")
    @classmethod
    def known_key(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None:
            SigningKey.parse(value.get_secret_value())
        return value

    @field_validator("classifier_url")
    @classmethod
    def web_address(cls, value: str) -> str:
        if value and (not value.startswith(("http://", "https://")) or not urlsplit(value).hostname):
            raise ValueError("expected the whole address, such as https://host/v1/moderations")
        return value

    @field_validator("public_url")
    @classmethod
    def origin_only(cls, value: str) -> str:
        if value and (not value.startswith(("http://", "https://")) or value.count("/") != 2):
            raise ValueError("expected an origin such as https://arena.example, without a path")
        return value

    @field_validator("oidc_issuer")
    @classmethod
    def safe_issuer(cls, value: str) -> str:
        parts = urlsplit(value)
        here = parts.hostname in ("127.0.0.1", "localhost")
        if value and (not parts.hostname or (parts.scheme != "https" and not (here and parts.scheme == "http"))):
            raise ValueError("expected an address such as https://login.example")
        return value

    @model_validator(mode="after")
    def whole_provider(self) -> Self:
        given = [bool(self.oidc_issuer), bool(self.oidc_client_id), bool(self.oidc_client_secret)]
        if any(given) and not all(given):
            raise ValueError(
                "ARENA_OIDC_ISSUER, ARENA_OIDC_CLIENT_ID, ARENA_OIDC_CLIENT_SECRET: expected all or none"
            )
        return self

    @cached_property
    def signing_key(self) -> SigningKey:
        """The ledger's key. Raises RefusedError when it is not set."""
        if self.ledger_key is None:
            raise RefusedError("ARENA_LEDGER_KEY is not set; make one with `arena key ledger`")
        return SigningKey.parse(self.ledger_key.get_secret_value())

    @cached_property
    def database(self) -> str:
        return self.database_url or f"sqlite:///{self.data_dir / 'arena.db'}"


def load_settings() -> Settings:
    """Reads the settings.

    Raises RefusedError naming the variable when a value does not fit or a name is unknown.
    """
    known = {PREFIX + name.upper() for name in Settings.model_fields}
    given = {*os.environ, *dotenv_values(ENV_FILE)}
    unknown = sorted(name for name in given if name.startswith(PREFIX) and name not in known)
    if unknown:
        raise RefusedError(f"{unknown[0]} is not a setting; known are {', '.join(sorted(known))}")
    try:
        return Settings()
    except ValidationError as error:
        first = error.errors()[0]
        name = PREFIX + "_".join(str(part) for part in first["loc"]).upper() + ": " if first["loc"] else ""
        raise RefusedError(f"{name}{first['msg'].removeprefix('Value error, ')}") from None
