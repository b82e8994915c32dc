"""What the rounds' templates may see."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

RoundState = Literal["draft", "open", "closed"]


@dataclass(frozen=True, slots=True)
class RoundView:
    """A round in the reader's language; `leaderboard` says whether this reader may see one."""

    slug: str
    title: str
    state: RoundState
    demo: bool
    opened_at: datetime | None
    closes_at: datetime | None
    closed_at: datetime | None
    leaderboard: bool


@dataclass(frozen=True, slots=True)
class RoundsPage:
    rounds: tuple[RoundView, ...]


@dataclass(frozen=True, slots=True)
class OutageView:
    """A time in which a team was not dealt; still going on without `ended_at`."""

    team: str
    began_at: datetime
    ended_at: datetime | None
    ending: str


@dataclass(frozen=True, slots=True)
class RoundPage:
    """`entries` are team names in the reader's language: who takes part is public, who answers is not.

    So `outages`, which tell who does not answer, are published when the round is closed; their number is always.
    """

    round: RoundView
    entries: tuple[str, ...]
    votes: int
    outage_count: int
    outages: tuple[OutageView, ...]
    operator: bool


@dataclass(frozen=True, slots=True)
class RulesPage:
    """`exact` is the canonical JSON, `rules_hash` its SHA-256 in hex; the other fields say it in plain words."""

    round: RoundView
    rules_hash: str
    seed_commitment: str
    exact: str
    max_turns: int
    max_battles_per_voter: int
    rated_votes_per_voter: int
    reveal: Literal["after_vote", "after_close", "never"]
    pacing: Literal["together", "raw"]
    identity_leak: Literal["exclude", "flag"]
    identity_allow: tuple[str, ...]
    max_tokens: int
    temperature: float
    system_prompt: str
    points: int
    formula: str
    min_votes_per_entry: int
