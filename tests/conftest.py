"""Fixtures: real databases of both kinds, demo teams that answer at once, a running arena, named people."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog
from argon2 import PasswordHasher
from hypothesis import settings as hypothesis_settings

from arena.battles.pacing import Tempo
from arena.db import Database, open_engine
from arena.demo.endpoints import demo_app, serve_in_thread
from arena.migrations import migrate
from tests.demo.real_models import real_models
from tests.pg import database, postgres_server
from tests.support import Citizen, open_round, round_file, serving, settings_for

__all__ = ["real_models"]

hypothesis_settings.register_profile("arena", deadline=None)
hypothesis_settings.load_profile("arena")

# Failures are logged as the running arena logs them: without the values of local variables, which may be anything.
structlog.configure(processors=[structlog.processors.format_exc_info, structlog.processors.JSONRenderer()])


@pytest.fixture(scope="session", autouse=True)
def _quick_hashing() -> Iterator[None]:
    """Passwords are hashed with little work in this process; the same kind of hash."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("arena.accounts.actions._hasher", PasswordHasher(time_cost=1, memory_cost=64, parallelism=1))
        yield


@pytest.fixture(autouse=True)
def _quick_tempo(monkeypatch: pytest.MonkeyPatch) -> None:
    """Answers of battles in this process show at once, five times as fast as citizens read them."""
    monkeypatch.setattr("arena.battles.pacing.TEMPO", Tempo(start_s=0.0, ceiling=30))


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    yield from postgres_server()


@pytest.fixture(scope="session")
def postgres_template(postgres: str) -> Iterator[str]:
    """The name of a PostgreSQL database with the newest schema, to copy from."""
    with database(postgres) as url:
        engine = open_engine(url)
        migrate(engine)
        engine.dispose()
        yield url.rsplit("/", 1)[1]


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file with the newest schema, to copy from."""
    file = tmp_path_factory.mktemp("template") / "arena.db"
    engine = open_engine(f"sqlite:///{file}")
    migrate(engine)
    with engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    engine.dispose()
    return file


@pytest.fixture
def sqlite_url(sqlite_template: Path, tmp_path: Path) -> str:
    shutil.copy(sqlite_template, tmp_path / "arena.db")
    return f"sqlite:///{tmp_path / 'arena.db'}"


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """An empty, migrated database of each kind."""
    if request.param == "sqlite":
        yield request.getfixturevalue("sqlite_url")
    else:
        template = request.getfixturevalue("postgres_template")
        with database(request.getfixturevalue("postgres"), template) as url:
            yield url


@pytest.fixture
def db(database_url: str) -> Iterator[Database]:
    opened = Database(database_url)
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def teams() -> Iterator[str]:
    """The origin of the demo teams, which here answer at once."""
    with serve_in_thread(demo_app(speed=1e6)) as origin:
        yield origin


@pytest.fixture
def arena(sqlite_url: str, teams: str) -> Iterator[str]:
    """The origin of a running arena with an open round."""
    opened = Database(sqlite_url)
    open_round(opened, round_file(teams))
    opened.close()
    with serving(settings_for(sqlite_url)) as origin:
        yield origin


@pytest.fixture
def minji(arena: str) -> Iterator[Citizen]:
    """A citizen."""
    citizen = Citizen(arena)
    yield citizen
    citizen.close()


@pytest.fixture
def junho(arena: str) -> Iterator[Citizen]:
    """Another citizen."""
    citizen = Citizen(arena)
    yield citizen
    citizen.close()
