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

    @property
    def closed_early(self) -> bool:
        """Whether an operator closed it before the end that was announced."""
        return self.closed_at is not None and self.closes_at is not None and self.closed_at < self.closes_at


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
    may_change: tuple[Literal["address", "pause", "join"], ...]
    max_tokens: int
    temperature: float
    system_prompt: str
    points: int
    formula: str
    min_votes_per_entry: int


@dataclass(frozen=True, slots=True)
class LogView:
    """A round's log: its name, and the key that signs it as `NAME+ID+KEY`."""

    origin: str
    verifier: str


@dataclass(frozen=True, slots=True)
class CheckpointView:
    """The newest checkpoint; `note` is the exact text."""

    entries: int
    note: str
    signed_at: datetime


@dataclass(frozen=True, slots=True)
class LedgerPage:
    """No `log`: the round is from before there were ledgers. `seed` (hex) and `bundle` are there once published."""

    round: RoundView
    log: LogView | None
    checkpoint: CheckpointView | None
    rules_hash: str
    reveal: Literal["after_vote", "after_close", "never"]
    seed_commitment: str
    seed: str | None
    bundle: bool


@dataclass(frozen=True, slots=True)
class TeamChoice:
    """A team that a change can be about, by its entry's code."""

    code: str
    name: str


@dataclass(frozen=True, slots=True)
class ProposalView:
    """A change that waits for a second person; `mine` when the reader proposed it."""

    id: int
    kind: str
    team: str
    address: str | None
    key_variable: str | None
    model: str | None
    reason: str
    by: str
    at: datetime
    mine: bool


@dataclass(frozen=True, slots=True)
class ActView:
    """What somebody did or tried; `why` is a translated sentence about what was refused."""

    at: datetime
    who: str
    what: str
    kind: str | None
    team: str | None
    done: bool
    why: str


@dataclass(frozen=True, slots=True)
class ChangeProblem:
    """What was refused: in which form, for which of its fields if for one, in a translated sentence.

    `form` is a kind of change, `proposal-ID`, or empty for the page itself.
    """

    form: str
    field: str
    message: str


@dataclass(frozen=True, slots=True)
class ChangesPage:
    """`forms` are the kinds of changes that can be proposed now, each with the teams to choose from.

    `reasons` are the reason codes of each kind; `kept` is what was typed into a form that was refused.
    """

    round: RoundView
    allowed: tuple[str, ...]
    forms: dict[str, tuple[TeamChoice, ...]]
    reasons: dict[str, tuple[str, ...]]
    waiting: tuple[ProposalView, ...]
    acts: tuple[ActView, ...]
    problem: ChangeProblem | None
    kept: dict[str, str]
