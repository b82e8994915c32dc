"""What the template of the office's first page may see."""

from dataclasses import dataclass
from typing import Literal

from arena.moderation.pages import COUNT_CAP
from arena.rounds.pages import RoundView

WaitingFor = Literal[
    "held", "flagged", "escalated", "suggestions", "changes", "exclusions", "appeals", "outages"
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Waiting:
    """How many of a kind wait for the reader, and the page where they are.

    `round` is the title of theirs where that is not the open one. Some numbers end at COUNT_CAP + 1.
    """

    what: WaitingFor
    number: int
    path: str
    round: str | None = None


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

    @property
    def most(self) -> int:
        return COUNT_CAP
