"""Cells by hand: what the votes add up to, found the long way round."""

from collections import defaultdict
from itertools import product

import numpy as np
from sqlmodel import Session, col, select

from arena.battles.cells import counted_cells, kept_cells
from arena.battles.tables import Battle, Vote
from arena.db import Database
from arena.rounds.queries import rules_of
from arena.rounds.tables import Round
from arena.stats.cells import OUTCOMES, Cells, Counts, Floats
from arena.stats.clusters import Gram
from arena.teams.queries import NamedEntry, entries_of

CREDIT = {"a": 2, "b": 0, "tie": 1, "both_bad": 1}

Ballot = tuple[int, int, str]
"""The places of the entries shown first and second, and the choice."""


def ballots_by_voter(session: Session, round_: Round, entries: tuple[NamedEntry, ...]) -> list[list[Ballot]]:
    """Each voter's votes that count."""
    places = [entry.id for entry in entries]
    rows = session.exec(
        select(Battle, Vote)
        .join(Vote, col(Vote.battle_id) == Battle.id)
        .where(Battle.round_id == round_.id)
        .order_by(col(Vote.id))
    )
    found: dict[str, list[Ballot]] = defaultdict(list)
    for battle, vote in rows:
        if not vote.excluded:
            ballot = places.index(battle.entry_a), places.index(battle.entry_b), vote.choice
            found[battle.voter_id].append(ballot)
    return [votes[: rules_of(round_).rated_votes_per_voter] for votes in found.values()]


def counts_of(voters: list[list[Ballot]], size: int) -> Counts:
    counts = np.zeros((size, size, 4), dtype=np.int64)
    for first, second, choice in (ballot for votes in voters for ballot in votes):
        counts[first, second, OUTCOMES.index(choice)] += 1
    return counts


def together_of(voters: list[list[Ballot]], size: int) -> Floats:
    """As a Gram's `together`: for every two kinds and cells, the product of what each voter has in both."""
    total = np.zeros((2, 2, size, size, size, size))
    for votes in voters:
        own = np.zeros((2, size, size))
        for first, second, choice in votes:
            own[:, first, second] += 1, CREDIT[choice]
        for k, m in product(range(2), repeat=2):
            total[k, m] += np.multiply.outer(own[k], own[m])
    return total


def check_cells(db: Database, round_: Round) -> int:
    """Asserts that the round's cells, kept and counted, are those by hand; returns how many votes count."""
    with db.reading() as session:
        entries = entries_of(session, round_.id or 0)
        voters = ballots_by_voter(session, round_, entries)
        kept = kept_cells(session, round_.id or 0, entries)
        counted = counted_cells(session, round_, entries)
    for cells in (kept, counted):
        _check(cells, voters)
    return sum(map(len, voters))


def _check(cells: Cells, voters: list[list[Ballot]]) -> None:
    size = len(cells.entries)
    assert isinstance(cells.clusters, Gram)
    assert np.array_equal(cells.counts, counts_of(voters, size))
    assert np.array_equal(cells.clusters.together, together_of(voters, size))
    assert cells.clusters.voters == len(voters)
