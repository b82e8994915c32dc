"""The writes of a vote: one a battle, final; and the reasons that may follow it."""

import uuid
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy import bindparam, insert, update
from sqlmodel import Session, col, select

from arena.battles.actions import NOT_YET, OVER, ROUND_CLOSED
from arena.battles.pages import COMMENT_LIMIT, REASONS
from arena.battles.queries import CastVote, battle_of, vote_on
from arena.battles.tables import CHOICES, Feedback
from arena.db import Row, add_unless_there
from arena.errors import N_, ConflictError, InvalidError
from arena.rounds.queries import accepts
from arena.rounds.tables import Round

VOTED = N_("You have already voted on this comparison, and a vote is final.")
UNKNOWN_CHOICE = N_("Please choose one of the four answers: A, B, similar, or both unsatisfying.")
UNKNOWN_REASON = N_("One of the reasons was not understood. Please choose from those shown.")

_BATTLES, _VOTES = Row.metadata.tables["battle"], Row.metadata.tables["vote"]
# The hot path: built once, as building a statement takes ten times as long as running it.
_ACCEPTING = (
    select(Round.id)
    .where(Round.state == "open", col(Round.closes_at).is_(None) | (col(Round.closes_at) > bindparam("now")))
    .scalar_subquery()
)
_TAKE_VOTE = (
    update(_BATTLES)
    .where(
        _BATTLES.c.id == bindparam("battle"),
        _BATTLES.c.voter_id == bindparam("voter"),
        _BATTLES.c.state == "votable",
        _BATTLES.c.round_id.in_(_ACCEPTING),
    )
    .values(state="voted")
)
_INSERT_VOTE = (
    insert(_VOTES)
    .values(
        battle_id=bindparam("battle"),
        receipt=bindparam("receipt"),
        choice=bindparam("choice"),
        cast_at=bindparam("now"),
    )
    .returning(_VOTES.c.id)
)


def cast_vote(session: Session, voter_id: str, battle_id: str, choice: str, now: datetime) -> CastVote:
    """Casts the one vote of a battle; the same vote again finds the same receipt.

    Raises InvalidError, NotFoundError, or ConflictError when the battle may not be voted on.
    """
    if choice not in CHOICES:
        raise InvalidError(UNKNOWN_CHOICE, code="unknown_choice")
    taken = session.connection().execute(_TAKE_VOTE, {"battle": battle_id, "voter": voter_id, "now": now})
    if taken.rowcount != 1:
        return _voted_before(session, voter_id, battle_id, choice, now)
    receipt = uuid.uuid4().hex
    vote_id = session.connection().execute(
        _INSERT_VOTE, {"battle": battle_id, "receipt": receipt, "choice": choice, "now": now}
    )
    return CastVote(vote_id.scalar_one(), choice, receipt, now, feedback_given=False)


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


def give_feedback(session: Session, vote: CastVote, reasons: Sequence[str], comment: str, now: datetime) -> CastVote:
    """Keeps a voter's reasons and comment; the first count. Raises InvalidError for an unknown reason."""
    allowed = {f"{side}:{reason}" for side in ("a", "b") for reason in REASONS}
    if not allowed.issuperset(reasons):
        raise InvalidError(UNKNOWN_REASON, code="unknown_reason")
    if not vote.feedback_given:
        text = comment.replace("\0", "").strip()[:COMMENT_LIMIT]
        feedback = Feedback(vote_id=vote.id, reasons=sorted(set(reasons)), comment=text, given_at=now)
        add_unless_there(session, feedback)
    return replace(vote, feedback_given=True)
