"""What the templates of excluded votes may see. For operators and auditors: they name teams, never voters."""

from dataclasses import dataclass, field
from datetime import datetime

from arena.rounds.pages import RoundView


@dataclass(frozen=True, slots=True)
class Figure:
    """A team's figures; None while they cannot be told."""

    rating: float | None
    interval: tuple[float, float] | None
    rank: tuple[int, int] | None
    points: float | None
    votes: int


@dataclass(frozen=True, slots=True)
class EffectRow:
    """A team before and after; `places` are those in the order of ratings, from 1."""

    team: str
    before: Figure
    after: Figure
    places: tuple[int, int]

    @property
    def new_rank(self) -> bool:
        return self.before.rank != self.after.rank

    @property
    def new_place(self) -> bool:
        return self.places[0] != self.places[1]


@dataclass(frozen=True, slots=True)
class Effect:
    """What it does to the ratings, in the order of ratings before; `votes` counts those that are rated."""

    rows: tuple[EffectRow, ...]
    votes: tuple[int, int]
    rated: tuple[bool, bool]

    @property
    def new_order(self) -> bool:
        return any(row.new_place for row in self.rows)

    @property
    def new_ranks(self) -> bool:
        return any(row.new_rank for row in self.rows)


@dataclass(frozen=True, slots=True)
class RejectedView:
    """A rejected question. `reason` is a msgid, `by` the code of the moderator who rejected it."""

    review: int
    text: str
    reason: str
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class VoteRow:
    """A comparison of a proposal: its number, its voter's pseudonym and how its conversation began.

    `state` is "counts", "out", "no_vote_yet" or "no_vote"; what was chosen is not shown.
    """

    battle: str
    voter: str
    question: str
    at: datetime
    state: str


@dataclass(frozen=True, slots=True)
class ProposalView:
    """`standing` tells whether it can be decided: "ready", "no_vote_yet" or "nothing_to_do"."""

    id: int
    kind: str
    reason: str
    note: str
    number: int
    by: str
    at: datetime
    mine: bool
    state: str
    standing: str
    decided_by: str | None
    decided_at: datetime | None
    question: RejectedView | None

    @property
    def decidable(self) -> bool:
        return self.state == "waiting" and self.standing == "ready" and not self.mine


@dataclass(frozen=True, slots=True)
class AppealView:
    """A voter's words, empty once erased. `proposal` is the reinstatement that waits for a second person."""

    id: int
    text: str
    at: datetime
    battle: str
    why: str
    question: str
    proposal: int | None


@dataclass(frozen=True, slots=True)
class Fault:
    """A line that was refused: its number, what it says, and a translated sentence why."""

    line: int
    text: str
    why: str


@dataclass(frozen=True, slots=True)
class Problem:
    """What was refused, beside the form or card of that name; `message` is translated."""

    form: str
    message: str
    faults: tuple[Fault, ...] = ()


@dataclass(frozen=True, slots=True)
class ExclusionsPage:
    """`forms` are the ways to choose votes: "numbers", "voter", "rejected", "reinstate".

    `waiting` are proposals of one `standing`, of which `standings` has the numbers, that come after number `after`;
    `later` and `older` are where to go on. So many are `closable` at once. `groups` counts by who proposed what is
    ready to be decided by the reader. `kept` is what was typed into the form of the problem, which has none when it
    is about the whole page.
    """

    round: RoundView | None
    rounds: tuple[RoundView, ...] = ()
    acts: bool = False
    forms: tuple[str, ...] = ()
    standing: str = "ready"
    standings: dict[str, int] = field(default_factory=dict)
    waiting: tuple[ProposalView, ...] = ()
    after: int = 0
    later: int | None = None
    closable: int = 0
    groups: tuple[tuple[str, int], ...] = ()
    appeals: tuple[AppealView, ...] = ()
    rejected: tuple[RejectedView, ...] = ()
    decided: tuple[ProposalView, ...] = ()
    older: int | None = None
    reasons: tuple[str, ...] = ()
    problem: Problem | None = None
    kept: dict[str, list[str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CheckPage:
    """What would be proposed, with its effect, to be confirmed. `fields` go on as they are."""

    round: RoundView
    kind: str
    reason: str
    note: str
    votes: tuple[VoteRow, ...]
    number: int
    questions: tuple[RejectedView, ...]
    appeal: AppealView | None
    effect: Effect
    fields: dict[str, str]


@dataclass(frozen=True, slots=True)
class ProposalsPage:
    """Proposals to look at and decide on; `effect` is that of `together` of them: now, or as it was when decided.

    Only for one: `votes` from place `start` on, with `further` where there are more; how many it `moved`, once it was
    approved; and whether it can be proposed anew as `mistaken`. `problems` by a proposal's id, which may be unknown.
    `later` is how many more proposals there are.
    """

    round: RoundView
    proposals: tuple[ProposalView, ...]
    together: int
    votes: tuple[VoteRow, ...]
    start: int
    further: int | None
    moved: int | None
    mistaken: bool
    effect: Effect | None
    acts: bool
    problems: dict[int, str]
    later: int
