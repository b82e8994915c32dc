"""Computing ratings and keeping them; closing a round, which computes them for the last time."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlmodel import Session

from arena.battles.actions import expire_all
from arena.ratings.queries import (
    cell_rows,
    newest_settled_vote,
    newest_vote,
    pair_rows,
    snapshot_of,
    votes_after,
)
from arena.ratings.tables import RatingSnapshot
from arena.rounds.actions import end_round, held_round
from arena.rounds.tables import Round
from arena.stats import live
from arena.stats.bradley_terry import EntryRating, Ratings, rate
from arena.stats.cells import count_cells
from arena.stats.live import Skill
from arena.teams.queries import NamedEntry, entries_of

LIVE_STEP = 2000


@dataclass(frozen=True, slots=True)
class Computed:
    """What a snapshot holds, ready to be stored."""

    last_vote_id: int
    pairs: list[dict[str, Any]]
    ratings: dict[str, Any]
    live: dict[str, Any]


def compute(session: Session, round_: Round) -> Computed:
    """Rates a round from its votes; reads only."""
    assert round_.id is not None
    entries = entries_of(session, round_.id)
    codes = {entry.id: entry.code for entry in entries}
    last = newest_vote(session, round_.id)
    rows = [(codes[a], codes[b], choice, n) for a, b, choice, n in cell_rows(session, round_)]
    counts = count_cells([entry.code for entry in entries], rows)
    ratings = rate([entry.code for entry in entries], counts)
    settled = last if round_.state == "closed" else newest_settled_vote(session, round_.id)
    live_state = _replay(session, round_.id, entries, settled)
    return Computed(last, pair_rows(entries, counts), ratings_body(ratings), live_state)


def ratings_body(ratings: Ratings) -> dict[str, Any]:
    """Ratings as the API says them: figures as decimal strings with 6 places."""
    why = ratings.why
    return {
        "method": ratings.method,
        "method_version": ratings.method_version,
        "state": ratings.state,
        "why": {"code": why.code, "entries": list(why.entries)} if why else None,
        "entries": [_entry_body(entry) for entry in ratings.entries],
    }


def _entry_body(entry: EntryRating) -> dict[str, Any]:
    return {
        "entry": entry.entry,
        "rating": _decimal(entry.rating),
        "interval": [_decimal(bound) for bound in entry.interval] if entry.interval else None,
        "rank": list(entry.rank) if entry.rank else None,
        "votes": entry.votes,
        "wins": entry.wins,
        "losses": entry.losses,
        "ties": entry.ties,
        "win_share": _decimal(entry.win_share),
    }


def _decimal(value: float | None) -> str | None:
    return None if value is None else f"{value:.6f}"


def _replay(session: Session, round_id: int, entries: tuple[NamedEntry, ...], settled: int) -> dict[str, Any]:
    """The live indicator, carried on to the vote `settled` from where the last snapshot left it, in bounded steps."""
    before = snapshot_of(session, round_id)
    codes = {entry.id: entry.code for entry in entries}
    kept: dict[str, Any] = before.live if before else {"last": 0, "skills": {}}
    state = live.start(codes.values()) | {code: Skill(*skill) for code, skill in kept["skills"].items()}
    last = kept["last"]
    for vote in votes_after(session, round_id, last, LIVE_STEP):
        if vote.id > settled:  # one with a lower id may still be on its way into the database
            break
        state = live.update(state, codes[vote.entry_a], codes[vote.entry_b], vote.choice)
        last = vote.id
    return {"last": last, "skills": {code: list(skill) for code, skill in state.items()}}


def store(session: Session, round_id: int, computed: Computed, now: datetime, *, final: bool = False) -> None:
    """Keeps computed ratings as the round's newest; final ones are never replaced, nor newer by older."""
    held_round(session, round_id)
    kept = snapshot_of(session, round_id)
    if kept is not None and (kept.final or kept.last_vote_id > computed.last_vote_id):
        return
    session.merge(
        RatingSnapshot(
            round_id=round_id,
            last_vote_id=computed.last_vote_id,
            final=final,
            computed_at=now,
            pairs=computed.pairs,
            ratings=computed.ratings,
            live=computed.live,
        )
    )
    session.flush()


def close_round(session: Session, slug: str, now: datetime) -> Round:
    """Closes a round, its open battles too, and computes its final ratings. Raises RefusedError."""
    round_ = end_round(session, slug, now)
    assert round_.id is not None
    expire_all(session, round_.id)
    store(session, round_.id, compute(session, round_), now, final=True)
    return round_
