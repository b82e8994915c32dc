"""What the review queue's templates may see; nothing here leads to a team or a voter."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, NamedTuple

from arena.errors import N_
from arena.moderation.queue_filter import Filter, State
from arena.screening.findings import CATEGORIES
from arena.screening.personal import KINDS

COUNT_CAP: Final = 1000
REASONS: Final = {
    "self_harm": "1",
    "violence": "2",
    "weapons": "3",
    "drugs": "4",
    "sexual_minors": "5",
    "sexual": "6",
    "hate": "7",
    "privacy": "8",
    "illegal": "9",
    "spam": "s",
    "test_data": "t",
    "other": "o",
}
"""Why a prompt is rejected, each with its key."""
REASON_NAMES: Final[dict[str, str]] = {str(code): words.name for code, words in CATEGORIES.items()} | {
    "test_data": N_("A test, not a question")
}
FLAG_NAMES: Final[dict[str, str]] = {str(code): words.name for code, words in CATEGORIES.items()} | {
    "not_classified": N_("Not checked by the classifier")
}
MASKED_NAMES: Final[dict[str, str]] = {str(kind): name for kind, name in KINDS.items()}


class Reason(NamedTuple):
    """`name` is a msgid."""

    code: str
    key: str
    name: str


class OfReviews:
    """What a page with rows of the queue offers: reasons, names of flags and of what was masked, as msgids."""

    __slots__ = ()

    @property
    def reasons(self) -> tuple[Reason, ...]:
        return tuple(Reason(code, key, REASON_NAMES[code]) for code, key in REASONS.items())

    @property
    def flags(self) -> dict[str, str]:
        return FLAG_NAMES

    @property
    def reason_names(self) -> dict[str, str]:
        return REASON_NAMES

    @property
    def most(self) -> int:
        return COUNT_CAP

    @property
    def kinds(self) -> dict[str, str]:
        return MASKED_NAMES


@dataclass(frozen=True, slots=True)
class Words:
    """Inert text; `excerpt` is its beginning when it is long."""

    text: str
    excerpt: str | None


@dataclass(frozen=True, slots=True)
class FlagView:
    """`name` is translated."""

    name: str
    source: str
    level: str


@dataclass(frozen=True, slots=True)
class ReviewView:
    """A prompt in the queue.

    `earlier` are the prompts before it in its conversation. `taken_by` is the code of whoever else works on it now,
    `mine` says that the reader does. `asked`: it has been or is being answered. `barred`: the reader escalated it, so
    another moderator decides. `done`: it was decided while this list was on the screen.
    """

    id: int
    state: str
    minutes: int
    at: datetime
    language: str
    words: Words
    earlier: tuple[Words, ...]
    flags: tuple[FlagView, ...]
    masked: tuple[tuple[str, int], ...]
    asked: bool
    taken_by: str | None
    mine: bool
    barred: bool
    decided_by: str | None
    decided_at: datetime | None
    by_reader: bool
    reason: str | None
    undoable: bool
    done: bool

    @property
    def open(self) -> bool:
        """Whether the reader may decide on it now."""
        return self.state in ("held", "waiting", "escalated") and not self.barred and self.taken_by is None


@dataclass(frozen=True, slots=True)
class RoundChoice:
    slug: str
    title: str


@dataclass(frozen=True, slots=True)
class LastAct:
    """What the reader decided last and may still take back: how many prompts, or the one, and what they are now."""

    reviews: tuple[int, ...]
    state: str


@dataclass(frozen=True, slots=True)
class QueuePage(OfReviews):
    """`round` is the slug of the round shown; None before the first. `counts` end at COUNT_CAP + 1.

    `earlier` and `later` are the addresses of the pages beside this one. `newest` is the highest id of the round.
    `problems` are translated sentences about what was refused.
    """

    wanted: Filter
    round: RoundChoice | None
    rounds: tuple[RoundChoice, ...]
    demo: bool
    counts: Mapping[State, int]
    reviews: tuple[ReviewView, ...]
    earlier: str | None
    later: str | None
    newest: int
    last: LastAct | None
    problems: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DonePage(OfReviews):
    """What an act came to: `act` was done to `done`; `proposed` counts the exclusions that were proposed with it.

    `reviews` are the rows that changed; `counts` are the lists' where they have changed with it.
    """

    act: str
    done: tuple[int, ...]
    proposed: int
    problems: tuple[str, ...]
    reviews: tuple[ReviewView, ...]
    wanted: Filter
    counts: Mapping[State, int] = field(default_factory=dict)
