"""What the leaderboard's template may see."""

from dataclasses import dataclass
from datetime import datetime

from arena.rounds.pages import RoundView
from arena.web.forest import Forest


@dataclass(frozen=True, slots=True)
class LeaderboardRow:
    """One entry. Numbers are None while the votes do not determine them."""

    team: str
    rank_low: int | None
    rank_high: int | None
    rating: float | None
    low: float | None
    high: float | None
    votes: int
    wins: int
    losses: int
    ties: int
    win_share: float | None


@dataclass(frozen=True, slots=True)
class LiveRow:
    """OpenSkill's order-dependent indicator, for the operator only."""

    team: str
    ordinal: float


@dataclass(frozen=True, slots=True)
class LeaderboardPage:
    """`visible` is False where the rules keep the ratings from this reader; the rest is then empty.

    `why` names why no rating exists yet (a code such as `no_votes`), `why_teams` the teams concerned.
    """

    round: RoundView
    visible: bool
    rows: tuple[LeaderboardRow, ...]
    plot: Forest | None
    why: str | None
    why_teams: tuple[str, ...]
    votes: int
    method: str
    method_version: str
    computed_at: datetime | None
    final: bool
    live: tuple[LiveRow, ...]
