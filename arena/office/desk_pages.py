"""What the templates of a round's desk may see."""

from dataclasses import dataclass
from datetime import datetime

from arena.office.charts import Chart
from arena.ratings.pages import SideEffect, VotesNeeded
from arena.rounds.pages import RoundView


@dataclass(frozen=True, slots=True)
class PairCell:
    """Two entries: the rated votes with the row's team at side A, those with the column's there, and both."""

    first: int
    second: int

    @property
    def votes(self) -> int:
        return self.first + self.second


@dataclass(frozen=True, slots=True)
class PairRow:
    """A team's votes with each other team; None with itself."""

    team: str
    cells: tuple[PairCell | None, ...]
    votes: int


@dataclass(frozen=True, slots=True)
class SideBias:
    """How often the answer at the left won among `decided` votes; the rating's figure comes with its interval."""

    decided: int
    share: float
    rated: SideEffect | None


@dataclass(frozen=True, slots=True)
class Numbers:
    """What is read again every few seconds.

    `wanted` votes an entry and `wanted_pair` a pair are what the rules ask for; `needed` is the planner's, None
    before the first ratings.
    """

    at: datetime
    votes: int
    started: int
    going: int
    expired: int
    void: int
    counted: int
    wanted: int
    wanted_pair: int
    rows: tuple[PairRow, ...]
    side: SideBias | None
    needed: tuple[VotesNeeded, ...]
    out_now: tuple[str, ...]
    waiting_changes: int


@dataclass(frozen=True, slots=True)
class HourRow:
    """Answers of an hour, or of more; of the good ones times in seconds, and `rate` in characters a second."""

    at: datetime
    answers: int
    failed: int
    first_s: float | None
    first_p95_s: float | None
    rate: float | None


@dataclass(frozen=True, slots=True)
class EndpointRow:
    """An entry's endpoint in the last hours; `whole` is all of them."""

    code: str
    team: str
    whole: HourRow
    hours: tuple[HourRow, ...]
    failures: Chart
    first_token: Chart
    rate: Chart
    outages: int
    out_now: bool


@dataclass(frozen=True, slots=True)
class Hours:
    """Of every `every` questions one was read; `probes` is the share of comparisons that ask who a model is."""

    endpoints: tuple[EndpointRow, ...]
    every: int
    answers: int
    probes: float | None


@dataclass(frozen=True, slots=True)
class DayRow:
    """Battles begun on a day, and what became of them."""

    day: datetime
    started: int
    voted: int
    expired: int
    void: int


@dataclass(frozen=True, slots=True)
class LeakRow:
    """How many of a team's answers were looked at, and in how many of them a name was masked."""

    team: str
    answers: int
    named: int


@dataclass(frozen=True, slots=True)
class Outcomes:
    """The newest day first; of every `every` questions one was read."""

    days: tuple[DayRow, ...]
    leaks: tuple[LeakRow, ...]
    every: int


@dataclass(frozen=True, slots=True)
class DeskPage:
    """A round that was opened; `entries` are codes and teams.

    `hours` and `outcomes` are None where only `numbers` were asked for.
    """

    round: RoundView
    opens_at: datetime | None
    rules_hash: str
    may_change: tuple[str, ...]
    numbers: Numbers
    hours: Hours | None
    outcomes: Outcomes | None
    entries: tuple[tuple[str, str], ...]
