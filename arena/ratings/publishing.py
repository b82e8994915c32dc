"""The bundle of a closed round as one file that everyone may fetch."""

import json
import shutil
import zlib
from pathlib import Path
from tempfile import TemporaryDirectory
from zipfile import ZIP_DEFLATED, BadZipFile, ZipFile

from sqlmodel import Session, col, select

from arena.db import Database
from arena.ledger.queries import newest_checkpoint
from arena.offline.bundle import ROUND
from arena.ratings.export import export_round
from arena.ratings.tables import RatingSnapshot
from arena.rounds.bundles import bundle_file
from arena.rounds.tables import Round


def to_publish(session: Session, data_dir: Path) -> list[Round]:
    """Closed rounds with final figures and what stands beside them, whose bundle is not there or not up to date.

    Answers that were on their way at the closing may bring the ledger entries later.
    """
    complete = select(Round).join(RatingSnapshot, col(RatingSnapshot.round_id) == Round.id)
    rounds = session.exec(
        complete.where(
            Round.state == "closed", col(RatingSnapshot.final), col(RatingSnapshot.beside).is_not(None)
        ).order_by(col(Round.id))
    )
    return [round_ for round_ in rounds if _is_to_be_written(session, round_, bundle_file(data_dir, round_))]


def _is_to_be_written(session: Session, round_: Round, file: Path) -> bool:
    """Never for a round from before there were ledgers."""
    checkpoint = newest_checkpoint(session, round_.id or 0)
    return checkpoint is not None and _root(file) != checkpoint.root.hex()


def _root(file: Path) -> str | None:
    """The root of the ledger in a published bundle; None without a file that can be read."""
    try:
        with ZipFile(file) as packed:
            return str(json.loads(packed.read(f"{file.stem}/{ROUND}"))["ledger"]["root"])
    except (OSError, BadZipFile, zlib.error, LookupError, ValueError):
        return None


def publish(db: Database, round_: Round, data_dir: Path) -> None:
    """Writes the bundle beside its place and moves it there when it is whole; blocks.

    One at a time a round: what an earlier one that died has left is removed.
    """
    file = bundle_file(data_dir, round_)
    unfinished = f".{round_.slug}.unfinished."
    file.parent.mkdir(parents=True, exist_ok=True)
    for left in file.parent.glob(f"{unfinished}*"):
        shutil.rmtree(left, ignore_errors=True)
    with TemporaryDirectory(prefix=unfinished, dir=file.parent, ignore_cleanup_errors=True) as place:
        folder = Path(place) / round_.slug
        with db.reading() as session:
            export_round(session, round_, folder)
        _pack(folder).replace(file)


def _pack(folder: Path) -> Path:
    """A zip file beside a folder, with the folder and its files in it."""
    packed = folder.with_suffix(".zip")
    with ZipFile(packed, "x", ZIP_DEFLATED) as out:
        for file in sorted(folder.iterdir()):
            out.write(file, f"{folder.name}/{file.name}")
    return packed
