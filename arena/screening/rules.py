"""The rules for prompts: words and patterns by category, and the classifier's thresholds. Pure."""

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Annotated, Final, Literal

import re2
from pydantic import BaseModel, ConfigDict, Field

from arena.errors import N_
from arena.screening.findings import Category, Finding, Level, gravest
from arena.screening.words import folded, pattern_of, spread

BUILT_IN: Final = Path(__file__).parent / "rules.toml"
MAX_ENTRY = 400
MAX_ENTRIES = 500
MAX_RULES = 60
MAX_NOTE = 300
MEMORY = 1 << 21
"""Bytes that the machine of one rule may take."""
MAX_STEPS = 40_000
"""Of the machines of all patterns together. At worst each letter takes each step, about 7 ns: RE2 does no more."""

TOO_SHORT = N_("“%(entry)s” is too short. A word needs at least two letters.")
TOO_LONG = N_("“%(entry)s…” is too long. A line has at most %(limit)s letters.")
NO_PATTERN = N_("“%(entry)s” is not understood as a pattern.")
MATCHES_ALL = N_("“%(entry)s” would be found in every question.")
TOO_LARGE = N_("These patterns are too large together. Please split them into two rules, or make them simpler.")
TOO_SLOW = N_(
    "All patterns together would take too long for a question. Please make them simpler: count to smaller numbers, as"
    " in x{0,20}, or have fewer lines."
)

_NO_GAPS: Final = str.maketrans("", "", " -*")


class EntryError(ValueError):
    """What is wrong with a line of a rule: a msgid and its parameters."""

    def __init__(self, message: str, entry: str = "", **params: object) -> None:
        super().__init__(message)
        self.message = message
        self.params = {"entry": entry[:40], **params}


class Threshold(BaseModel):
    """From which score (0 to 1) on a classifier's category counts, and as what."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    level: Literal["off"] | Level
    at: Annotated[float, Field(ge=0, le=1)]


class Rule(BaseModel):
    """Words or patterns of one category; only those that are `on` are looked for."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    category: Category
    kind: Literal["words", "pattern"]
    level: Level
    entries: tuple[str, ...] = Field(min_length=1, max_length=MAX_ENTRIES)
    note: Annotated[str, Field(max_length=MAX_NOTE)] = ""
    on: bool = True


Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_/ -]{0,59}$")]


class Rules(BaseModel):
    """A version's body. `thresholds` are by the classifier's own names of categories, such as `self-harm`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    rules: Annotated[tuple[Rule, ...], Field(max_length=MAX_RULES)]
    thresholds: Annotated[dict[Name, Threshold], Field(max_length=MAX_RULES)]


class RulesInForce:
    """A version of the rules, ready to be applied. Raises EntryError where a line cannot be looked for."""

    def __init__(self, version: int, rules: Rules) -> None:
        self.version = version
        self.rules = rules
        self.thresholds: Mapping[str, Threshold] = rules.thresholds
        self._machines = tuple((rule, machine(rule)) for rule in rules.rules if rule.on)

    def findings(self, text: str) -> tuple[Finding, ...]:
        """What the rules find in a text, each category at its gravest."""
        texts = {"pattern": (plain := folded(text)), "words": spread(plain)}
        found: dict[Category, list[Finding]] = {}
        for rule, looks_for in self._machines:
            if looks_for.search(texts[rule.kind]):
                found.setdefault(rule.category, []).append(Finding("rule", rule.category, rule.level))
        return tuple(worst for findings in found.values() if (worst := gravest(findings)))


def machine(rule: Rule) -> "re2._Regexp":
    """Looks for any line of a rule in a folded text. Raises EntryError."""
    for entry in rule.entries:
        _check(rule.kind, entry)
    lines = pattern_of(rule.entries) if rule.kind == "words" else "|".join(f"(?:{line})" for line in rule.entries)
    try:
        return re2.compile(lines, _options())
    except re2.error:
        raise EntryError(TOO_LARGE) from None


def check_speed(rules: Rules) -> None:
    """Raises EntryError where the patterns, also those that are off, could take too long together.

    Machines of words need no such limit: nothing is counted in them.
    """
    if sum(machine(rule).programsize for rule in rules.rules if rule.kind == "pattern") > MAX_STEPS:
        raise EntryError(TOO_SLOW)


def _check(kind: str, entry: str) -> None:
    if len(entry) > MAX_ENTRY:
        raise EntryError(TOO_LONG, entry, limit=MAX_ENTRY)
    if kind == "words":
        if len(spread(folded(entry)).translate(_NO_GAPS)) < 2:
            raise EntryError(TOO_SHORT, entry)
        return
    try:
        alone = re2.compile(entry, _options())
    except (re2.error, UnicodeEncodeError):
        raise EntryError(NO_PATTERN, entry) from None
    if alone.search("") or alone.search(" "):
        raise EntryError(MATCHES_ALL, entry)


def _options() -> "re2.Options":
    options = re2.Options()
    options.case_sensitive = False
    options.log_errors = False
    options.never_capture = True
    options.max_mem = MEMORY
    return options


@cache
def built_in() -> Rules:
    return Rules.model_validate(tomllib.loads(BUILT_IN.read_text(encoding="utf-8")))
