"""What commands share."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from arena.errors import RefusedError

if TYPE_CHECKING:
    from arena.db import Database
    from arena.settings import Settings

Slug = Annotated[str, typer.Argument(help="the round's slug, such as stage-1")]


def group(text: str) -> typer.Typer:
    return typer.Typer(
        help=text,
        add_completion=False,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
    )


@contextmanager
def database() -> "Iterator[tuple[Database, Settings]]":
    """The database of the settings, its schema checked."""
    from arena.db import Database
    from arena.migrations import schema_is_current
    from arena.settings import load_settings

    settings = load_settings()
    db = Database(settings.database)
    try:
        with db.engine.connect() as connection:
            if not schema_is_current(connection):
                raise RefusedError("the database's schema is not current; run `arena migrate` first")
        yield db, settings
    finally:
        db.close()


def text_of(file: Path) -> str:
    """A file's text. Raises RefusedError when it cannot be read."""
    try:
        return file.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise RefusedError(f"{file}: cannot be read: {error}") from None
