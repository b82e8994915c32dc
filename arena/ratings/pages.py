"""What the leaderboard's template may see. Shares lie between 0 and 1, ratings are on the Elo scale."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from arena.rounds.pages import RoundView
from arena.web.forest import Forest

Interval = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Score:
    """The round's score: `most` points at best; some provisional while the round is open or for want of votes."""

    formula: str
    most: int
    min_votes: int
    provisional: bool


@dataclass(frozen=True, slots=True)
class Points:
    """A team's points of the round's score."""

    value: float
    interval: Interval | None
    provisional: bool


@dataclass(frozen=True, slots=True)
class LeaderboardRow:
    """One entry. Figures are None while the votes do not determine them.

    `rank` is the best and the worst place the votes leave open, `win_share` the expected share of wins against the
    others.
    """

    team: str
    rank: tuple[int, int] | None
    points: Points | None
    rating: float | None
    interval: Interval | None
    win_share: float | None
    votes: int
    wins: int
    losses: int
    ties: int


@dataclass(frozen=True, slots=True)
class Neighbours:
    """Two teams next to each other by rating.

    `votes_needed` is how many further votes would probably tell them apart, to two digits; None where none would.
    """

    ahead: str
    behind: str
    apart: bool
    votes_needed: int | None


@dataclass(frozen=True, slots=True)
class Last:
    """The team that is surely last, or else None and those of which one is."""

    team: str | None
    tied: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Duel:
    """How one team fared against another: share won, a tie as half; `shade` from 0 (few) to 6 (most)."""

    share: float
    comparisons: int
    shade: int


@dataclass(frozen=True, slots=True)
class DuelRow:
    """A team against each team, in the order of the rows; None against itself and against those it never met."""

    team: str
    duels: tuple[Duel | None, ...]


@dataclass(frozen=True, slots=True)
class SideEffect:
    """The share of comparisons of equal teams that the answer shown first wins; `telling` if surely not a half."""

    share: float
    interval: Interval
    telling: bool


@dataclass(frozen=True, slots=True)
class Why:
    """Why there are no ratings, or ratings of unknown uncertainty: a code such as `no_votes`, the teams concerned."""

    code: str
    teams: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class OtherRating:
    """A team's rating by another model; the interval is None where the votes give none."""

    value: float
    interval: Interval | None


@dataclass(frozen=True, slots=True)
class OtherModel:
    """Ratings by Davidson's model or with style held equal, in the order of the board's rows.

    Without them `why` says the reason: `no_votes`, `no_ties`, `only_ties` or `not_finite`.
    """

    name: Literal["davidson", "style"]
    why: str | None
    ratings: tuple[OtherRating, ...]


@dataclass(frozen=True, slots=True)
class StyleEffect:
    """What more of a feature adds to the log-odds of being preferred; None where the votes do not tell.

    `telling` if surely not nothing.
    """

    feature: str
    log_odds: float | None
    standard_error: float | None
    telling: bool


@dataclass(frozen=True, slots=True)
class VotesOfAType:
    """So many votes with this choice, the team `first` being model A."""

    first: str
    second: str
    choice: str
    votes: int


@dataclass(frozen=True, slots=True)
class Upset:
    """So many votes, the fewest found, make the team `last` the last; by type, most first."""

    votes: int
    last: str
    types: tuple[VotesOfAType, ...]


@dataclass(frozen=True, slots=True)
class OneVoter:
    """How many voters decide alone who is first, or last (None where nobody is so alone), or if there are ratings."""

    changes_first: int | None
    changes_last: int | None
    not_ratable: int


@dataclass(frozen=True, slots=True)
class Standing:
    """How sure a team's place is: the chances to be first and last, and its ratings with any one voter left out."""

    team: str
    chances: tuple[float, float] | None
    ratings: Interval | None


@dataclass(frozen=True, slots=True)
class Firmness:
    """What it takes to make another team than `last` the last; None where several teams share that place.

    `removal` and `reversal` are None where no votes were found whose absence, or reversal, does it.
    """

    last: str | None
    removal: Upset | None
    reversal: Upset | None
    one_voter: OneVoter | None
    standings: tuple[Standing, ...]


@dataclass(frozen=True, slots=True)
class Beside:
    """What stands beside final ratings and is never scored; `firmness` is None without ratings."""

    models: tuple[OtherModel, ...]
    effects: tuple[StyleEffect, ...]
    firmness: Firmness | None


@dataclass(frozen=True, slots=True)
class Method:
    """How ratings are computed, from the first `votes_per_voter` votes of each voter; hashes are SHA-256 in hex."""

    name: str
    version: str
    filter: str
    filter_version: str
    votes_per_voter: int
    figures_hash: str
    cells_hash: str


@dataclass(frozen=True, slots=True)
class Board:
    """What a snapshot says, best team first. Parts that the votes do not determine are None or empty."""

    rated: bool
    why: Why | None
    rows: tuple[LeaderboardRow, ...]
    score: Score | None
    plot: Forest | None
    neighbours: tuple[Neighbours, ...]
    last: Last | None
    duels: tuple[DuelRow, ...]
    side: SideEffect | None
    beside: Beside | None
    votes: int
    voters: int
    method: Method
    computed_at: datetime
    final: bool


@dataclass(frozen=True, slots=True)
class LiveRow:
    """OpenSkill's order-dependent indicator."""

    team: str
    ordinal: float


@dataclass(frozen=True, slots=True)
class VotesNeeded:
    """Votes that each pair, and so the whole round, needs to tell a win share from one half.

    `reached` if each pair has them.
    """

    win_share: float
    per_pair: int
    whole_round: int
    reached: bool


@dataclass(frozen=True, slots=True)
class Ahead:
    """A team and those surely behind it, however often one looks."""

    team: str
    behind: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Outlook:
    """How many votes the round needs, with the share of ties so far and the factor for votes of the same voter.

    `fewest` is the number of the pair with the fewest votes; `planned` the votes of the whole round.
    """

    ties: float
    design_effect: float | None
    fewest: int
    needed: tuple[VotesNeeded, ...]
    planned: int
    apart: tuple[Ahead, ...]


@dataclass(frozen=True, slots=True)
class Desk:
    """What operators alone see; `differences` of the kept counts from the votes are those the last recount found."""

    outlook: Outlook
    recounted_at: datetime | None
    differences: tuple[str, ...]
    live: tuple[LiveRow, ...]


@dataclass(frozen=True, slots=True)
class LeaderboardPage:
    """`visible` is False where the rules keep the ratings from this reader; `board` is None before the first.

    `desk` is None for everybody but operators. `bundle`: the round's bundle can be downloaded.
    """

    round: RoundView
    visible: bool
    board: Board | None
    desk: Desk | None
    bundle: bool = False
