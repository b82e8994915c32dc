"""Migrations are the only way a schema comes to be: up, down, and what the code expects."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Engine, Inspector, inspect, text

from arena.db import open_engine
from arena.migrations import migrate, schema_is_current
from arena.tables import metadata
from tests.pg import database


@pytest.fixture(params=["sqlite", "postgresql"])
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    """A database without any table."""
    if request.param == "sqlite":
        engine = open_engine(f"sqlite:///{tmp_path / 'empty.db'}")
        yield engine
        engine.dispose()
        return
    with database(request.getfixturevalue("postgres")) as url:
        engine = open_engine(url)
        yield engine
        engine.dispose()


def is_current(engine: Engine) -> bool:
    with engine.connect() as connection:
        return schema_is_current(connection)


def shape(engine: Engine) -> dict[str, Any]:
    """What alembic's comparison leaves out: the conditions, and which indexes hold for some rows only."""

    def condition(options: Mapping[str, Any]) -> str:
        return str(options.get(f"{engine.dialect.name}_where"))

    def table(inspector: Inspector, name: str) -> Any:
        checks = sorted((check["name"], check["sqltext"]) for check in inspector.get_check_constraints(name))
        indexes = sorted(
            (index["name"], index["column_names"], index["unique"], condition(index["dialect_options"]))
            for index in inspector.get_indexes(name)
        )
        return checks, indexes

    found = inspect(engine)
    return {name: table(found, name) for name in metadata.tables}


def test_a_database_goes_up_from_empty_and_down_to_empty_and_up_again(empty: Engine) -> None:
    for _ in range(2):
        migrate(empty)
        assert set(metadata.tables) <= set(inspect(empty).get_table_names())
        migrate(empty, "base")
        assert set(inspect(empty).get_table_names()) == {"alembic_version"}


def test_migrating_a_current_database_changes_nothing(empty: Engine) -> None:
    migrate(empty)
    with empty.begin() as connection:
        connection.execute(text("insert into voter (id, created_at) values ('minji', '2026-01-01')"))
    migrate(empty)
    with empty.connect() as connection:
        assert connection.execute(text("select id from voter")).scalars().all() == ["minji"]


def test_the_migrated_schema_is_the_one_the_code_expects(empty: Engine) -> None:
    migrate(empty)
    with empty.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []


def test_conditions_and_partial_indexes_are_those_of_the_code_too(empty: Engine) -> None:
    migrate(empty)
    migrated = shape(empty)
    migrate(empty, "base")
    metadata.create_all(empty)
    assert migrated == shape(empty)
    assert any(checks for checks, _ in migrated.values())


def test_only_the_newest_schema_is_current(empty: Engine) -> None:
    assert not is_current(empty)
    migrate(empty)
    assert is_current(empty)
    with empty.begin() as connection:
        connection.execute(text("update alembic_version set version_num = 'unknown'"))
    assert not is_current(empty)


def test_a_database_taken_back_is_not_current(empty: Engine) -> None:
    migrate(empty)
    migrate(empty, "base")
    assert not is_current(empty)
