"""The schema's history. Migrations are the only way a schema comes to be."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Engine, inspect, text

if TYPE_CHECKING:
    from alembic.config import Config

HERE = Path(__file__).parent


def config(connection: Connection | None = None) -> "Config":
    """Alembic's configuration, with the connection that its environment is to use."""
    from alembic.config import Config

    settings = Config()
    settings.set_main_option("script_location", str(HERE))
    settings.attributes["connection"] = connection
    return settings


def migrate(engine: Engine, revision: str = "head") -> None:
    """Brings the database to a revision: the newest unless told."""
    from alembic import command

    with engine.connect().execution_options(arena_write=True) as connection, connection.begin():
        move: Any = command.downgrade if revision == "base" else command.upgrade
        move(config(connection), revision)


def newest_revision() -> str:
    """The newest revision's id, with which its file's name begins."""
    return max(file.name.partition("_")[0] for file in (HERE / "versions").glob("*_*.py"))


def schema_is_current(connection: Connection) -> bool:
    """Whether the database is at the newest revision. Without Alembic, which a server need not carry in memory."""
    if not inspect(connection).has_table("alembic_version"):
        return False
    found = connection.execute(text("SELECT version_num FROM alembic_version")).scalars()
    return list(found) == [newest_revision()]
