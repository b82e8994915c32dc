"""What the template of the office's first page may see."""

from dataclasses import dataclass
from typing import Literal

from arena.rounds.pages import RoundView

WaitingFor = Literal[
    "held", "flagged", "escalated", "suggestions", "changes", "exclusions", "appeals", "outages"
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Waiting:
    """How many of a kind wait for the reader, and the page where they are."""

    what: WaitingFor
    number: int
    path: str


@dataclass(frozen=True, slots=True)
class RoundNow:
    """The open round as it stands."""

    round: RoundView
    votes: int
    votes_today: int


@dataclass(frozen=True, slots=True)
class HomePage:
    """No team is named here: moderators read it. `rounds` are those that were opened, for auditors."""

    role: str
    now: RoundNow | None
    waiting: tuple[Waiting, ...]
    rounds: tuple[RoundView, ...]
