"""A round's cells for its ratings: as they are kept with every vote, and counted anew from the votes."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from itertools import product

import numpy as np
from sqlalchemy import case, func, select
from sqlmodel import Session

from arena.battles.counting import Tallies, Tally, pair_name
from arena.battles.rated import rated_votes
from arena.db import Row
from arena.rounds.tables import Round
from arena.stats.cells import OUTCOMES, Cells, Counts, Floats, Integers, halves
from arena.stats.clusters import Gram, Grouped
from arena.teams.queries import NamedEntry, entries_of

_CELLS = Row.metadata.tables["vote_cell"]


def changes(session: Session, round_id: int) -> int:
    """A number that grows with every change of the round's kept cells."""
    total = select(func.coalesce(func.sum(_CELLS.c.changes), 0)).where(_CELLS.c.round_id == round_id)
    return int(session.execute(total).scalar_one())


def kept_cells(session: Session, round_id: int, entries: Sequence[NamedEntry]) -> Cells:
    """The round's cells as they are kept, with a Gram; no vote is read.

    Raises KeyError when there are votes on an entry that is not among `entries`.
    """
    return cells_of(kept_tallies(session, round_id), entries)


def kept_tallies(session: Session, round_id: int) -> Tallies:
    """The rows of the round's cells, read by one statement."""
    columns = ("entry_a", "entry_b", "together", "voters", *OUTCOMES)
    kept = select(*(_CELLS.c[column] for column in columns)).where(_CELLS.c.round_id == round_id)
    tallies: Tallies = defaultdict(Tally)
    for first, second, together, *counts in session.execute(kept):
        tallies[first, second] = Tally(Counter(dict(zip(columns[3:], counts, strict=True))), together)
    return tallies


def cells_of(tallies: Tallies, entries: Sequence[NamedEntry]) -> Cells:
    """What tallies add up to, with a Gram. Raises as `kept_cells`."""
    size = len(entries)
    pairs = [pair_name(first.id, second.id) for first, second in product(entries, repeat=2)]
    places = {pair: place for place, pair in enumerate(pairs)}
    counts = np.zeros((size * size, len(OUTCOMES)), dtype=np.int64)
    with_earlier = np.zeros((2, 2, size * size, size * size))
    voters = 0
    for (first, second), tally in tallies.items():
        place = places[pair_name(first, second)]
        counts[place] = [tally.counts[outcome] for outcome in OUTCOMES]
        products = np.array(list(tally.together.values()), dtype=np.float64).reshape(-1, 4)
        with_earlier[:, :, place, [places[pair] for pair in tally.together]] = products.T.reshape(2, 2, -1)
        voters += tally.counts["voters"]
    by_pair = counts.reshape(size, size, len(OUTCOMES))
    return Cells(_codes(entries), by_pair, Gram(voters, _with_all(with_earlier, by_pair)))


def _with_all(with_earlier: Floats, counts: Counts) -> Floats:
    """Products of votes with all votes of their voters, themselves included, from those with the earlier ones.

    Shape (2, 2, n * n, n * n) to (2, 2, n, n, n, n).
    """
    size = len(counts)
    votes, credit = counts.sum(axis=2), halves(counts)
    own = np.array([[votes, credit], [credit, credit + 2 * counts[:, :, 0]]]).reshape(2, 2, -1)
    together = with_earlier + with_earlier.transpose(1, 0, 3, 2)
    np.einsum("klpp->klp", together)[:] += own
    return together.reshape(2, 2, size, size, size, size)


def counted_cells(session: Session, round_: Round, entries: Sequence[NamedEntry]) -> Cells:
    """The round's cells counted from its votes, with a Gram. Raises as `kept_cells`."""
    counts, grouped = grouped_votes(session, round_, entries)
    return Cells(_codes(entries), counts, grouped.gram(len(entries)))


def grouped_votes(session: Session, round_: Round, entries: Sequence[NamedEntry]) -> tuple[Counts, Grouped]:
    """The round's votes that count, by cell and by voter. Raises as `kept_cells`."""
    size, rated = len(entries), rated_votes(round_)
    voter_and_pair = (rated.c.voter_id, rated.c.entry_a, rated.c.entry_b)
    number = func.dense_rank().over(order_by=rated.c.voter_id) - 1
    outcomes = [func.sum(case((rated.c.choice == outcome, 1), else_=0)) for outcome in OUTCOMES]
    by_voter = select(number, *voter_and_pair[1:], *outcomes).group_by(*voter_and_pair).order_by(number)
    places = {entry.id: place for place, entry in enumerate(entries)}
    rows = [(voter, places[a], places[b], *votes) for voter, a, b, *votes in session.execute(by_voter)]
    columns = np.array(rows, dtype=np.int64).reshape(-1, 3 + len(OUTCOMES)).T
    (voter, first, second), votes = columns[:3], columns[3:].T
    counts = np.zeros((size, size, len(OUTCOMES)), dtype=np.int64)
    np.add.at(counts, (first, second), votes)
    credit = halves(votes[:, None])[:, 0]
    return counts, Grouped(int(voter.max(initial=-1)) + 1, voter, first, second, votes.sum(axis=1), credit)


def at_one_moment(session: Session) -> None:
    """Begins a transaction in which all is read as of its first statement; on SQLite every one is so."""
    if session.get_bind().dialect.name == "postgresql":
        session.connection(execution_options={"isolation_level": "REPEATABLE READ"})


def recount(session: Session, round_: Round) -> list[str]:
    """Where the kept cells differ from the votes (see `differences`).

    While people vote, all has to be read at one moment: unless `session` is in a transaction already, one begins
    that does so.
    """
    assert round_.id is not None
    if not session.in_transaction():
        at_one_moment(session)
    entries = entries_of(session, round_.id)
    return differences(kept_cells(session, round_.id, entries), counted_cells(session, round_, entries))


def differences(kept: Cells, counted: Cells) -> list[str]:
    """Where kept and counted cells of the same entries differ: lines that begin with a cell; none if they agree."""
    assert isinstance(kept.clusters, Gram)
    assert isinstance(counted.clusters, Gram)
    lines = []
    if kept.clusters.voters != counted.clusters.voters:
        lines.append(f"voters: {kept.clusters.voters} kept, {counted.clusters.voters} counted")
    wrong = (kept.clusters.together != counted.clusters.together).sum(axis=(0, 1, 4, 5))
    for (i, first), (j, second) in product(enumerate(kept.entries), repeat=2):
        was, is_ = kept.counts[i, j], counted.counts[i, j]
        if (was != is_).any():
            lines.append(f"{first}-{second}: {_said(was)} kept, {_said(is_)} counted")
        if wrong[i, j]:
            lines.append(f"{first}-{second}: {wrong[i, j]} products with votes of the same voters differ")
    return lines


def _said(votes: Integers) -> str:
    return " ".join(f"{outcome}={number}" for outcome, number in zip(OUTCOMES, votes, strict=True))


def _codes(entries: Sequence[NamedEntry]) -> tuple[str, ...]:
    return tuple(entry.code for entry in entries)
