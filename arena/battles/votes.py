"""The writes of a vote: one a battle, final; the reasons that may follow it; and whether it is rated."""

import uuid
from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import bindparam, insert, select, update
from sqlmodel import Session, col

from arena.accounts.tables import Voter
from arena.battles.actions import NOT_YET, OVER, ROUND_CLOSED
from arena.battles.counting import (
    RatedVote,
    Tallies,
    add_to_cells,
    change_of,
    contribution,
    count_vote,
    earlier_votes,
    held,
)
from arena.battles.leaves import write_cast, write_rated
from arena.battles.pages import COMMENT_LIMIT, REASONS
from arena.battles.queries import CastVote, battle_of, vote_on
from arena.battles.tables import CHOICES, Feedback
from arena.db import Row, add_unless_there
from arena.errors import N_, ConflictError, InvalidError, NotFoundError
from arena.rounds.actions import held_round
from arena.rounds.decisions import Decision
from arena.rounds.queries import accepts
from arena.rounds.tables import Round
from arena.screening.personal import without_personal_data

VOTED = N_("You have already voted on this comparison, and a vote is final.")
UNKNOWN_CHOICE = N_("Please choose one of the four answers: A, B, similar, or both unsatisfying.")
UNKNOWN_REASON = N_("One of the reasons was not understood. Please choose from those shown.")

_BATTLES, _ROUNDS, _VOTES = (Row.metadata.tables[name] for name in ("battle", "round", "vote"))
# The hot path: built once, as building a statement takes ten times as long as running it.
_ACCEPTING = (
    select(_ROUNDS.c.id)
    .where(_ROUNDS.c.state == "open", _ROUNDS.c.closes_at.is_(None) | (_ROUNDS.c.closes_at > bindparam("now")))
    .scalar_subquery()
)
_TAKE_VOTE = (
    update(_BATTLES)
    .where(
        _BATTLES.c.id == bindparam("battle"),
        _BATTLES.c.voter_id == held(col(Voter.id) == bindparam("voter")).scalar_subquery(),
        _BATTLES.c.state == "votable",
        _BATTLES.c.round_id.in_(_ACCEPTING),
    )
    .values(state="voted")
    .returning(*(_BATTLES.c[name] for name in ("entry_a", "entry_b", "said", "unrated")))
)
_INSERT_VOTE = (
    insert(_VOTES)
    .values(
        battle_id=bindparam("battle"),
        receipt=bindparam("receipt"),
        choice=bindparam("choice"),
        cast_at=bindparam("now"),
        excluded=bindparam("excluded"),
        excluded_why=bindparam("why"),
        leaf_id=bindparam("leaf"),
    )
    .returning(_VOTES.c.id)
)


def cast_vote(session: Session, voter_id: str, battle_id: str, choice: str, now: datetime) -> CastVote:
    """Casts the one vote of a battle; the same vote again finds the same receipt.

    Raises InvalidError, NotFoundError, or ConflictError when the battle may not be voted on.
    """
    if choice not in CHOICES:
        raise InvalidError(UNKNOWN_CHOICE, code="unknown_choice")
    connection = session.connection()
    taken = connection.execute(_TAKE_VOTE, {"battle": battle_id, "voter": voter_id, "now": now}).one_or_none()
    if taken is None:
        return _voted_before(session, voter_id, battle_id, choice, now)
    earlier = earlier_votes(connection, battle_id)
    leaf = write_cast(session, earlier.round, voter_id, battle_id, choice, now, said=taken.said, why=taken.unrated)
    receipt = uuid.uuid4().hex
    vote = {
        "battle": battle_id,
        "receipt": receipt,
        "choice": choice,
        "now": now,
        "excluded": taken.unrated is not None,
        "why": taken.unrated,
        "leaf": leaf.id,
    }
    vote_id = connection.execute(_INSERT_VOTE, vote).scalar_one()
    if taken.unrated is None:
        count_vote(connection, earlier, RatedVote(taken.entry_a, taken.entry_b, choice))
    return CastVote(vote_id, choice, receipt, now, feedback_given=False)


def _voted_before(session: Session, voter_id: str, battle_id: str, choice: str, now: datetime) -> CastVote:
    battle, round_ = battle_of(session, voter_id, battle_id)
    vote = vote_on(session, battle_id)
    if vote is not None:
        if vote.choice == choice:
            return vote
        raise ConflictError(VOTED, code="already_voted")
    if not accepts(round_, now):
        raise ConflictError(ROUND_CLOSED, code="round_closed")
    raise ConflictError(NOT_YET if battle.state == "streaming" else OVER, code="not_votable")


class Moved(NamedTuple):
    """Votes that were taken out of the ratings or back in, their battles, and what the cells gained by it."""

    votes: tuple[int, ...]
    battles: tuple[str, ...]
    change: Tallies


def exclude_votes(session: Session, vote_ids: Collection[int], decision: Decision, now: datetime) -> Moved:
    """Takes votes out of the ratings, where their voters' next votes move up.

    Moves those that were not excluded before. Raises NotFoundError for an unknown vote, and ConflictError
    unless their round is open, as final figures never change.
    """
    return _exclude(session, set(vote_ids), decision, now, excluded=True)


def reinstate_votes(session: Session, vote_ids: Collection[int], decision: Decision, now: datetime) -> Moved:
    """Takes excluded votes back in: those that were excluded before. Raises as `exclude_votes`."""
    return _exclude(session, set(vote_ids), decision, now, excluded=False)


def _exclude(session: Session, vote_ids: set[int], decision: Decision, now: datetime, *, excluded: bool) -> Moved:
    if not vote_ids:
        return Moved((), (), contribution(()))
    round_, battles = _held(session, vote_ids)
    connection = session.connection()
    change = change_of(connection, round_, dict.fromkeys(battles, excluded))
    moved = connection.execute(
        update(_VOTES)
        .where(_VOTES.c.id.in_(vote_ids), _VOTES.c.excluded != excluded)
        .values(excluded=excluded, excluded_why=decision.reason if excluded else None)
        .returning(_VOTES.c.id, _VOTES.c.battle_id)
    ).all()
    found = Moved(tuple(sorted(row.id for row in moved)), tuple(sorted(row.battle_id for row in moved)), change)
    if found.battles:
        write_rated(session, round_, found.battles, decision, now, excluded=excluded)
    add_to_cells(connection, round_.id or 0, change)
    return found


def _held(session: Session, vote_ids: set[int]) -> tuple[Round, Collection[str]]:
    """The votes' open round and their battles, round and voters held."""
    connection = session.connection()
    found = connection.execute(
        select(_BATTLES.c.id, _BATTLES.c.voter_id, _BATTLES.c.round_id)
        .join(_VOTES, _VOTES.c.battle_id == _BATTLES.c.id)
        .where(_VOTES.c.id.in_(vote_ids))
    ).all()
    if len(found) < len(vote_ids):
        raise NotFoundError
    rounds = [held_round(session, round_id) for round_id in sorted({row.round_id for row in found})]
    if any(round_.state != "open" for round_ in rounds):
        raise ConflictError(code="round_closed")
    connection.execute(held(col(Voter.id).in_({row.voter_id for row in found})))
    return rounds[0], [row.id for row in found]  # of several, only one could have been open


def give_feedback(session: Session, vote: CastVote, reasons: Sequence[str], comment: str, now: datetime) -> CastVote:
    """Keeps a voter's reasons and comment; the first count, and none once the battle's words were erased.

    Raises InvalidError for an unknown reason.
    """
    allowed = {f"{side}:{reason}" for side in ("a", "b") for reason in REASONS}
    if not allowed.issuperset(reasons):
        raise InvalidError(UNKNOWN_REASON, code="unknown_reason")
    if _erased(session, vote.id):
        return vote
    if not vote.feedback_given:
        text = without_personal_data(comment.replace("\0", "").strip())[0][:COMMENT_LIMIT]
        feedback = Feedback(vote_id=vote.id, reasons=sorted(set(reasons)), comment=text, given_at=now)
        add_unless_there(session, feedback)
    return replace(vote, feedback_given=True)


def _erased(session: Session, vote_id: int) -> bool:
    """Whether the words of a vote's battle were erased, which nobody does before this transaction has ended."""
    found = (
        select(_BATTLES.c.erased_at)
        .join(_VOTES, _VOTES.c.battle_id == _BATTLES.c.id)
        .where(_VOTES.c.id == vote_id)
        .with_for_update(of=_BATTLES)
    )
    return session.connection().execute(found).scalar_one() is not None
