"""An arena that an organisation's provider, on a socket, signs people in to."""

from collections.abc import Iterator

import pytest

from arena.db import Database
from tests.accounts.provider import Provider, hire_for_provider, known_to, providing
from tests.support import Citizen, serving


@pytest.fixture
def provider() -> Iterator[Provider]:
    with providing() as made:
        yield made


@pytest.fixture
def office(db: Database) -> Database:
    hire_for_provider(db)
    return db


@pytest.fixture
def arena(office: Database, database_url: str, provider: Provider) -> Iterator[str]:
    with serving(known_to(provider.origin, database_url)) as origin:
        yield origin


@pytest.fixture
def person(arena: str) -> Iterator[Citizen]:
    someone = Citizen(arena, language="en")
    yield someone
    someone.close()
