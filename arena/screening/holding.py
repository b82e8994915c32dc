"""Prompts' reviews: written as prompts are asked or held, found again, withdrawn, erased."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple, cast

from sqlalchemy import ColumnElement, CursorResult, Update, case, func, update
from sqlmodel import Session, col, select
from sqlmodel.sql.expression import SelectOfScalar

from arena.accounts.tables import Voter
from arena.errors import N_, ConflictError, NotFoundError
from arena.rounds.tables import SuggestionDraft
from arena.screening.checks import LOOKED_AT, Checks
from arena.screening.tables import Review

MAY_HOLD: Final = 5

TOO_MANY_HELD = N_(
    "%(limit)s of your questions are waiting for a person to look at them. Please wait for an answer, or take one of"
    " them back. Your question is still here."
)
LOOKED_AT_AGAIN = N_("A person looks at this question once more. Please wait a little, or ask something else.")

_UNASKED = col(Review.turn_id).is_(None) & (col(Review.text) != "")
_UNDECIDED = col(Review.state).in_(LOOKED_AT)


class HeldLimitError(ConflictError):
    """The question is kept in the form until another one was decided on or taken back."""

    code = "held_limit"


class Asker(NamedTuple):
    """Who asks, in which round and language."""

    round_id: int
    voter_id: str
    locale: str


def decided(session: Session, round_id: int, voter_id: str, text: str) -> Review | None:
    """The voter's newest review of these words on which a moderator decides or has decided.

    What was asked and then only hidden from publication or handed on is none: it is checked and asked as any other.
    """
    asked_still = col(Review.state).in_(("hidden", "escalated")) & col(Review.turn_id).is_not(None)
    same = _of(round_id, voter_id).where(Review.text == text, Review.state != "waiting", ~asked_still)
    return session.exec(same.order_by(col(Review.id).desc()).limit(1)).first()


def unasked(session: Session, round_id: int, voter_id: str) -> Sequence[Review]:
    """A voter's prompts that were held and not asked since, the oldest first."""
    return session.exec(_of(round_id, voter_id).where(_UNASKED).order_by(col(Review.id))).all()


def unasked_number(session: Session, voter_id: str) -> int:
    """How many prompts of a voter were held and not asked since, in any round."""
    return session.exec(select(func.count()).select_from(Review).where(Review.voter_id == voter_id, _UNASKED)).one()


def review_of(session: Session, turn_id: int) -> Review | None:
    """None for one of the round's own suggestions."""
    return session.exec(select(Review).where(Review.turn_id == turn_id)).first()


def any_rejected(session: Session, turn_ids: Iterable[int | None]) -> bool:
    """Whether a moderator has rejected the prompt of one of these turns."""
    found = select(Review.id).where(col(Review.turn_id).in_(list(turn_ids)), Review.state == "rejected")
    return session.exec(found.limit(1)).first() is not None


def review_turn(session: Session, by: Asker, turn_id: int, text: str, checks: Checks, now: datetime) -> None:
    """Gives a turn its review, in the turn's transaction: the approved one it was held in, or a new one.

    Raises ConflictError when the approval was taken back meanwhile.
    """
    if checks.review is None or not _tied(session, checks.review, turn_id):
        session.add(_review(by, text, checks, "waiting", now, turn_id))


def _tied(session: Session, review_id: int, turn_id: int) -> bool:
    """Whether this turn is the first that an approved prompt was asked in."""
    approved = col(Review.id) == review_id, col(Review.state) == "approved"
    if _changed(session, update(Review).where(*approved, _UNASKED).values(turn_id=turn_id)):
        return True
    if session.exec(select(Review.id).where(*approved)).first() is None:
        raise ConflictError(LOOKED_AT_AGAIN, code="looked_at_again")
    return False


def hold(session: Session, by: Asker, text: str, checks: Checks, now: datetime) -> None:
    """Keeps a prompt until a person has looked at it; the same words once.

    Raises HeldLimitError when the voter has too many of them.
    """
    _lock(session, by.voter_id)
    waiting = session.exec(_of(by.round_id, by.voter_id).where(_UNASKED, _UNDECIDED)).all()
    if any(review.text == text for review in waiting):
        return
    if len(waiting) >= MAY_HOLD:
        raise HeldLimitError(TOO_MANY_HELD, limit=MAY_HOLD)
    session.add(_review(by, text, checks, "held", now))


def _review(by: Asker, text: str, checks: Checks, state: str, now: datetime, turn_id: int | None = None) -> Review:
    return Review(
        **by._asdict(),
        turn_id=turn_id,
        text=text,
        masked=checks.masked,
        flags=[finding._asdict() for finding in checks.findings],
        flagged=bool(checks.findings),
        ruleset=checks.rules.version,
        state=state,
        created_at=now,
    )


def withdraw(session: Session, voter_id: str, review_id: int) -> None:
    """Erases a prompt that was not asked. Raises NotFoundError unless it is one of the voter's."""
    if not _erase_unasked(session, (col(Review.voter_id) == voter_id) & (col(Review.id) == review_id)):
        raise NotFoundError


def withdraw_all(session: Session, voter_id: str) -> None:
    """Erases all of a voter's prompts that were not asked."""
    _erase_unasked(session, col(Review.voter_id) == voter_id)


def _erase_unasked(session: Session, which: ColumnElement[bool]) -> int:
    """Without words there is nothing to be looked at or taken back: an undecided one is then hidden, by nobody."""
    state = case((_UNDECIDED, "hidden"), else_=col(Review.state))
    nobody = {"before": None, "decided_by": None, "decided_at": None, "claimed_by": None, "claimed_until": None}
    erased = _changed(session, update(Review).where(which, _UNASKED).values(text="", state=state, **nobody))
    _empty_drafts(session)
    return erased


def erase_asked(session: Session, turn_ids: SelectOfScalar[Any]) -> None:
    """Erases the words in the reviews of these turns."""
    _changed(session, update(Review).where(col(Review.turn_id).in_(turn_ids)).values(text=""))
    _empty_drafts(session)


def _empty_drafts(session: Session) -> None:
    """Words on their way to the suggestions go with the prompt that they come from; published ones stay."""
    erased = select(Review.id).where(Review.id == SuggestionDraft.review_id, Review.text == "").exists()
    _changed(
        session, update(SuggestionDraft).where(col(SuggestionDraft.state) != "published", erased).values(text="")
    )


def _of(round_id: int, voter_id: str) -> SelectOfScalar[Review]:
    return select(Review).where(Review.voter_id == voter_id, Review.round_id == round_id)


def _lock(session: Session, voter_id: str) -> None:
    """Nobody else holds a prompt of this voter before this transaction has ended.

    Rows that point to the voter can still be added: two that have added some would else wait for each other.
    """
    session.exec(select(Voter.id).where(Voter.id == voter_id).with_for_update(key_share=True)).one()


def _changed(session: Session, statement: Update) -> int:
    result = session.execute(statement.execution_options(synchronize_session=False))
    return cast(CursorResult[Any], result).rowcount
