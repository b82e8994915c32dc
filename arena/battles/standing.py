"""Whether the votes on battles could be taken out of the ratings, or back in."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlmodel import Session, col, select

from arena.battles.tables import Battle, Vote

EXCLUDE, REINSTATE = "exclude", "reinstate"


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
    return Standing(tuple(votes), sum(state in ("streaming", "votable") for state, *_ in found))
