"""What the battle templates may see. Nothing here leads to a team but `Reveal`, which exists only by the rules."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, NamedTuple

from markupsafe import Markup

from arena.rounds.pages import OutageView, RoundView

BattleState = Literal["streaming", "votable", "voted", "void", "expired"]
TurnState = Literal["streaming", "paused", "stopped", "complete", "failed"]
Choice = Literal["a", "b", "tie", "both_bad"]
Side = Literal["a", "b"]

PROMPT_LIMIT = 4000
COMMENT_LIMIT = 1000
REASONS = ("accurate", "helpful", "clear", "natural", "inaccurate", "unhelpful", "unclear", "unsafe")
CONSENT_VERSION = "3"


@dataclass(frozen=True, slots=True)
class SuggestionView:
    """`topic` is its name, as a msgid."""

    code: str
    text: str
    topic: str


@dataclass(frozen=True, slots=True)
class HeldView:
    """A question that a person looks at before it is asked, or has looked at; `why_not` is then a msgid.

    `masked` counts the personal data taken out of it, by kind. `new`: it was kept just now. `help_lines`: where
    to call, as a msgid, if it concerns self-harm.
    """

    id: int
    prompt: str
    masked: Mapping[str, int]
    state: Literal["looked_at", "approved", "refused"]
    why_not: str
    new: bool
    help_lines: str


@dataclass(frozen=True, slots=True)
class LandingPage:
    """`problem` is a translated sentence about what was refused; `prompt` is then the question, kept.

    `open_battle` is the id of a battle the voter has begun and not voted on; `shuffle` numbers the handful of
    suggestions that is shown. `held` are the visitor's questions that a person looks at first;
    `withdrawn`: one of them was just taken back.
    """

    round: RoundView | None
    suggestions: tuple[SuggestionView, ...]
    shuffle: int
    votes: int
    needs_consent: bool
    consent_version: str
    publish_ticked: bool
    prompt: str
    prompt_limit: int
    problem: str | None
    open_battle: str | None
    held: tuple[HeldView, ...]
    withdrawn: bool


@dataclass(frozen=True, slots=True)
class AnswerView:
    """`html` is clean Markdown output; empty while nothing has been shown."""

    side: Side
    html: Markup


@dataclass(frozen=True, slots=True)
class TurnView:
    """`masked` counts the personal data taken out of the prompt, by kind.

    `help_lines`: where to call, as a msgid, if the prompt concerns self-harm.
    """

    number: int
    prompt: str
    state: TurnState
    answers: tuple[AnswerView, AnswerView]
    masked: Mapping[str, int] = field(default_factory=dict)
    help_lines: str = ""


@dataclass(frozen=True, slots=True)
class VoteView:
    choice: Choice
    receipt: str
    cast_at: datetime
    feedback_given: bool


@dataclass(frozen=True, slots=True)
class Reveal:
    """Whose answers they were, in the reader's language. Built only when the rules allow it."""

    a: str
    b: str


@dataclass(frozen=True, slots=True)
class BlindBattle:
    """A battle as its voter may see it before the vote.

    `votable`: the choices are shown. `turns_left`: follow-up questions still allowed. `erased`: its words are gone.
    `problem` tells what was refused of the follow-up question `prompt`. `rejected`: a question was refused after it
    had been asked, so no other may follow. `held` are the visitor's questions that a person looks at first.
    """

    id: str
    state: BattleState
    round: RoundView
    turns: tuple[TurnView, ...]
    turns_left: int
    prompt_limit: int
    problem: str | None
    erased: bool = False
    prompt: str = ""
    rejected: bool = False
    held: tuple[HeldView, ...] = ()


@dataclass(frozen=True, slots=True)
class BattlePage:
    """`vote` once it was cast, `reveal` once the rules allow it."""

    battle: BlindBattle
    vote: VoteView | None
    reveal: Reveal | None
    reasons: tuple[str, ...]
    comment_limit: int


class Spread(NamedTuple):
    """Of many values the median and the 95th percentile."""

    median: float
    p95: float


@dataclass(frozen=True, slots=True)
class FailureView:
    """`ending` is one of the gateway's names."""

    ending: str
    number: int


@dataclass(frozen=True, slots=True)
class EndpointView:
    """One team's endpoint. `failures` counts the whole round, all else the latest turns; times in seconds."""

    team: str
    answers: int
    failed: int
    first_token_s: Spread | None
    characters_a_second: Spread | None
    named: int
    failures: tuple[FailureView, ...]


@dataclass(frozen=True, slots=True)
class WaitingView:
    """What showing both answers together costs a reader, in seconds: until the first text, and until the end."""

    first_s: Spread
    end_s: Spread


@dataclass(frozen=True, slots=True)
class HealthPage:
    """For operators. `probes` is the share of battles whose question asks who the model is; `left` counts battles
    without a vote, `left_often` the voters who left at least `often`."""

    round: RoundView
    turns: int
    endpoints: tuple[EndpointView, ...]
    outages: tuple[OutageView, ...]
    waiting: WaitingView | None
    probes: float | None
    left: int
    left_often: int
    often: int


@dataclass(frozen=True, slots=True)
class LeakView:
    """An answer that named an entry: as citizens read it, and as it came."""

    answer: int
    at: datetime
    team: str
    prompt: str
    shown: str
    raw: str


@dataclass(frozen=True, slots=True)
class LeakPage:
    """For auditors. `older` is where to go on, if there is more."""

    round: RoundView
    leaks: tuple[LeakView, ...]
    older: int | None


@dataclass(frozen=True, slots=True)
class PrivacyPage:
    """How many of the visitor's battles have their words, and how many had them erased.

    `held` counts the visitor's questions that were kept for a person to look at, and not asked since.
    """

    kept: int
    erased: int
    held: int


@dataclass(frozen=True, slots=True)
class ErasePage:
    """What would be erased: of the visitor's battles the words of `kept`, or of one alone, `battle`.

    `question` is how that one begins. `running`: an open battle is among them, and would be closed. `held` questions
    that were not asked would go with all battles.
    """

    kept: int
    erased: int
    running: bool
    held: int
    battle: str | None
    question: str
