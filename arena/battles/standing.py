"""Whether the votes on battles could be taken out of the ratings, or back in."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy
from sqlalchemy import Select, Subquery, case
from sqlmodel import Session, col, func, select

from arena.battles.tables import Battle, Exclusion, Vote

EXCLUDE, REINSTATE = "exclude", "reinstate"
_RUNNING = ("streaming", "votable")


@dataclass(frozen=True, slots=True)
class Standing:
    """Where the votes of a proposal stand: `votes` are the ids of those that it would move.

    `running` counts its battles that may still be voted on.
    """

    votes: tuple[int, ...]
    running: int

    @property
    def word(self) -> str:
        if self.votes:
            return "ready"
        return "no_vote_yet" if self.running else "nothing_to_do"


def standing_of(session: Session, kind: str, battles: Sequence[str]) -> Standing:
    """Where the votes on battles stand now, to be taken out or back in."""
    moves = kind == REINSTATE
    found = session.exec(
        select(Battle.state, Vote.id, Vote.excluded)
        .join(Vote, col(Vote.battle_id) == Battle.id, isouter=True)
        .where(col(Battle.id).in_(battles))
    ).all()
    votes = sorted(vote for _, vote, excluded in found if vote is not None and excluded == moves)
    return Standing(tuple(votes), sum(state in _RUNNING for state, *_ in found))


def waiting(session: Session, round_id: int) -> Subquery:
    """A round's proposals that wait: id, proposed_by, and `standing`, the word of `Standing`."""
    unpacked = func.json_array_elements_text if session.get_bind().dialect.name == "postgresql" else func.json_each
    named = unpacked(col(Exclusion.battles)).table_valued("value")
    battles = (
        select(Battle.id)
        .select_from(named)
        .join(Battle, col(Battle.id) == named.c.value)
        .join(Vote, col(Vote.battle_id) == Battle.id, isouter=True)
        .correlate(Exclusion)
    )
    moving = battles.where(col(Vote.excluded) == (col(Exclusion.kind) == REINSTATE)).exists()
    running = battles.where(col(Battle.state).in_(_RUNNING)).exists()
    standing = case((moving, "ready"), (running, "no_vote_yet"), else_="nothing_to_do").label("standing")
    found = select(Exclusion.id, Exclusion.proposed_by, standing)
    return found.where(Exclusion.round_id == round_id, Exclusion.state == "waiting").subquery()


def settled(session: Session, round_id: int, most: int) -> Select[int]:
    """Reads the oldest proposals of a round that have nothing to decide."""
    proposals = waiting(session, round_id)
    found = sqlalchemy.select(proposals.c.id).where(proposals.c.standing == "nothing_to_do")
    return found.order_by(proposals.c.id).limit(most)


def brought_back(session: Session, round_id: int, since: datetime) -> set[str]:
    """The battles of a round whose votes two persons have taken back in since a moment."""
    done = select(Exclusion.battles).where(
        Exclusion.round_id == round_id,
        Exclusion.state == "done",
        Exclusion.kind == REINSTATE,
        col(Exclusion.decided_at) >= since,
    )
    return {battle for battles in session.exec(done) for battle in battles}
