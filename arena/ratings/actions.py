"""Computing ratings and scores and keeping them; closing a round, which computes them for the last time."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import update
from sqlmodel import Session, col

from arena.battles.actions import expire_all
from arena.battles.cells import changes, counted_cells, differences, kept_cells
from arena.errors import RefusedError
from arena.ledger.actions import append, settle
from arena.ledger.tables import StoredCheckpoint
from arena.proofs.notes import SigningKey
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
from arena.rounds.leaves import write_closed
from arena.rounds.official import official_figures
from arena.rounds.queries import rules_of
from arena.rounds.tables import Round
from arena.stats import live
from arena.stats.cells import Cells
from arena.stats.figures import fingerprint
from arena.stats.live import Skill
from arena.stats.outlook import outlook, outlook_body
from arena.stats.rating import estimate
from arena.teams.queries import NamedEntry, entries_of

LIVE_STEP = 2000
WRONG_KEY = "ARENA_LEDGER_KEY is not the key of this round's ledger"


@dataclass(frozen=True, slots=True)
class Counted:
    """A round's cells, and the tree of the ledger that holds their votes and no others.

    `last` is the newest vote; before `settled` no vote can appear any more; `changes` is the state of the kept cells.
    """

    cells: Cells
    ledger_size: int
    ledger_root: bytes
    last: int
    settled: int
    changes: int


@dataclass(frozen=True, slots=True)
class Computed:
    """What a snapshot holds, ready to be stored; `differences` only where the votes were counted anew."""

    counted: Counted
    pairs: list[dict[str, Any]]
    ratings: dict[str, Any]
    scores: dict[str, Any]
    outlook: dict[str, Any]
    live: dict[str, Any]
    differences: list[str] | None = None


def count(session: Session, round_: Round, key: SigningKey, now: datetime) -> Counted | None:
    """The cells kept as votes land, once all that landed is in the ledger's tree; no vote is read.

    None when `key` may not sign the tree. On PostgreSQL it has to begin the transaction.
    """
    assert round_.id is not None
    if session.get_bind().dialect.name == "postgresql":
        session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
    checkpoint = settle(session, round_.id, key, now)
    if checkpoint is None:
        return None
    cells = kept_cells(session, round_.id, _by_code(session, round_.id))
    return _counted(session, round_.id, cells, checkpoint, newest_settled_vote(session, round_.id))


def _counted(session: Session, round_id: int, cells: Cells, checkpoint: StoredCheckpoint, settled: int) -> Counted:
    last, state = newest_vote(session, round_id), changes(session, round_id)
    return Counted(cells, checkpoint.size, checkpoint.root, last, settled, state)


def compute(
    session: Session, round_: Round, counted: Counted, *, final: bool = False, differ: list[str] | None = None
) -> Computed:
    """Rates what was counted; reads no vote for the official figures."""
    assert round_.id is not None
    rules, cells = rules_of(round_), counted.cells
    official = official_figures(cells, rules, final=final)
    found = estimate(cells) if official.found.state == "ok" else None
    planned = max(1, len(cells.entries) * rules.score.min_votes_per_entry // 2)
    plan = outlook_body(outlook(cells, official.found, found, planned))
    live_state = _replay(session, round_.id, entries_of(session, round_.id), counted.settled)
    return Computed(counted, pair_rows(cells), official.ratings, official.scores, plan, live_state, differ)


def _by_code(session: Session, round_id: int) -> list[NamedEntry]:
    """Entries in the order of official figures."""
    return sorted(entries_of(session, round_id), key=lambda entry: entry.code)


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
    counted = computed.counted
    if kept is not None and (kept.final or kept.changes > counted.changes):
        return
    recounted = computed.differences is not None
    session.merge(
        RatingSnapshot(
            round_id=round_id,
            last_vote_id=counted.last,
            changes=counted.changes,
            final=final,
            computed_at=now,
            ledger_size=counted.ledger_size,
            ledger_root=counted.ledger_root.hex(),
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


def close_round(session: Session, slug: str, key: SigningKey, now: datetime) -> Round:
    """Closes a round, its open battles too, and computes its final ratings from its votes, counted anew.

    Raises RefusedError when the round is not open, or `key` is not that of its ledger.
    """
    round_ = end_round(session, slug, now)
    assert round_.id is not None
    expire_all(session, round_, now)
    write_closed(session, round_, now)
    checkpoint = settle(session, round_.id, key, now)
    if checkpoint is None:
        raise RefusedError(WRONG_KEY)
    entries = _by_code(session, round_.id)
    cells = counted_cells(session, round_, entries)
    counted = _counted(session, round_.id, cells, checkpoint, newest_vote(session, round_.id))
    found = differences(kept_cells(session, round_.id, entries), cells)
    computed = compute(session, round_, counted, final=True, differ=found)
    store(session, round_.id, computed, now, final=True)
    _write_scored(session, round_, computed, now)
    settle(session, round_.id, key, now)
    return round_


def _write_scored(session: Session, round_: Round, computed: Computed, now: datetime) -> None:
    """The ledger's last word: which figures are final."""
    fingerprints = {name: computed.ratings[name] for name in ("cells_hash", "figures_hash")}
    scores = {"scores_hash": fingerprint(computed.scores)}
    append(session, round_.id or 0, round_.slug, "round.scored", now, **fingerprints, **scores)
