"""Alembic's environment. Run by `arena migrate`, or by `alembic` with ARENA_DATABASE_URL set."""

from alembic import context
from sqlalchemy import Connection

from arena.db import open_engine
from arena.settings import load_settings
from arena.tables import metadata


def run(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=metadata,
        render_as_batch=connection.dialect.name == "sqlite",
        compare_type=True,
    )
    with context.begin_transaction():
        context.run_migrations()


given: Connection | None = context.config.attributes.get("connection")
if given is not None:
    run(given)
else:
    with open_engine(load_settings().database).connect() as opened, opened.begin():
        run(opened)
