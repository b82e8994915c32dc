"""Databases of both kinds in which a small round was played; each test gets a copy."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from arena.db import Database
from tests.ledger.played import open_and_closed, postgres_with_a_round, sqlite_with_a_round
from tests.pg import database


@pytest.fixture(scope="session")
def played_sqlite(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return sqlite_with_a_round(sqlite_template, tmp_path_factory.mktemp("played"))


@pytest.fixture(scope="session")
def played_postgres(postgres: str, postgres_template: str) -> Iterator[str]:
    yield from postgres_with_a_round(postgres, postgres_template)


@pytest.fixture(scope="session")
def bundles(played_sqlite: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the bundles `open` and `closed` of one round, which tests copy and leave as they are."""
    folder = tmp_path_factory.mktemp("bundles")
    open_and_closed(played_sqlite, folder)
    return folder


@pytest.fixture(params=["sqlite", "postgresql"])
def played_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """An open round in a database of each kind."""
    if request.param == "sqlite":
        shutil.copy(request.getfixturevalue("played_sqlite"), tmp_path / "played.db")
        yield f"sqlite:///{tmp_path / 'played.db'}"
    else:
        template = request.getfixturevalue("played_postgres")
        with database(request.getfixturevalue("postgres"), template) as url:
            yield url


@pytest.fixture
def played(played_url: str) -> Iterator[Database]:
    opened = Database(played_url)
    yield opened
    opened.close()
