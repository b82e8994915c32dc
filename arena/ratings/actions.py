"""Computing ratings and scores and keeping them; closing a round, which computes them for the last time."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import update
from sqlmodel import Session, col

from arena.battles.actions import expire_all
from arena.battles.cells import changes, counted_cells, differences, kept_cells
from arena.ratings.queries import (
    newest_settled_vote,
    newest_vote,
    pair_rows,
    snapshot_of,
    votes_after,
    votes_excluded,
)
from arena.ratings.tables import RatingSnapshot
from arena.rounds.actions import end_round, held_round
from arena.rounds.queries import rules_of
from arena.rounds.tables import Round
from arena.stats import live
from arena.stats.cells import Cells
from arena.stats.figures import cells_hash, ratings_body, scores_body
from arena.stats.live import Skill
from arena.stats.outlook import outlook, outlook_body
from arena.stats.rating import estimate
from arena.stats.scores import ScoreRule, rate_and_score
from arena.teams.queries import NamedEntry, entries_of

LIVE_STEP = 2000
FILTER = {"name": "first-k", "version": "1"}


@dataclass(frozen=True, slots=True)
class Computed:
    """What a snapshot holds, ready to be stored; `differences` only where the votes were counted anew."""

    last_vote_id: int
    changes: int
    pairs: list[dict[str, Any]]
    ratings: dict[str, Any]
    scores: dict[str, Any]
    outlook: dict[str, Any]
    live: dict[str, Any]
    differences: list[str] | None = None


def compute(session: Session, round_: Round) -> Computed:
    """Rates a round from the cells kept as votes land; reads only, and no vote for the official figures."""
    assert round_.id is not None
    last, state = newest_vote(session, round_.id), changes(session, round_.id)
    cells = kept_cells(session, round_.id, _by_code(session, round_.id))
    settled = newest_settled_vote(session, round_.id)
    return _computed(session, round_, cells, last, state, settled)


def compute_finally(session: Session, round_: Round) -> Computed:
    """Rates a closed round from its votes, counted anew; says where the kept cells differ from them."""
    assert round_.id is not None
    last, state = newest_vote(session, round_.id), changes(session, round_.id)
    entries = _by_code(session, round_.id)
    cells = counted_cells(session, round_, entries)
    computed = _computed(session, round_, cells, last, state, last, final=True)
    return replace(computed, differences=differences(kept_cells(session, round_.id, entries), cells))


def _by_code(session: Session, round_id: int) -> list[NamedEntry]:
    """Entries in the order of official figures."""
    return sorted(entries_of(session, round_id), key=lambda entry: entry.code)


def _computed(
    session: Session, round_: Round, cells: Cells, last: int, state: int, settled: int, *, final: bool = False
) -> Computed:
    assert round_.id is not None
    rules = rules_of(round_)
    low, high = map(repr, rules.score.anchors)
    rule = ScoreRule(rules.score.points, rules.score.formula, low, high, rules.score.min_votes_per_entry)
    ratings, scores = rate_and_score(cells, rule)
    published = ratings_body(ratings) | {
        "filter": FILTER | {"votes_per_voter": rules.rated_votes_per_voter},
        "cells_hash": cells_hash(cells),
    }
    found = estimate(cells) if ratings.state == "ok" else None
    planned = max(1, len(cells.entries) * rules.score.min_votes_per_entry // 2)
    plan = outlook_body(outlook(cells, ratings, found, planned))
    live_state = _replay(session, round_.id, entries_of(session, round_.id), settled)
    return Computed(last, state, pair_rows(cells), published, scores_body(scores, final=final), plan, live_state)


def _replay(session: Session, round_id: int, entries: tuple[NamedEntry, ...], settled: int) -> dict[str, Any]:
    """The live indicator, carried on to the vote `settled` from where the last snapshot left it, in bounded steps."""
    before = snapshot_of(session, round_id)
    codes = {entry.id: entry.code for entry in entries}
    excluded = votes_excluded(session, round_id)
    kept: dict[str, Any] = {"last": 0, "skills": {}, "excluded": excluded}
    if before is not None and before.live["excluded"] == excluded:
        kept = before.live
    state = live.start(codes.values()) | {code: Skill(*skill) for code, skill in kept["skills"].items()}
    last = kept["last"]
    for vote in votes_after(session, round_id, last, LIVE_STEP):
        if vote.id > settled:  # one with a lower id may still be on its way into the database
            break
        if not vote.excluded:
            state = live.update(state, codes[vote.entry_a], codes[vote.entry_b], vote.choice)
        last = vote.id
    return {"last": last, "skills": {code: list(skill) for code, skill in state.items()}, "excluded": excluded}


def store(session: Session, round_id: int, computed: Computed, now: datetime, *, final: bool = False) -> None:
    """Keeps computed ratings as the round's newest; final ones are never replaced, nor newer by older."""
    held_round(session, round_id)
    kept = snapshot_of(session, round_id)
    if kept is not None and (kept.final or kept.changes > computed.changes):
        return
    recounted = computed.differences is not None
    session.merge(
        RatingSnapshot(
            round_id=round_id,
            last_vote_id=computed.last_vote_id,
            changes=computed.changes,
            final=final,
            computed_at=now,
            pairs=computed.pairs,
            ratings=computed.ratings,
            scores=computed.scores,
            outlook=computed.outlook,
            live=computed.live,
            recounted_at=now if recounted else kept.recounted_at if kept else None,
            differences=computed.differences or (kept.differences if kept and not recounted else []),
        )
    )
    session.flush()


def store_recount(session: Session, round_id: int, found: list[str], now: datetime) -> None:
    """Keeps what a recount of the votes found."""
    kept = update(RatingSnapshot).where(col(RatingSnapshot.round_id) == round_id)
    session.execute(kept.values(recounted_at=now, differences=found))


def store_beside(session: Session, round_id: int, beside: dict[str, Any]) -> None:
    """Keeps what stands beside final ratings; the first that was computed stays."""
    missing = update(RatingSnapshot).where(
        col(RatingSnapshot.round_id) == round_id, col(RatingSnapshot.final), col(RatingSnapshot.beside).is_(None)
    )
    session.execute(missing.values(beside=beside))


def close_round(session: Session, slug: str, now: datetime) -> Round:
    """Closes a round, its open battles too, and computes its final ratings. Raises RefusedError."""
    round_ = end_round(session, slug, now)
    assert round_.id is not None
    expire_all(session, round_.id)
    store(session, round_.id, compute_finally(session, round_), now, final=True)
    return round_
