"""The schema's history. Migrations are the only way a schema comes to be."""

from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine


def config(connection: Connection | None = None) -> Config:
    """Alembic's configuration, with the connection that its environment is to use."""
    settings = Config()
    settings.set_main_option("script_location", str(Path(__file__).parent))
    settings.attributes["connection"] = connection
    return settings


def migrate(engine: Engine, revision: str = "head") -> None:
    """Brings the database to a revision: the newest unless told."""
    with engine.connect().execution_options(arena_write=True) as connection, connection.begin():
        move: Any = command.downgrade if revision == "base" else command.upgrade
        move(config(connection), revision)


def schema_is_current(connection: Connection) -> bool:
    current = MigrationContext.configure(connection).get_current_heads()
    return set(current) == set(ScriptDirectory.from_config(config()).get_heads())
