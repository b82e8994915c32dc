"""What the pipeline's API answers with; the OpenAPI document is made of these."""

from typing import Literal

from pydantic import BaseModel


class Problem(BaseModel):
    """RFC 9457 problem details."""

    type: str
    title: str
    status: int
    detail: str


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
    code: Literal["too_few_entries", "no_votes", "not_connected"]
    entries: list[str]


class RatingsOut(BaseModel):
    round: str
    rules_hash: str
    method: str
    method_version: str
    ledger: LedgerOut
    computed_at: str | None
    final: bool
    state: Literal["ok", "not_ratable"]
    why: WhyOut | None
    entries: list[RatingOut]


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
