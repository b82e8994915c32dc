"""What the templates about running rounds may see."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from arena.rounds.pages import RoundView

Standing = Literal["ok", "bad", "unsure"]
Check = Literal["endpoints", "aliases", "keys", "dates", "alone", "ledger"]


@dataclass(frozen=True, slots=True)
class RoundRow:
    """A round in the list; `opens_at` is when the worker opens a draft."""

    round: RoundView
    opens_at: datetime | None
    entries: int
    votes: int


@dataclass(frozen=True, slots=True)
class RoundsPage:
    rounds: tuple[RoundRow, ...]


@dataclass(frozen=True, slots=True)
class FormPage:
    """A round's form. `values` and `faults` (translated) are by field name, which is a path of the round file.

    `round` is the draft that it changes, `seen` its fingerprint. `teams` numbers the entries; `problem` is about the
    whole. `file` is the text of a round file that was refused, `file_fault` why. `focus` is the field to begin at.
    """

    round: RoundView | None
    seen: str
    values: Mapping[str, Sequence[str]]
    faults: Mapping[str, str]
    labels: Mapping[str, str]
    teams: int
    problem: str | None
    file: str
    file_fault: str | None
    focus: str | None

    def value(self, path: str, place: int = 0) -> str:
        values = self.values.get(path, ())
        return values[place] if len(values) > place else ""


@dataclass(frozen=True, slots=True)
class CheckRow:
    """Something looked at before an opening; `teams` are those it is about where not all is well."""

    name: Check
    standing: Standing
    teams: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LastTest:
    """An entry's newest test since the draft was changed last."""

    at: datetime
    ending: str
    good: bool
    first_token_ms: int | None


@dataclass(frozen=True, slots=True)
class EntryRow:
    """An entry of a round for its operators; `uncovered` are words that no alias masks."""

    code: str
    team: str
    model: str
    base_url: str
    key_variable: str | None
    key_present: bool
    aliases: int
    uncovered: tuple[str, ...]
    test: LastTest | None


@dataclass(frozen=True, slots=True)
class DraftPage:
    """A round in preparation."""

    round: RoundView
    opens_at: datetime | None
    rules_hash: str
    entries: tuple[EntryRow, ...]
    checks: tuple[CheckRow, ...]
    can_open: bool


@dataclass(frozen=True, slots=True)
class OpenPage:
    """What opening a draft will do. `hindrance` says why it cannot be opened now."""

    round: RoundView
    seen: str
    rules_hash: str
    entries: tuple[str, ...]
    may_change: tuple[str, ...]
    checks: tuple[CheckRow, ...]
    hindrance: str | None
    problem: str | None
    typed: str


@dataclass(frozen=True, slots=True)
class ClosePage:
    """What closing a round will do.

    `by_choice` when it was not announced for now: its closing time is yet to come (`early`), or there is none. Then
    `why` is asked for. `fault` is the field that a problem is about, if about one.
    """

    round: RoundView
    early: bool
    by_choice: bool
    votes: int
    going: int
    fewest: int | None
    wanted: int
    waiting_changes: int
    problem: str | None
    fault: str
    typed: str
    why: str


@dataclass(frozen=True, slots=True)
class TrialView:
    """A test's answer; `raw` and `seen` are cut at so many characters as a page shows. Times in seconds."""

    question: str
    good: bool
    ending: str
    first_token_s: float | None
    total_s: float
    characters: int
    characters_a_second: float | None
    raw: str
    seen: str
    names: int
    hidden: int
    thoughts: str


@dataclass(frozen=True, slots=True)
class TrialPage:
    """A test of one entry. `cut` says that the rules would wait longer than a test does (`longest_s`)."""

    round: RoundView
    entry: EntryRow
    question: str
    question_limit: int
    ask_who: bool
    who: str
    longest_s: float
    cut: bool
    trials: tuple[TrialView, ...]
    problem: str | None
