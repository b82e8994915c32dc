"""The public bundle of a round: all that anyone needs to check it, in files that stay readable."""

import json
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from itertools import islice
from pathlib import Path
from typing import Any

import sqlalchemy
from sqlmodel import Session, col, func, select

from arena import __version__
from arena.battles.leaves import HASH_DIGITS
from arena.battles.tables import Battle, Vote
from arena.errors import RefusedError
from arena.ledger import queries as ledger
from arena.ledger.tables import Leaf, Log, StoredCheckpoint
from arena.offline.bundle import (
    CHECKPOINTS,
    FORMAT,
    LEDGER,
    PARQUET,
    RATINGS,
    README,
    ROUND,
    SCORES,
    VOTES,
    WINNERS,
)
from arena.proofs.leaves import timestamp
from arena.ratings.queries import snapshot_of
from arena.rounds.leaves import model_of
from arena.rounds.pairing import pseudonym
from arena.rounds.queries import rules_of
from arena.rounds.tables import Round
from arena.teams.outages import outages
from arena.teams.queries import entries_of, entry

AT_ONCE = 5000
README_TEXT = Path(__file__).with_name("bundle.md")
_BATTLE = tuple(
    map(col, (Battle.id, Battle.voter_id, Battle.entry_a, Battle.entry_b, Battle.locale, Battle.said)),
)
_VOTE = tuple(map(col, (Vote.choice, Vote.cast_at, Vote.excluded, Vote.excluded_why)))


def export_round(session: Session, round_: Round, folder: Path, *, unsealed: bool = False) -> dict[str, Any]:
    """Writes a round's bundle into a folder that is empty or not there; returns what round.json says.

    Pairs, models and figures are in it once the round is closed and its rules allow a reveal, or with `unsealed`.
    Raises RefusedError for a round without a ledger, or a folder that is in use.
    """
    round_id = round_.id or 0
    if session.get_bind().dialect.name == "postgresql":
        session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
    round_ = session.get_one(Round, round_id, populate_existing=True)
    log = ledger.log_of(session, round_id)
    if log is None:
        raise RefusedError(f"round {round_.slug!r} has no ledger: it is a draft, or from before there were ledgers")
    checkpoint = ledger.newest_checkpoint(session, round_id)
    if checkpoint is None:
        raise RefusedError(f"round {round_.slug!r} has no signed checkpoint yet; the worker makes one within seconds")
    _make(folder)
    opened = round_.state == "closed" and (unsealed or rules_of(round_).reveal != "never")
    about = _about(session, round_, log, checkpoint, opened=opened)
    size = checkpoint.size
    _write_lines(folder / LEDGER, _bodies(session, round_id, size))
    kept = ({"size": found.size, "note": found.note} for found in ledger.checkpoints(session, round_id))
    _write_lines(folder / CHECKPOINTS, map(_dumps, kept))
    votes = _votes(session, round_, size, opened=opened)
    about["votes"] = _write_votes(votes, folder / VOTES, folder / PARQUET if opened else None)
    _write_json(folder / ROUND, about)
    (folder / README).write_text(_readme(about), "utf-8")
    if opened and (found := snapshot_of(session, round_id)):
        _write_json(folder / RATINGS, found.ratings)
        _write_json(folder / SCORES, found.scores)
    return about


def _readme(about: dict[str, Any]) -> str:
    size, title = about["ledger"]["size"], about["title"]["en"]
    return README_TEXT.read_text("utf-8").format(**about | {"size": size, "title": title})


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.iterdir()):
            raise RefusedError(f"{folder}: is not empty; a bundle needs a folder of its own")
    except OSError as error:
        raise RefusedError(f"{folder}: {error.strerror}") from None


def _about(
    session: Session, round_: Round, log: Log, checkpoint: StoredCheckpoint, *, opened: bool
) -> dict[str, Any]:
    round_id = round_.id or 0
    entries = entries_of(session, round_id)
    codes = {item.id: item.code for item in entries}
    erased = select(func.count()).where(Battle.round_id == round_id, col(Battle.erased_at).is_not(None))
    return {
        "format": FORMAT,
        "software": f"blind-arena {__version__}",
        "round": round_.slug,
        "title": {"ko": round_.title_ko, "en": round_.title_en},
        "state": round_.state,
        "origin": log.origin,
        "key": log.verifier,
        "rules": json.loads(round_.rules),
        "rules_hash": round_.rules_hash,
        "seed_commitment": round_.seed_commitment,
        "ledger": {"size": checkpoint.size, "root": checkpoint.root.hex()},
        "entries": [{"entry": item.code, "team": {"ko": item.name_ko, "en": item.name_en}} for item in entries],
        "seed": round_.seed if opened else None,
        "models": {item.code: model_of(entry(session, item.id)) for item in entries} if opened else {},
        "outages": {
            str(item.id): {"entry": codes[item.entry_id], "salt": item.salt} for item in outages(session, round_id)
        }
        if opened
        else {},
        "erased": session.exec(erased).one(),
    }


def _bodies(session: Session, round_id: int, size: int) -> Iterator[str]:
    for start in range(0, size, AT_ONCE):
        yield from ledger.bodies(session, round_id, start, min(size, start + AT_ONCE))


def _votes(session: Session, round_: Round, size: int, *, opened: bool) -> Iterator[dict[str, Any]]:
    """Votes as the arena's tables have them, in the order of the ledger; one that is not in it comes last."""
    codes = {item.id: item.code for item in entries_of(session, round_.id or 0)} if opened else {}
    seed = bytes.fromhex(round_.seed)
    place = col(Leaf.position)
    rows = session.execute(
        sqlalchemy.select(*_BATTLE, *_VOTE, place)
        .join(Battle, col(Battle.id) == Vote.battle_id)
        .join(Leaf, col(Leaf.id) == Vote.leaf_id, isouter=True)
        .where(col(Battle.round_id) == round_.id, (place < size) | col(Leaf.id).is_(None))
        .order_by(place.is_(None), place)
        .execution_options(yield_per=AT_ONCE)
    )
    for row in rows:
        yield {
            "entry": row.position,
            "battle": row.id,
            "voter": pseudonym(seed, row.voter_id),
            "model_a": codes.get(row.entry_a),
            "model_b": codes.get(row.entry_b),
            "winner": WINNERS[row.choice],
            "at": timestamp(row.cast_at),
            "turns": len(row.said) // HASH_DIGITS,
            "language": row.locale,
            "excluded": row.excluded_why if row.excluded else None,
        }


def _write_votes(rows: Iterator[dict[str, Any]], file: Path, parquet_file: Path | None) -> int:
    """Writes votes as JSON Lines and, where their pairs are known, as Parquet; returns how many there are."""
    from arena.offline.parquet import VotesParquet  # servers import this module, and never need Arrow

    number = 0
    with file.open("w", encoding="utf-8", newline="\n") as out, ExitStack() as stack:
        writer = stack.enter_context(VotesParquet(parquet_file)) if parquet_file else None
        while batch := list(islice(rows, AT_ONCE)):
            out.writelines(f"{_dumps(row)}\n" for row in batch)
            if writer:
                writer.write(batch)
            number += len(batch)
    return number


def _write_json(file: Path, value: Any) -> None:
    file.write_text(json.dumps(value, ensure_ascii=False, indent=1) + "\n", "utf-8")


def _write_lines(file: Path, lines: Iterable[str]) -> None:
    with file.open("w", encoding="utf-8", newline="\n") as out:
        out.writelines(f"{line}\n" for line in lines)


def _dumps(row: dict[str, Any]) -> str:
    return json.dumps(row, ensure_ascii=False, separators=(",", ":"))
