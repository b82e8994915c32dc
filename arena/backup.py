"""Copies of a live SQLite database.

`VACUUM INTO` reads in one transaction, so the copy is the database at one moment while votes go on being cast. It
writes the rows that are there and nothing else: SQLite's own backup would copy the remains of erased words too.
"""

import os
import sqlite3
import tempfile
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from arena.errors import RefusedError
from arena.migrations import newest_revision

COUNTS = {
    "round": "SELECT count(*) FROM round",
    "battle": "SELECT count(*) FROM battle",
    "vote": "SELECT count(*) FROM vote",
    "leaf": "SELECT count(*) FROM leaf",
}


@dataclass(frozen=True, slots=True)
class Copied:
    """What a checked copy holds: its size in bytes, and rows by table."""

    size: int
    rows: dict[str, int]


def back_up(source: Path, target: Path) -> Copied:
    """Copies a live database into a new file that nobody else may read, and checks the copy.

    The file appears under its name when all is done. Raises RefusedError when there is such a file, or when the copy
    cannot be made or is damaged.
    """
    if os.path.lexists(target):
        raise RefusedError(f"{target} exists; choose another name, as a backup replaces no file")
    try:
        handle, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)  # mode 0600
    except OSError as error:
        raise RefusedError(f"{target}: cannot be written: {error.strerror}") from None
    os.close(handle)
    part = Path(name)
    try:
        _copy(source, part)
        copied = check(part)
        part.rename(target)
        _flush(target.parent)
    except (OSError, sqlite3.Error) as error:
        raise RefusedError(f"{target}: the copy failed: {error}") from None
    finally:
        part.unlink(missing_ok=True)
    return copied


def _copy(source: Path, part: Path) -> None:
    with closing(sqlite3.connect(f"{source.absolute().as_uri()}?mode=rw", uri=True)) as connection:
        connection.execute("VACUUM INTO ?", (str(part),))
    _flush(part)


def check(file: Path) -> Copied:
    """Counts what a copy holds. Raises RefusedError when it is damaged or has another schema than this program."""
    with closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True)) as connection:
        found = [str(row[0]) for row in connection.execute("PRAGMA integrity_check(1)")]
        if found != ["ok"] or connection.execute("PRAGMA foreign_key_check").fetchone():
            raise RefusedError(f"the copy is damaged: {found[0] if found != ['ok'] else 'a row refers to none'}")
        versions = [row[0] for row in connection.execute("SELECT version_num FROM alembic_version")]
        if versions != [newest_revision()]:
            raise RefusedError(f"the copy has schema {versions}, expected {newest_revision()}")
        rows = {table: connection.execute(count).fetchone()[0] for table, count in COUNTS.items()}
    return Copied(file.stat().st_size, rows)


def _flush(path: Path) -> None:
    """Has a file, or a folder's names, written to disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
