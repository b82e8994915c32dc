"""`arena erase` and `arena backup`: words that a citizen wants gone, and copies of the database."""

from pathlib import Path
from typing import Annotated

import typer

from arena.commands.common import database
from arena.errors import RefusedError


def erase(
    numbers: Annotated[
        list[str], typer.Argument(metavar="RECEIPT...", help="receipt numbers, or ids of comparisons from the log")
    ],
) -> None:
    """Erases the words of conversations: all that are named, or none when one of them is unknown.

    Example: arena erase 0b5e3c1f9a7d4e2c8f6a1b3d5c7e9f0a
    """
    from arena.accounts.trail import COMMAND_LINE, on_record
    from arena.battles.erasure import erase_numbers
    from arena.clock import now

    with database() as (db, _), on_record(db, COMMAND_LINE, "words.erase", "words", numbers=numbers):
        erased = db.writing(lambda session: erase_numbers(session, numbers, now()))
        db.empty_wal()
    for number, before in erased:
        typer.echo(f"{number}: {f'erased before, at {before:%Y-%m-%d %H:%M} UTC' if before else 'erased'}")


def backup(
    file: Annotated[Path, typer.Argument(help="the copy's name; a file that is there is not replaced")],
) -> None:
    """Copies the SQLite database while it is in use, and checks the copy.

    Example: arena backup backups/2026-08-01.db
    """
    from arena.accounts.trail import COMMAND_LINE, on_record
    from arena.backup import back_up

    with database() as (db, _), on_record(db, COMMAND_LINE, "database.backup", file.name):
        if db.engine.dialect.name != "sqlite":
            raise RefusedError("the database is PostgreSQL: use `pg_dump --format=custom`, see docs/operations.md")
        copied = back_up(Path(db.engine.url.database or ""), file)
    rows = ", ".join(f"{table} {number}" for table, number in copied.rows.items())
    typer.echo(f"{file}: {copied.size} bytes, intact; rows: {rows}")
