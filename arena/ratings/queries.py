"""Reads of votes and ratings. Pages and the API read the stored snapshot; only the worker counts votes."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import combinations
from typing import Any, NamedTuple, cast

from sqlmodel import Session, col, func, select

from arena.battles.tables import Battle, Vote
from arena.clock import now
from arena.ratings.pages import LeaderboardPage, LeaderboardRow, LiveRow
from arena.ratings.tables import RatingSnapshot
from arena.rounds.queries import leaderboard_visible, rules_of, view
from arena.rounds.tables import Round
from arena.stats.bradley_terry import METHOD, METHOD_VERSION
from arena.stats.cells import OUTCOMES, Counts, Outcome
from arena.stats.live import Skill
from arena.teams.queries import NamedEntry, entries_of
from arena.web.forest import Forest, ForestRow, forest

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


def cell_rows(session: Session, round_: Round) -> list[tuple[int, int, str, int]]:
    """Counts by (entry at side A, entry at side B, choice) of the votes that are rated.

    Filter "first-k" version 1: at most the rules' `rated_votes_per_voter` first votes of each voter.
    """
    place = func.row_number().over(partition_by=col(Battle.voter_id), order_by=col(Vote.id))
    votes = (
        select(Battle.entry_a, Battle.entry_b, Vote.choice, place.label("place"))
        .join(Battle, col(Battle.id) == Vote.battle_id)
        .where(Battle.round_id == round_.id)
        .subquery()
    )
    rated = (
        select(votes.c.entry_a, votes.c.entry_b, votes.c.choice, func.count())
        .where(votes.c.place <= rules_of(round_).rated_votes_per_voter)
        .group_by(votes.c.entry_a, votes.c.entry_b, votes.c.choice)
    )
    return [(int(a), int(b), str(choice), int(n)) for a, b, choice, n in session.exec(rated)]


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
        yield CountedVote(vote.id or 0, battle.entry_a, battle.entry_b, choice, battle.voter_id, vote.cast_at)


def pair_rows(entries: tuple[NamedEntry, ...], counts: Counts) -> list[dict[str, Any]]:
    """Per unordered pair: battles, wins each way, ties, both_bad, and the same by who was shown first."""
    rows = []
    for i, j in combinations(range(len(entries)), 2):
        first, second = counts[i, j], counts[j, i]
        wins_i, wins_j = int(first[0] + second[1]), int(first[1] + second[0])
        rows.append(
            {
                "entries": [entries[i].code, entries[j].code],
                "battles": int(first.sum() + second.sum()),
                "wins": [wins_i, wins_j],
                "ties": int(first[2] + second[2]),
                "both_bad": int(first[3] + second[3]),
                "by_side": [
                    {
                        "a": entries[a].code,
                        "b": entries[b].code,
                        "counts": dict(zip(OUTCOMES, map(int, cell), strict=True)),
                    }
                    for a, b, cell in ((i, j, first), (j, i, second))
                ],
            }
        )
    return rows


def leaderboard_page(session: Session, round_: Round, locale: str, *, operator: bool) -> LeaderboardPage:
    """The leaderboard as far as this reader may see it."""
    assert round_.id is not None
    visible = leaderboard_visible(round_, operator=operator)
    snapshot = snapshot_of(session, round_.id) if visible else None
    names = {entry.code: entry.name(locale) for entry in entries_of(session, round_.id)} if visible else {}
    ratings = snapshot.ratings if snapshot else None
    rows = tuple(_row(item, names) for item in ratings["entries"]) if ratings else ()
    why: dict[str, Any] | None = ratings["why"] if ratings else {"code": "no_votes", "entries": list(names)}
    return LeaderboardPage(
        round=view(round_, locale, operator=operator),
        visible=visible,
        rows=tuple(sorted(rows, key=lambda row: -(row.rating or 0))),
        plot=_plot(rows) if ratings and why is None else None,
        why=why["code"] if why else None,
        why_teams=tuple(names[code] for code in why["entries"]) if why else (),
        votes=sum(row.votes for row in rows) // 2,
        method=METHOD,
        method_version=METHOD_VERSION,
        computed_at=snapshot.computed_at if snapshot else None,
        final=bool(snapshot and snapshot.final),
        live=_live(snapshot.live, names) if snapshot and operator else (),
    )


def _row(item: dict[str, Any], names: dict[str, str]) -> LeaderboardRow:
    rated = item["rating"] is not None
    return LeaderboardRow(
        team=names[item["entry"]],
        rank_low=item["rank"][0] if rated else None,
        rank_high=item["rank"][1] if rated else None,
        rating=float(item["rating"]) if rated else None,
        low=float(item["interval"][0]) if rated else None,
        high=float(item["interval"][1]) if rated else None,
        votes=item["votes"],
        wins=item["wins"],
        losses=item["losses"],
        ties=item["ties"],
        win_share=float(item["win_share"]) if rated else None,
    )


def _plot(rows: tuple[LeaderboardRow, ...]) -> Forest:
    return forest(
        [
            ForestRow(row.team, row.rating or 0, row.low or 0, row.high or 0, row.rank_low or 0, row.rank_high or 0)
            for row in rows
        ]
    )


def _live(live: dict[str, Any], names: dict[str, str]) -> tuple[LiveRow, ...]:
    rows = [LiveRow(names[code], Skill(*skill).ordinal) for code, skill in live["skills"].items()]
    return tuple(sorted(rows, key=lambda row: -row.ordinal))
