"""Reads of votes and ratings. Pages and the API read the stored snapshot; only the worker counts votes."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import combinations
from typing import Any, NamedTuple, cast

from sqlmodel import Session, col, func, select

from arena.battles.tables import Battle, Vote
from arena.clock import now
from arena.ratings.tables import RatingSnapshot
from arena.stats.cells import OUTCOMES, Cells, Outcome

PAGE = 1000
SETTLED_AFTER = timedelta(seconds=10)


class CountedVote(NamedTuple):
    """A vote with the ids of the entries it was cast on."""

    id: int
    entry_a: int
    entry_b: int
    choice: Outcome
    voter: str
    cast_at: datetime
    excluded: bool


def snapshot_of(session: Session, round_id: int) -> RatingSnapshot | None:
    return session.get(RatingSnapshot, round_id)


def newest_vote(session: Session, round_id: int) -> int:
    """The id of the round's newest vote; 0 without one."""
    found = session.exec(
        select(Vote.id)
        .join(Battle, col(Battle.id) == Vote.battle_id)
        .where(Battle.round_id == round_id)
        .order_by(col(Vote.id).desc())
        .limit(1)
    ).first()
    return found or 0


def newest_settled_vote(session: Session, round_id: int) -> int:
    """The newest vote before which no vote can appear any more; 0 without one.

    PostgreSQL gives ids before it commits, so the last seconds' votes are held back there.
    """
    if session.get_bind().dialect.name == "sqlite":
        return newest_vote(session, round_id)
    found = session.exec(select(func.max(Vote.id)).where(col(Vote.cast_at) < now() - SETTLED_AFTER)).one()
    return found or 0


def votes_excluded(session: Session, round_id: int) -> int:
    """How many of the round's votes are excluded now."""
    excluded = select(func.count()).select_from(Vote).join(Battle, col(Battle.id) == Vote.battle_id)
    return session.exec(excluded.where(Battle.round_id == round_id, col(Vote.excluded))).one()


def votes_after(session: Session, round_id: int, after: int, limit: int) -> Iterator[CountedVote]:
    """The round's votes with a greater id, oldest first."""
    rows = session.exec(
        select(Vote, Battle)
        .join(Battle, col(Battle.id) == Vote.battle_id)
        .where(Battle.round_id == round_id, col(Vote.id) > after)
        .order_by(col(Vote.id))
        .limit(limit)
    )
    for vote, battle in rows:
        choice = cast(Outcome, vote.choice)
        yield CountedVote(
            vote.id or 0, battle.entry_a, battle.entry_b, choice, battle.voter_id, vote.cast_at, vote.excluded
        )


def pair_rows(cells: Cells) -> list[dict[str, Any]]:
    """Per unordered pair: battles, wins each way, ties, both_bad, and the same by who was shown first."""
    entries, counts = cells.entries, cells.counts
    rows = []
    for i, j in combinations(range(len(entries)), 2):
        first, second = counts[i, j], counts[j, i]
        wins_i, wins_j = int(first[0] + second[1]), int(first[1] + second[0])
        rows.append(
            {
                "entries": [entries[i], entries[j]],
                "battles": int(first.sum() + second.sum()),
                "wins": [wins_i, wins_j],
                "ties": int(first[2] + second[2]),
                "both_bad": int(first[3] + second[3]),
                "by_side": [
                    {
                        "a": entries[a],
                        "b": entries[b],
                        "counts": dict(zip(OUTCOMES, map(int, cell), strict=True)),
                    }
                    for a, b, cell in ((i, j, first), (j, i, second))
                ],
            }
        )
    return rows
