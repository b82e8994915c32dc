"""Erasing words. What the ledger and the ratings stand on stays: votes, commitments, times, style counts."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, cast

from sqlalchemy import ColumnElement, CursorResult, case, delete, func, update
from sqlmodel import Session, col, select

from arena.battles.actions import expire
from arena.battles.pages import ErasePage, PrivacyPage
from arena.battles.queries import battle_of, round_of, turns_of
from arena.battles.tables import Answer, Appeal, Battle, Feedback, RawAnswer, Turn, Vote
from arena.errors import RefusedError
from arena.rounds.tables import Round
from arena.screening.holding import erase_asked, unasked_number, withdraw_all

_KEPT = col(Battle.erased_at).is_(None)
_OPEN = col(Battle.state).in_(("streaming", "votable"))


def erase_battle(session: Session, battle_id: str, now: datetime) -> bool:
    """Erases a battle's words, and the salt without which its commitments tell nothing of them.

    An open battle is closed first. True unless it had been erased before.
    """
    taken = session.execute(
        update(Battle)
        .where(col(Battle.id) == battle_id, _KEPT)
        .values(erased_at=now, salt=None)
        .execution_options(synchronize_session=False)
    )
    if cast(CursorResult[Any], taken).rowcount != 1:
        return False
    expire(session, round_of(session, battle_id), battle_id, now)
    _empty(session, battle_id)
    return True


def _empty(session: Session, battle_id: str) -> None:
    turns = select(Turn.id).where(Turn.battle_id == battle_id)
    answers = select(Answer.id).where(col(Answer.turn_id).in_(turns))
    votes = select(Vote.id).where(Vote.battle_id == battle_id)
    for statement in (
        update(Turn).where(col(Turn.battle_id) == battle_id).values(prompt=""),
        update(Answer).where(col(Answer.turn_id).in_(turns)).values(text=""),
        delete(RawAnswer).where(col(RawAnswer.answer_id).in_(answers)),
        update(Feedback).where(col(Feedback.vote_id).in_(votes)).values(comment=""),
        update(Appeal).where(col(Appeal.vote_id).in_(votes)).values(text=""),
    ):
        session.execute(statement, execution_options={"synchronize_session": False})
    erase_asked(session, turns)


def erase_voter(session: Session, voter_id: str, now: datetime) -> list[str]:
    """Erases all words of a voter, questions that were never asked too; returns battles not erased before."""
    withdraw_all(session, voter_id)
    kept = session.exec(select(Battle.id).where(_of(voter_id), _KEPT).order_by(col(Battle.id))).all()
    return [battle_id for battle_id in kept if erase_battle(session, battle_id, now)]


def erase_own(session: Session, voter_id: str, battle_id: str, now: datetime) -> list[str]:
    """As `erase_voter`, for one battle. Raises NotFoundError when it is someone else's."""
    battle_of(session, voter_id, battle_id)
    return [battle_id] if erase_battle(session, battle_id, now) else []


def erase_numbers(session: Session, numbers: Sequence[str], now: datetime) -> list[tuple[str, datetime | None]]:
    """Erases the battles of receipts, or with these ids; each with when it had been erased before, if it had.

    Raises RefusedError for an unknown number.
    """
    found = [(number, _numbered(session, number.strip().lower())) for number in numbers]
    return [(number, None if erase_battle(session, battle.id, now) else battle.erased_at) for number, battle in found]


def _numbered(session: Session, number: str) -> Battle:
    voted = select(Battle).join(Vote, col(Vote.battle_id) == Battle.id).where(Vote.receipt == number)
    battle = session.exec(voted).first() or session.get(Battle, number)
    if battle is None:
        raise RefusedError(f"there is no vote with the receipt number {number!r}; nothing was erased")
    return battle


def privacy_page(session: Session, voter_id: str) -> PrivacyPage:
    """What the privacy page tells a visitor of their own battles."""
    kept, erased, _ = _counts(session, _of(voter_id))
    return PrivacyPage(kept, erased, unasked_number(session, voter_id))


def erase_page(session: Session, voter_id: str, battle_id: str) -> ErasePage:
    """What would be erased: all battles of a voter, or with `battle_id` one. Raises NotFoundError for another's."""
    if not battle_id:
        held = unasked_number(session, voter_id)
        return ErasePage(*_counts(session, _of(voter_id)), held, battle=None, question="")
    battle_of(session, voter_id, battle_id)
    question = turns_of(session, battle_id)[0].prompt
    return ErasePage(*_counts(session, col(Battle.id) == battle_id), held=0, battle=battle_id, question=question)


def _counts(session: Session, where: ColumnElement[bool]) -> tuple[int, int, bool]:
    """How many battles have their words, how many had them erased, and whether one of them is open."""
    kept, erased, running = (func.count(case((those, 1))) for those in (_KEPT, ~_KEPT, _OPEN))
    found = session.execute(select(kept, erased, running).where(where)).one()
    return found[0], found[1], found[2] > 0


def _of(voter_id: str) -> ColumnElement[bool]:
    """A voter's battles in all rounds: battles are indexed by round and voter."""
    return (col(Battle.voter_id) == voter_id) & col(Battle.round_id).in_(select(Round.id))
