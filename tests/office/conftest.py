"""The office of a round with two voters."""

from collections.abc import Iterator
from functools import partial

import pytest

from arena.accounts.actions import record_consent
from arena.battles.pages import CONSENT_VERSION
from arena.clock import now
from arena.db import Database
from tests.data import opened
from tests.office.exclusion_desk import JUNHO, MINJI, Office
from tests.staff import hire
from tests.support import serving, settings_for


@pytest.fixture
def office(db: Database, database_url: str) -> Iterator[Office]:
    hire(db)
    opened(db, teams=3)
    for name in (MINJI, JUNHO):
        db.writing(partial(record_consent, voter_id=name, version=CONSENT_VERSION, publish=True, now=now()))
    settings = settings_for(database_url)
    with serving(settings) as origin:
        made = Office(origin, db, settings)
        yield made
        made.close()
