"""What the templates about teams' links and a team's own page may see."""

from dataclasses import dataclass
from datetime import datetime

from arena.battles.pages import FailureView, Spread
from arena.rounds.pages import RoundView


@dataclass(frozen=True, slots=True)
class LinkView:
    id: int
    made_by: str
    made_at: datetime
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class TeamLinks:
    """An entry's newest links."""

    code: str
    team: str
    links: tuple[LinkView, ...]


@dataclass(frozen=True, slots=True)
class FreshLink:
    """A link that was made just now: nobody can be shown it again."""

    team: str
    address: str


@dataclass(frozen=True, slots=True)
class TeamLinksPage:
    round: RoundView
    teams: tuple[TeamLinks, ...]
    fresh: FreshLink | None


@dataclass(frozen=True, slots=True)
class Exposure:
    """How often an entry was given to citizens, in battles that were voted on.

    `share` of all battles had it on one side, `equal` is an equal share: with n entries 2/n, in each epoch in which
    it takes part. `opponents` it has met, between `fewest` and `most` times each.
    """

    battles: int
    as_a: int
    as_b: int
    share: float | None
    equal: float | None
    opponents: int
    fewest: int
    most: int


@dataclass(frozen=True, slots=True)
class DayView:
    """One day's good answers of an endpoint, and how others failed, if that is told.

    `day` is when it began in Seoul, times are in seconds.
    """

    day: datetime
    answers: int
    first_token_s: Spread | None
    total_s: Spread | None
    characters_a_second: Spread | None
    failures: tuple[FailureView, ...]


@dataclass(frozen=True, slots=True)
class OwnOutage:
    began_at: datetime
    ended_at: datetime | None
    ending: str


@dataclass(frozen=True, slots=True)
class TeamPage:
    """What a team sees of its own entry, and of nobody else's, as of `at`. `days`: the newest first.

    Until it is `complete`, votes count `step` at once, a day's failures are told from `few` on, and outages have the
    day for their beginning and no end. `void` counts battles that could not go on as this endpoint failed; None until
    then. `masked` counts answers in which names were masked.
    """

    round: RoundView
    team: str
    code: str
    at: datetime
    complete: bool
    step: int
    few: int
    exposure: Exposure
    days: tuple[DayView, ...]
    days_shown: int
    outages: tuple[OwnOutage, ...]
    void: int | None
    masked: int
    rules_hash: str
