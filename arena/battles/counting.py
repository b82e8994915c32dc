"""Votes counted as they land, in the transaction that casts, excludes or reinstates them.

A vote changes one row of `vote_cell`, that of its own ordered pair: how it goes together with the voter's earlier
votes on any pair is kept there too. Nobody else's votes are read, and votes on different pairs never wait for each
other. `arena.battles.cells` reads the rows, and counts the votes anew to compare.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from operator import itemgetter
from typing import Any, Final, NamedTuple, TypeAlias

from sqlalchemy import JSON, ColumnElement, Connection, Select, bindparam, select, text, update
from sqlmodel import Session, col

from arena.accounts.tables import Voter
from arena.battles.leaves import OfRound
from arena.battles.rated import rated_votes
from arena.battles.tables import CHOICES
from arena.db import Row
from arena.rounds.queries import rules_of
from arena.rounds.rules import load_rules
from arena.rounds.tables import Round

CREDIT: Final = {"a": 2, "tie": 1, "both_bad": 1, "b": 0}
"""What a vote gives the entry shown first, in halves of a win."""


class RatedVote(NamedTuple):
    """A vote that counts: the ids of the entries shown first and second, and the choice."""

    entry_a: int
    entry_b: int
    choice: str


@dataclass(slots=True)
class Tally:
    """What votes add to a row of `vote_cell`: its counts by column name, and its `together`."""

    counts: Counter[str] = field(default_factory=Counter)
    together: dict[str, list[int]] = field(default_factory=dict)


Tallies: TypeAlias = defaultdict[tuple[int, int], Tally]
"""By the ordered pair of entry ids."""


def pair_name(entry_a: int, entry_b: int) -> str:
    """How `together` names an ordered pair."""
    return f"{entry_a}-{entry_b}"


def contribution(votes: Iterable[RatedVote], since: int = 0) -> Tallies:
    """What a voter's rated votes, given in the order of their ids, add to the cells: those from place `since` on."""
    tallies: Tallies = defaultdict(Tally)
    before: dict[str, tuple[int, int]] = {}
    for place, vote in enumerate(votes):
        if place >= since:
            _add(tallies[vote.entry_a, vote.entry_b], _tally(vote, before))
        pair = pair_name(vote.entry_a, vote.entry_b)
        number, credit = before.get(pair, (0, 0))
        before[pair] = number + 1, credit + CREDIT[vote.choice]
    return tallies


def _tally(vote: RatedVote, before: Mapping[str, tuple[int, int]]) -> Tally:
    own = CREDIT[vote.choice]
    together = {pair: [number, credit, own * number, own * credit] for pair, (number, credit) in before.items()}
    return Tally(Counter({vote.choice: 1, "voters": 0 if before else 1}), together)


def add_all(totals: Tallies, more: Tallies, sign: int = 1) -> None:
    for pair, tally in more.items():
        _add(totals[pair], tally, sign)


def _add(total: Tally, more: Tally, sign: int = 1) -> None:
    for column, number in more.counts.items():
        total.counts[column] += sign * number
    _add_together(total.together, more.together, sign)


def _add_together(total: dict[str, list[int]], more: Mapping[str, list[int]], sign: int = 1) -> None:
    for pair, numbers in more.items():
        sums = [old + sign * new for old, new in zip(total.get(pair, (0, 0, 0, 0)), numbers, strict=True)]
        if any(sums):
            total[pair] = sums
        else:
            total.pop(pair, None)


_AT_ONCE = 10_000
_COUNTS = (*CHOICES, "voters")
_BATTLES, _CELLS, _ROUNDS, _VOTES = (Row.metadata.tables[name] for name in ("battle", "vote_cell", "round", "vote"))
# Built once, as building a statement takes ten times as long as running it.
_MINE = _BATTLES.alias("mine")
_OF_ROUND = (*OfRound._fields, "rules")
_VOTES_OF_VOTER = (
    select(*(_ROUNDS.c[name] for name in _OF_ROUND), _BATTLES.c.entry_a, _BATTLES.c.entry_b, _VOTES.c.choice)
    .select_from(_MINE)
    .join(_ROUNDS, _ROUNDS.c.id == _MINE.c.round_id)
    .join(_BATTLES, (_BATTLES.c.round_id == _MINE.c.round_id) & (_BATTLES.c.voter_id == _MINE.c.voter_id))
    .outerjoin(_VOTES, (_VOTES.c.battle_id == _BATTLES.c.id) & ~_VOTES.c.excluded)
    .where(_MINE.c.id == bindparam("battle"))
    .order_by(_VOTES.c.id)
)
_VOTES_OF_VOTERS = (
    select(
        *(_BATTLES.c[name] for name in ("voter_id", "id", "entry_a", "entry_b")), _VOTES.c.choice, _VOTES.c.excluded
    )
    .join(_VOTES, _VOTES.c.battle_id == _BATTLES.c.id)
    .where(_BATTLES.c.round_id == bindparam("round"), _BATTLES.c.voter_id.in_(bindparam("voters", expanding=True)))
    .order_by(_BATTLES.c.voter_id, _VOTES.c.id)
)
_VOTERS = select(_BATTLES.c.voter_id).where(
    _BATTLES.c.round_id == bindparam("round"), _BATTLES.c.id.in_(bindparam("battles", expanding=True))
)
_ADD = text("""
    INSERT INTO vote_cell (round_id, entry_a, entry_b, a, b, tie, both_bad, voters, together, changes)
    VALUES (:round, :first, :second, :a, :b, :tie, :both_bad, :voters, '{}', 1)
    ON CONFLICT (round_id, entry_a, entry_b) DO UPDATE SET
        a = vote_cell.a + excluded.a,
        b = vote_cell.b + excluded.b,
        tie = vote_cell.tie + excluded.tie,
        both_bad = vote_cell.both_bad + excluded.both_bad,
        voters = vote_cell.voters + excluded.voters,
        changes = vote_cell.changes + 1
""")
_ADD_AND_READ = text(f"{_ADD.text} RETURNING together").columns(together=JSON)
_EMPTY = (
    update(_CELLS)
    .where(_CELLS.c.round_id == bindparam("round"))
    .values(dict.fromkeys(_COUNTS, 0) | {"together": {}, "changes": _CELLS.c.changes + 1})
)
_KEEP_TOGETHER = (
    update(_CELLS)
    .where(
        _CELLS.c.round_id == bindparam("round"),
        _CELLS.c.entry_a == bindparam("first"),
        _CELLS.c.entry_b == bindparam("second"),
    )
    .values(together=bindparam("together"))
)


def held(voters: ColumnElement[bool]) -> Select[str]:
    """Reads voters' ids and holds the voters: until this transaction ends, nobody else counts their votes.

    On SQLite a writer is alone anyway.
    """
    return select(col(Voter.id)).where(voters).order_by(col(Voter.id)).with_for_update(key_share=True)


class Earlier(NamedTuple):
    """A voter's votes so far that are not excluded, in the order of their ids, and the round they are of."""

    round: OfRound
    cap: int
    votes: list[RatedVote]


def earlier_votes(connection: Connection, battle_id: str) -> Earlier:
    """The votes of a battle's voter in its round."""
    found = connection.execute(_VOTES_OF_VOTER, {"battle": battle_id}).all()
    *of_round, rules = found[0][: len(_OF_ROUND)]
    votes = [RatedVote(*row[len(_OF_ROUND) :]) for row in found if row.choice is not None]
    return Earlier(OfRound(*of_round), load_rules(rules).rated_votes_per_voter, votes)


def count_vote(connection: Connection, earlier: Earlier, vote: RatedVote) -> None:
    """Counts a new vote, unless as many of its voter as the rules allow count already."""
    if len(earlier.votes) < earlier.cap:
        added = contribution([*earlier.votes, vote], since=len(earlier.votes))
        add_to_cells(connection, earlier.round.id, added)


class _Cast(NamedTuple):
    """A vote on a battle, that may be excluded."""

    battle: str
    excluded: bool
    vote: RatedVote


def change_of(connection: Connection, round_: Round, excluded: Mapping[str, bool]) -> Tallies:
    """What the round's cells gain once the votes on these battles are excluded (True) or are not (False).

    Of each voter the first votes count, as many as the rules say: later ones move up, or step back.
    """
    cap = rules_of(round_).rated_votes_per_voter
    change: Tallies = defaultdict(Tally)
    for votes in _of_each_voter(connection, round_.id or 0, list(excluded)):
        then = [cast.vote for cast in votes if not excluded.get(cast.battle, cast.excluded)]
        now = [cast.vote for cast in votes if not cast.excluded]
        add_all(change, contribution(then[:cap]))
        add_all(change, contribution(now[:cap]), -1)
    return change


def _of_each_voter(connection: Connection, round_id: int, battles: Sequence[str]) -> Iterator[list[_Cast]]:
    """All votes in a round of each voter of these battles, in the order of their ids."""
    found: set[str] = set()
    for some in _parts(battles):
        found.update(connection.execute(_VOTERS, {"round": round_id, "battles": some}).scalars())
    for some in _parts(sorted(found)):
        rows = connection.execute(_VOTES_OF_VOTERS, {"round": round_id, "voters": some})
        for _, votes in groupby(rows, key=itemgetter(0)):
            yield [_Cast(battle, excluded, RatedVote(*vote)) for _, battle, *vote, excluded in votes]


def _parts(names: Sequence[str]) -> Iterator[Sequence[str]]:
    """As many at once as a statement takes."""
    return (names[start : start + _AT_ONCE] for start in range(0, len(names), _AT_ONCE))


def mend(session: Session, round_: Round) -> None:
    """Replaces a round's cells by what its votes add up to; votes that are cast meanwhile wait."""
    assert round_.id is not None
    connection, rated = session.connection(), rated_votes(round_)
    if connection.dialect.name == "postgresql":
        connection.execute(text("LOCK TABLE vote_cell IN EXCLUSIVE MODE"))
    votes = connection.execute(
        select(rated.c.voter_id, rated.c.entry_a, rated.c.entry_b, rated.c.choice)
        .order_by(rated.c.voter_id, rated.c.id)
        .execution_options(yield_per=_AT_ONCE)
    )
    tallies: Tallies = defaultdict(Tally)
    for _, of_voter in groupby(votes, key=itemgetter(0)):
        add_all(tallies, contribution(RatedVote(*row[1:]) for row in of_voter))
    connection.execute(_EMPTY, {"round": round_.id})
    add_to_cells(connection, round_.id, tallies)


def add_to_cells(connection: Connection, round_id: int, tallies: Tallies) -> None:
    """Counts what held voters' votes add.

    Always in the same order, so that two who change several rows never wait for each other in a ring.
    """
    for first, second in sorted(tallies):
        tally = tallies[first, second]
        key: dict[str, Any] = {"round": round_id, "first": first, "second": second}
        counts = key | {column: tally.counts[column] for column in _COUNTS}
        if tally.together:
            together = connection.execute(_ADD_AND_READ, counts).scalar_one()
            _add_together(together, tally.together)
            connection.execute(_KEEP_TOGETHER, key | {"together": together})
        elif any(tally.counts.values()):
            connection.execute(_ADD, counts)
