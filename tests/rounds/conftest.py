"""A round that may be changed."""

import pytest

from arena.db import Database
from tests.data import opened
from tests.rounds.offices import EVERYTHING
from tests.staff import hire


@pytest.fixture
def running(db: Database) -> Database:
    """An open round of five teams whose rules allow every change."""
    hire(db)
    opened(db, may_change=EVERYTHING)
    return db
