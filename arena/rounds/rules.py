"""A round's rules, and the round file they come from.

The rules are frozen as RFC 8785 JSON; their SHA-256 is the rules hash that everyone can compare.
"""

import hashlib
import tomllib
from functools import lru_cache
from typing import Annotated, Any, Literal, Self

import rfc8785
from pydantic import (
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    JsonValue,
    ValidationError,
    field_validator,
    model_validator,
)

from arena.errors import RefusedError

Text = Annotated[str, Field(min_length=1, max_length=200)]
Positive = Annotated[int, Field(ge=1)]
Seconds = Annotated[float, Field(gt=0, le=3600)]
Variable = Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9_]*$")]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Names(_Strict):
    ko: Text
    en: Text


class AnswerRules(_Strict):
    max_tokens: Annotated[int, Field(ge=1, le=32768)]
    temperature: Annotated[float, Field(ge=0, le=2)]
    system_prompt: Annotated[str, Field(max_length=20000)]


class Deadlines(_Strict):
    first_token_s: Seconds
    idle_s: Seconds
    total_s: Seconds


class ScoreRules(_Strict):
    points: Positive
    formula: Literal["anchored", "win_share", "relative_to_best", "rank_bands"]
    anchors: Annotated[list[float], Field(min_length=2, max_length=2)]
    min_votes_per_entry: Annotated[int, Field(ge=0)]

    @field_validator("anchors")
    @classmethod
    def anchors_rise(cls, value: list[float]) -> list[float]:
        if not 0 <= value[0] < value[1] <= 1:
            raise ValueError("expected two rising win shares such as [0.35, 0.65]")
        return value


class Rules(_Strict):
    """What a round freezes at its opening."""

    choices: list[Literal["a", "b", "tie", "both_bad"]]
    max_turns: Annotated[int, Field(ge=1, le=50)]
    max_battles_per_voter: Positive
    rated_votes_per_voter: Positive
    reveal: Literal["after_vote", "after_close", "never"]
    who: Literal["open"]
    answer: AnswerRules
    deadlines: Deadlines
    pacing: Literal["together", "raw"]
    identity_leak: Literal["exclude", "flag"]
    identity_allow: tuple[Text, ...] = Field(default=(), max_length=200, strict=False)
    may_change: tuple[Literal["address", "pause", "join"], ...] = Field(default=(), strict=False)
    score: ScoreRules

    @field_validator("choices")
    @classmethod
    def all_choices(cls, value: list[str]) -> list[str]:
        if sorted(value) != ["a", "b", "both_bad", "tie"]:
            raise ValueError('expected ["a", "b", "tie", "both_bad"]')
        return value

    @field_validator("may_change")
    @classmethod
    def each_once(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(value)) < len(value):
            raise ValueError('expected each of "address", "pause", "join" at most once')
        return value

    def frozen(self) -> dict[str, Any]:
        """What is hashed: without `identity_allow` and `may_change` where empty, as these came later."""
        without = {name for name in ("identity_allow", "may_change") if not getattr(self, name)}
        return self.model_dump(mode="json", exclude=without)

    def canonical(self) -> str:
        """The frozen rules as RFC 8785 JSON."""
        return rfc8785.dumps(self.frozen()).decode()


class EntryFile(_Strict):
    team: Names
    model: Text
    base_url: Text
    api_key_env: Variable | None = None
    aliases: list[Text]
    extra_body: dict[str, JsonValue] = {}

    @field_validator("extra_body")
    @classmethod
    def has_canonical_form(cls, value: dict[str, JsonValue]) -> dict[str, JsonValue]:
        try:
            rfc8785.dumps(value)
        except rfc8785.CanonicalizationError as error:
            raise ValueError(f"expected what can be written as canonical JSON (RFC 8785): {error}") from None
        return value


class RoundFile(_Strict):
    slug: Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=64)]
    title: Names
    opens_at: AwareDatetime | None = None
    closes_at: AwareDatetime | None = None
    rules: Rules
    entries: Annotated[list[EntryFile], Field(min_length=2, max_length=50)]

    @model_validator(mode="after")
    def teams_differ(self) -> Self:
        for language in ("ko", "en"):
            seen: set[str] = set()
            for number, entry in enumerate(self.entries):
                name = getattr(entry.team, language)
                if name in seen:
                    raise ValueError(f"entries.{number}.team.{language}: {name!r} takes part already")
                seen.add(name)
        return self

    @model_validator(mode="after")
    def closes_after_opening(self) -> Self:
        if self.opens_at and self.closes_at and self.closes_at <= self.opens_at:
            raise ValueError("closes_at: expected a time after opens_at")
        return self


def rules_hash(canonical: str) -> str:
    """SHA-256 of the canonical rules, in hex."""
    return hashlib.sha256(canonical.encode()).hexdigest()


@lru_cache(maxsize=64)
def load_rules(canonical: str) -> Rules:
    """The rules of a round from its stored canonical JSON."""
    return Rules.model_validate_json(canonical)


def parse_toml(text: str) -> dict[str, Any]:
    """Raises TOMLDecodeError, also for TOML that Python does not read."""
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        raise
    except (ValueError, RecursionError):
        raise tomllib.TOMLDecodeError("a number is too long, or lists lie too deep in each other") from None


def parse_round_file(text: str) -> RoundFile:
    """Reads a round file.

    Raises RefusedError with one line a fault: the key's path and what is expected there.
    """
    try:
        return RoundFile.model_validate(parse_toml(text))
    except tomllib.TOMLDecodeError as error:
        raise RefusedError(f"not TOML: {error}") from None
    except ValidationError as error:
        raise RefusedError("\n".join(_fault(dict(fault)) for fault in error.errors())) from None


def _fault(fault: dict[str, Any]) -> str:
    path = ".".join(str(part) for part in fault["loc"])
    kind, message = fault["type"], fault["msg"].removeprefix("Value error, ")
    if kind == "extra_forbidden":
        message = "unknown key; expected one of the keys in the example round file"
    elif kind == "missing":
        message = "missing; a value is required"
    elif path == "rules.who":
        message = 'only "open" rounds can be run so far'
    elif "input" in fault and not isinstance(fault["input"], dict | list):
        message += f", not {fault['input']!r}"
    return f"{path}: {message}" if path else message
