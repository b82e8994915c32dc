"""What the pipeline's API answers with; the OpenAPI document is made of these."""

from typing import Literal

from pydantic import BaseModel


class TeamNames(BaseModel):
    ko: str
    en: str


class EntryOut(BaseModel):
    entry: str
    team: TeamNames


class RoundOut(BaseModel):
    """A round: its state, what it froze, who takes part, and how many votes were cast."""

    slug: str
    title: TeamNames
    state: Literal["open", "closed"]
    demo: bool
    rules_hash: str
    seed_commitment: str
    entries: list[EntryOut]
    votes: int


class RoundsOut(BaseModel):
    rounds: list[RoundOut]


class LedgerOut(BaseModel):
    size: int
    root: str


class RatingOut(EntryOut):
    """Figures are decimal strings with 6 places; null while the votes do not determine them."""

    rating: str | None
    interval: list[str] | None
    rank: list[int] | None
    votes: int
    wins: int
    losses: int
    ties: int
    win_share: str | None


class WhyOut(BaseModel):
    """What is missing: ratings at all (state `not_ratable`), or only their intervals (state `ok`)."""

    code: Literal[
        "too_few_entries",
        "no_votes",
        "not_connected",
        "one_sided",
        "side_not_estimable",
        "too_few_voters",
        "no_spread",
    ]
    entries: list[str]


class SideEffectOut(BaseModel):
    """What being shown first does: in log-odds, and as the share it wins between equal entries."""

    log_odds: str
    standard_error: str | None
    win_share: str
    interval: list[str] | None


class NeighboursOut(BaseModel):
    """Entries next to each other by rating, the better first; the interval holds for all differences together.

    `votes_needed`: further votes of the whole round until the two can probably (80 %) be told apart.
    """

    entries: list[str]
    gap: str
    interval: list[str] | None
    apart: bool
    votes_needed: int | None


class LastOut(BaseModel):
    """The entry that is surely last, or else those that may be."""

    entry: str | None
    tied: list[str]


class FilterOut(BaseModel):
    """Which votes are rated: not excluded, and of each voter at most the first `votes_per_voter`."""

    name: str
    version: str
    votes_per_voter: int


class RatingsOut(BaseModel):
    """`figures_hash` is the SHA-256 of the figures' RFC 8785 JSON, as `arena rate --json` gives it for the votes."""

    round: str
    rules_hash: str
    method: str
    method_version: str
    filter: FilterOut
    cells_hash: str | None
    figures_hash: str
    ledger: LedgerOut
    computed_at: str | None
    final: bool
    state: Literal["ok", "not_ratable"]
    why: WhyOut | None
    voters: int
    side: SideEffectOut | None
    entries: list[RatingOut]
    neighbours: list[NeighboursOut]
    last: LastOut | None


class ScoreOut(EntryOut):
    """Points of the round's maximum; `provisional` until the round is closed, and with too few votes."""

    points: str | None
    interval: list[str] | None
    provisional: bool


class AdviceOut(BaseModel):
    """Who is surely last; else who may be, and the rules' tie-break decides."""

    eliminate: str | None
    tied: list[str]


class ScoresOut(BaseModel):
    """Points by the rules' formula; `anchors` are the win shares of no and of all points (formula `anchored`)."""

    round: str
    rules_hash: str
    method: str
    method_version: str
    figures_hash: str
    computed_at: str
    final: bool
    formula: Literal["anchored", "win_share", "relative_to_best", "rank_bands"]
    points: int
    anchors: list[str] | None
    min_votes_per_entry: int
    provisional: bool
    entries: list[ScoreOut]
    advice: AdviceOut | None


class SideOut(BaseModel):
    a: str
    b: str
    counts: dict[Literal["a", "b", "tie", "both_bad"], int]


class PairOut(BaseModel):
    """`wins` are in the order of `entries`."""

    entries: list[str]
    battles: int
    wins: list[int]
    ties: int
    both_bad: int
    by_side: list[SideOut]


class PairsOut(BaseModel):
    round: str
    rules_hash: str
    computed_at: str | None
    pairs: list[PairOut]


Winner = Literal["model_a", "model_b", "tie", "tie (bothbad)"]


class VoteOut(BaseModel):
    """One line of `/votes`: `winner` is in the words of the field's public arena data."""

    id: int
    voter: str
    model_a: str
    model_b: str
    winner: Winner
    at: str
    excluded: bool
