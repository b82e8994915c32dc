"""Writes of the review queue: decisions, undoing them, claims. Each is one conditional UPDATE that is checked.

A decision takes the round's lock first, as whoever asks a question does, and prompts in the order of their ids; a
claim passes over a prompt that somebody changes at this moment. So none waits for another in a circle.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final, cast

from sqlalchemy import ColumnElement, CursorResult, or_, select, update
from sqlmodel import Session, col

from arena.accounts.tables import Act
from arena.accounts.trail import record
from arena.battles.exclusions import propose_exclusion, withdraw_of_review
from arena.battles.tables import Turn
from arena.errors import N_, ArenaError, ConflictError, InvalidError, NotFoundError
from arena.moderation.pages import REASONS
from arena.rounds.actions import held_round
from arena.screening.personal import refuse_personal_data
from arena.screening.tables import Review

UNDECIDED: Final = ("held", "waiting", "escalated")
DECIDED: Final = {"approve": "approved", "hide": "hidden", "reject": "rejected", "escalate": "escalated"}
"""Each decision, and the state it leads to."""
ACTS: Final = frozenset((*DECIDED, "undo"))
CLAIM_FOR: Final = timedelta(minutes=3)
UNDO_FOR: Final = timedelta(minutes=10)
NOTE_LIMIT: Final = 1000

UNKNOWN_ACT = N_("This is nothing that can be done with a question. Please use the buttons.")
NO_REASON = N_("Please choose a reason for rejecting it.")
LONG_NOTE = N_("The note is too long. Please keep it to 1,000 characters.")
TAKEN = N_("%(who)s is looking at this question at the moment, so nothing was changed.")
WITHDRAWN = N_("The citizen has taken this question back, so there is nothing left to decide.")
QUICKER = N_("%(who)s was quicker and has decided on this question already.")
OWN = N_("You have decided on this question already.")
ESCALATED = N_("This question has been handed to another moderator already.")
BARRED = N_("You handed this question on, so another moderator has to decide.")
NOT_YOURS = N_("Only whoever decided can take it back, and there is nothing of yours to take back here.")
TOO_LATE = N_("This was decided more than ten minutes ago and can no longer be taken back here.")
ASKED = N_("The citizen has asked this question since you approved it, so it can no longer be taken back.")
EXCLUDED = N_("An operator has decided on the exclusion of its vote meanwhile, so it can no longer be taken back.")


@dataclass(frozen=True, slots=True)
class Wish:
    """What a moderator wants done: one of ACTS. Raises InvalidError."""

    act: str
    reason: str = ""
    note: str = ""

    def __post_init__(self) -> None:
        if self.act not in ACTS:
            raise InvalidError(UNKNOWN_ACT, code="unknown_act")
        if self.act == "reject" and self.reason not in REASONS:
            raise InvalidError(NO_REASON, code="no_reason")
        if len(self.note) > NOTE_LIMIT:
            raise InvalidError(LONG_NOTE, code="note")
        refuse_personal_data(self.note)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a wish for one prompt; `proposed`: the exclusion of its vote was put before the operators."""

    review: int
    refusal: ArenaError | None = None
    proposed: bool = False


def fulfil(session: Session, reviews: Collection[int], wish: Wish, by: str, now: datetime) -> list[Outcome]:
    """Does it to each of the prompts that allow it; all of it, and each refusal, is on the trail."""
    do = partial(_undo, by=by, now=now) if wish.act == "undo" else partial(_decide, wish=wish, by=by, now=now)
    return [_attempt(session, review, do, wish, by, now) for review in sorted(set(reviews))]


def _attempt(
    session: Session, review: int, do: Callable[[Session, int], bool], wish: Wish, by: str, now: datetime
) -> Outcome:
    try:
        with session.begin_nested():
            return Outcome(review, proposed=do(session, review))
    except ArenaError as error:
        detail: dict[str, object] = {"reason": wish.reason, "note": wish.note}
        record(session, by, f"prompt.{wish.act}", subject(review), "refused", now, why=error.code, detail=detail)
        return Outcome(review, refusal=error)


def subject(review: int) -> str:
    """What the trail calls a prompt."""
    return f"prompt-{review}"


def _decide(session: Session, review_id: int, *, wish: Wish, by: str, now: datetime) -> bool:
    """Whether an exclusion was proposed with it. Raises NotFoundError, ConflictError."""
    review = _locked(session, review_id)
    to = DECIDED[wish.act]
    allowed = [col(Review.state) != "escalated"]
    if to != "escalated":
        allowed.append(col(Review.decided_by) != by)
    moved = session.execute(
        update(Review)
        .where(col(Review.id) == review_id, col(Review.state).in_(UNDECIDED), free(by, now), or_(*allowed))
        .values(
            before=Review.state,
            state=to,
            decided_by=by,
            decided_at=now,
            reason=wish.reason or None,
            claimed_by=None,
            claimed_until=None,
        )
        .returning(col(Review.before))
        .execution_options(synchronize_session=False)
    ).one_or_none()
    if moved is None:
        raise _why_not(_fresh(session, review_id), to, by, now)
    detail = {"before": moved.before, "after": to, "reason": wish.reason, "note": wish.note}
    record(session, by, f"prompt.{wish.act}", subject(review_id), "done", now, detail=detail)
    return to == "rejected" and _propose(session, review, wish.note, by, now)


def free(by: str, now: datetime) -> ColumnElement[bool]:
    """That nobody else works on it."""
    claimed_by, until = col(Review.claimed_by), col(Review.claimed_until)
    return or_(claimed_by.is_(None), claimed_by == by, until <= now)


def _why_not(review: Review, to: str, by: str, now: datetime) -> ArenaError:
    if _withdrawn(review):
        return ConflictError(WITHDRAWN, code="withdrawn")
    if review.state not in UNDECIDED:
        own = review.decided_by == by
        return ConflictError(OWN if own else QUICKER, code="decided", who=review.decided_by or "")
    if _taken(review, by, now):
        return ConflictError(TAKEN, code="claimed", who=review.claimed_by)
    return ConflictError(ESCALATED if to == "escalated" else BARRED, code="escalated")


def _withdrawn(review: Review) -> bool:
    """Whether the citizen took it back before it was asked."""
    return review.turn_id is None and not review.text


def _taken(review: Review, by: str, now: datetime) -> bool:
    """Whether somebody else works on it."""
    return review.claimed_by not in (None, by) and review.claimed_until is not None and review.claimed_until > now


def _propose(session: Session, review: Review, note: str, by: str, now: datetime) -> bool:
    """Puts the vote on a rejected prompt that was asked before the operators, while its round is open."""
    if review.turn_id is None or held_round(session, review.round_id).state != "open":
        return False
    battle = session.scalars(select(col(Turn.battle_id)).where(col(Turn.id) == review.turn_id)).one()
    propose_exclusion(session, review.round_id, [battle], "rejected_prompt", by, now, review_id=review.id, note=note)
    return True


def _undo(session: Session, review_id: int, *, by: str, now: datetime) -> bool:
    """Back to `before`; the proposed exclusion is withdrawn. Raises NotFoundError, ConflictError."""
    review = _locked(session, review_id)
    _check_undo(session, review, by, now)
    nobody = {"before": None, "decided_by": None, "decided_at": None}
    restored = _as_escalated(session, review_id) if review.before == "escalated" else nobody
    moved = session.execute(
        update(Review)
        .where(
            col(Review.id) == review_id,
            col(Review.state) == review.state,
            col(Review.decided_by) == by,
            col(Review.decided_at) == review.decided_at,
            col(Review.turn_id) == review.turn_id,
            free(by, now),
        )
        .values(state=review.before, reason=None, claimed_by=by, claimed_until=now + CLAIM_FOR, **restored)
        .execution_options(synchronize_session=False)
    )
    if cast(CursorResult[Any], moved).rowcount != 1:  # it was asked, claimed or taken back at this very moment
        _check_undo(session, _fresh(session, review_id), by, now)
        raise ConflictError(NOT_YOURS, code="nothing_to_undo")
    if review.state == "rejected" and not withdraw_of_review(session, review_id, by, now):
        raise ConflictError(EXCLUDED, code="excluded")
    detail: dict[str, object] = {"before": review.state, "after": review.before}
    record(session, by, "prompt.undo", subject(review_id), "done", now, detail=detail)
    return False


def _check_undo(session: Session, review: Review, by: str, now: datetime) -> None:
    if _withdrawn(review):
        raise ConflictError(WITHDRAWN, code="withdrawn")
    if review.before is None or review.decided_by != by or review.decided_at is None:
        raise ConflictError(NOT_YOURS, code="nothing_to_undo")
    if now - review.decided_at > UNDO_FOR:
        raise ConflictError(TOO_LATE, code="too_late")
    if _taken(review, by, now):
        raise ConflictError(TAKEN, code="claimed", who=review.claimed_by)
    asked = select(col(Turn.created_at)).where(col(Turn.id) == review.turn_id)
    if review.turn_id is not None and session.scalars(asked).one() >= review.decided_at:
        raise ConflictError(ASKED, code="asked")


def _as_escalated(session: Session, review_id: int) -> dict[str, Any]:
    """Who handed the prompt on, and from which state, as the trail tells it."""
    escalation = session.scalars(
        select(Act)
        .where(col(Act.subject) == subject(review_id), col(Act.what) == "prompt.escalate", col(Act.outcome) == "done")
        .order_by(col(Act.id).desc())
        .limit(1)
    ).one()
    return {"before": escalation.detail["before"], "decided_by": escalation.who, "decided_at": escalation.at}


def claim(session: Session, review_id: int, by: str, now: datetime) -> bool:
    """Takes a prompt to work on for CLAIM_FOR, or longer; False when it is decided or somebody else's."""
    claimed = session.execute(
        update(Review)
        .where(_idle(review_id, col(Review.state).in_(UNDECIDED), free(by, now)))
        .values(claimed_by=by, claimed_until=now + CLAIM_FOR)
        .execution_options(synchronize_session=False)
    )
    return cast(CursorResult[Any], claimed).rowcount == 1


def release(session: Session, review_id: int, by: str) -> None:
    """Gives a prompt back to the others, if this moderator works on it."""
    session.execute(
        update(Review)
        .where(_idle(review_id, col(Review.claimed_by) == by))
        .values(claimed_by=None, claimed_until=None)
        .execution_options(synchronize_session=False)
    )


def _idle(review_id: int, *where: ColumnElement[bool]) -> ColumnElement[bool]:
    """That it is this prompt, which is like that, and nobody changes it at this moment."""
    found = select(col(Review.id)).where(col(Review.id) == review_id, *where).with_for_update(skip_locked=True)
    return col(Review.id) == found.scalar_subquery()


def _locked(session: Session, review_id: int) -> Review:
    """The prompt, in a round that nobody closes before this transaction has ended. Raises NotFoundError."""
    held_round(session, _fresh(session, review_id).round_id)
    return _fresh(session, review_id)


def _fresh(session: Session, review_id: int) -> Review:
    found = session.get(Review, review_id, populate_existing=True)
    if found is None:
        raise NotFoundError
    return found
