"""Reads of the votes that count."""

from typing import NamedTuple

import sqlalchemy
from sqlmodel import Session, col, func

from arena.battles.tables import Answer, Battle, Turn, Vote
from arena.rounds.queries import rules_of
from arena.rounds.tables import Round
from arena.stats.style import FEATURES


def rated_votes(round_: Round) -> sqlalchemy.Subquery:
    """A round's votes that count: id, battle_id, voter_id, entry_a, entry_b, choice.

    Filter "first-k" version 1: of each voter's votes that are not excluded, in the order of their ids, the first
    that the rules' `rated_votes_per_voter` allows.
    """
    place = func.row_number().over(partition_by=col(Battle.voter_id), order_by=col(Vote.id)).label("place")
    columns = (Vote.id, Vote.battle_id, Battle.voter_id, Battle.entry_a, Battle.entry_b, Vote.choice)
    votes = (
        sqlalchemy.select(*map(col, columns), place)
        .join(Battle, col(Battle.id) == Vote.battle_id)
        .where(col(Battle.round_id) == round_.id, ~col(Vote.excluded))
        .subquery()
    )
    return sqlalchemy.select(votes).where(votes.c.place <= rules_of(round_).rated_votes_per_voter).subquery()


class StyleRow(NamedTuple):
    """A rated vote with the style of both sides' answers (`arena.stats.style.FEATURES`, added up over the turns).

    `voter` numbers the voters from 0.
    """

    entry_a: int
    entry_b: int
    choice: str
    voter: int
    features_a: tuple[int, ...]
    features_b: tuple[int, ...]


def style_rows(session: Session, round_: Round) -> list[StyleRow]:
    """A round's rated votes by id, but for those on answers whose style was never counted."""
    rated = rated_votes(round_)
    voter = func.dense_rank().over(order_by=rated.c.voter_id) - 1
    styles = [
        func.sum(sqlalchemy.case((col(Answer.side) == side, getattr(Answer, feature)), else_=0))
        for side in ("a", "b")
        for feature in FEATURES
    ]
    rows = session.execute(
        sqlalchemy.select(rated.c.entry_a, rated.c.entry_b, rated.c.choice, voter, *styles)
        .join(Turn, col(Turn.battle_id) == rated.c.battle_id)
        .join(Answer, col(Answer.turn_id) == Turn.id)
        .group_by(rated.c.id, rated.c.voter_id, rated.c.entry_a, rated.c.entry_b, rated.c.choice)
        .having(func.count(col(Answer.characters)) == func.count())
        .order_by(rated.c.id)
    )
    half = len(FEATURES)
    return [StyleRow(a, b, choice, v, tuple(s[:half]), tuple(s[half:])) for a, b, choice, v, *s in rows]
