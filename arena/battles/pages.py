"""What the battle templates may see. Nothing here leads to a team but `Reveal`, which exists only by the rules."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from markupsafe import Markup

from arena.rounds.pages import RoundView

BattleState = Literal["streaming", "votable", "voted", "void", "expired"]
TurnState = Literal["streaming", "paused", "stopped", "complete", "failed"]
Choice = Literal["a", "b", "tie", "both_bad"]
Side = Literal["a", "b"]

PROMPT_LIMIT = 4000
COMMENT_LIMIT = 1000
REASONS = ("accurate", "helpful", "clear", "natural", "inaccurate", "unhelpful", "unclear", "unsafe")
CONSENT_VERSION = "1"


@dataclass(frozen=True, slots=True)
class SuggestionView:
    code: str
    text: str


@dataclass(frozen=True, slots=True)
class LandingPage:
    """`problem` is a translated sentence about what was refused; `prompt` is then the question, kept.

    `open_battle` is the id of a battle the voter has begun and not voted on; `shuffle` numbers the handful of
    suggestions that is shown.
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


@dataclass(frozen=True, slots=True)
class AnswerView:
    """`html` is clean Markdown output; empty while nothing has been shown."""

    side: Side
    html: Markup


@dataclass(frozen=True, slots=True)
class TurnView:
    number: int
    prompt: str
    state: TurnState
    answers: tuple[AnswerView, AnswerView]


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

    `votable`: the choices are shown. `turns_left`: follow-up questions still allowed.
    """

    id: str
    state: BattleState
    round: RoundView
    turns: tuple[TurnView, ...]
    turns_left: int
    prompt_limit: int
    problem: str | None


@dataclass(frozen=True, slots=True)
class BattlePage:
    """`vote` once it was cast, `reveal` once the rules allow it."""

    battle: BlindBattle
    vote: VoteView | None
    reveal: Reveal | None
    reasons: tuple[str, ...]
    comment_limit: int
