"""The desk of a round that runs or ran: its progress pair by pair and side by side, leaks, what is left undone.

No vote and no battle is read one by one: votes are those of the kept cells, states are counted in an index.
"""

from datetime import datetime
from math import ceil
from typing import Any

from sqlalchemy import Select, func, select
from sqlmodel import Session, col

from arena.battles.tables import Battle, VoteCell
from arena.office.desk_pages import DeskPage, Numbers, PairCell, PairRow, SideBias
from arena.office.endpoint_health import hours, outcomes
from arena.office.round_acts import found
from arena.office.round_pages import RoundRow, RoundsPage
from arena.ratings.desk import votes_needed
from arena.ratings.leaderboard import side_effect
from arena.ratings.queries import snapshot_of
from arena.ratings.tables import RatingSnapshot
from arena.rounds.queries import rules_of, view
from arena.rounds.tables import Proposal, Round
from arena.teams.outages import out_of_service
from arena.teams.queries import NamedEntry, entries_of
from arena.teams.tables import Entry


def rounds_page(session: Session, locale: str) -> RoundsPage:
    """All rounds, drafts too: the open one first, then drafts, then closed ones, the newest first."""
    every = session.execute(select(Round).order_by(col(Round.id).desc())).scalars().all()
    entries = _counts(session, select(col(Entry.round_id), func.count()).group_by(col(Entry.round_id)))
    order = ("open", "draft", "closed")
    return RoundsPage(
        tuple(
            RoundRow(
                view(round_, locale, operator=True),
                round_.opens_at,
                entries.get(round_.id or 0, 0),
                _states(session, round_.id or 0).get("voted", 0) if round_.state != "draft" else 0,
            )
            for round_ in sorted(every, key=lambda round_: order.index(round_.state))
        )
    )


def desk_page(session: Session, slug: str, locale: str, now: datetime, *, whole: bool) -> DeskPage:
    """The desk, or without `whole` only its numbers. Raises NotFoundError."""
    round_ = found(session, slug)
    entries = entries_of(session, round_.id or 0)
    return DeskPage(
        round=view(round_, locale, operator=True),
        opens_at=round_.opens_at,
        rules_hash=round_.rules_hash,
        may_change=rules_of(round_).may_change,
        numbers=_numbers(session, round_, entries, locale, now),
        hours=hours(session, round_, locale, now) if whole else None,
        outcomes=outcomes(session, round_, locale, now) if whole else None,
        entries=tuple((entry.code, entry.name(locale)) for entry in entries),
    )


def _numbers(session: Session, round_: Round, entries: tuple[NamedEntry, ...], locale: str, now: datetime) -> Numbers:
    round_id = round_.id or 0
    states, cells = _states(session, round_id), _cells(session, round_id)
    wanted, out = rules_of(round_).score.min_votes_per_entry, out_of_service(session, round_id)
    plan = plan_of(session, round_id)
    pairs = len(entries) * (len(entries) - 1) // 2
    return Numbers(
        at=now,
        votes=states.get("voted", 0),
        started=sum(states.values()),
        going=states.get("streaming", 0) + states.get("votable", 0),
        expired=states.get("expired", 0),
        void=states.get("void", 0),
        counted=sum(sum(cell[:4]) for cell in cells.values()),
        wanted=wanted,
        wanted_pair=ceil(wanted / max(1, len(entries) - 1)),
        rows=_matrix(cells, entries, locale),
        side=_side(
            sum(cell[0] for cell in cells.values()),
            sum(cell[1] for cell in cells.values()),
            snapshot_of(session, round_id),
        ),
        needed=votes_needed(plan, pairs) if plan else (),
        out_now=tuple(entry.name(locale) for entry in entries if entry.code in out),
        waiting_changes=waiting_changes(session, round_id),
    )


def plan_of(session: Session, round_id: int) -> dict[str, Any] | None:
    """The planner's outlook in the newest snapshot; None before the first."""
    found = select(col(RatingSnapshot.outlook)).where(col(RatingSnapshot.round_id) == round_id)
    return session.execute(found).scalar()


def waiting_changes(session: Session, round_id: int) -> int:
    waiting = select(func.count()).where(col(Proposal.round_id) == round_id, col(Proposal.state) == "waiting")
    return int(session.execute(waiting).scalar_one())


def _counts(session: Session, found: Select[Any, int]) -> dict[Any, int]:
    """What was counted, by what it was grouped by."""
    return {row[0]: row[1] for row in session.execute(found)}


def _states(session: Session, round_id: int) -> dict[str, int]:
    found = select(col(Battle.state), func.count()).where(col(Battle.round_id) == round_id)
    return _counts(session, found.group_by(col(Battle.state)))


def _cells(session: Session, round_id: int) -> dict[tuple[int, int], tuple[int, int, int, int]]:
    """The rated votes by the entries at side A and B: for a, for b, ties, both bad."""
    cells = session.execute(select(VoteCell).where(col(VoteCell.round_id) == round_id)).scalars()
    return {(cell.entry_a, cell.entry_b): (cell.a, cell.b, cell.tie, cell.both_bad) for cell in cells}


def _matrix(
    cells: dict[tuple[int, int], tuple[int, int, int, int]], entries: tuple[NamedEntry, ...], locale: str
) -> tuple[PairRow, ...]:
    def votes(first: NamedEntry, second: NamedEntry) -> int:
        return sum(cells.get((first.id, second.id), ()))

    def row(entry: NamedEntry) -> PairRow:
        pairs = tuple(
            None if other.id == entry.id else PairCell(votes(entry, other), votes(other, entry)) for other in entries
        )
        return PairRow(entry.name(locale), pairs, sum(cell.votes for cell in pairs if cell))

    return tuple(row(entry) for entry in entries)


def _side(a: int, b: int, snapshot: RatingSnapshot | None) -> SideBias | None:
    """The interval is the rating's, which allows for voters who cast many votes: one of our own would cry wolf."""
    rated = side_effect(snapshot.ratings["side"]) if snapshot else None
    return SideBias(a + b, a / (a + b), rated) if a + b else None
