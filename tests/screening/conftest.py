"""An arena that checks prompts, on SQLite and on PostgreSQL."""

from collections.abc import Iterator

import pytest

from tests.screening.flow import Flow, flowing
from tests.support import Citizen


@pytest.fixture
def flow(database_url: str) -> Iterator[Flow]:
    with flowing(database_url) as made:
        yield made


@pytest.fixture
def minji(flow: Flow) -> Citizen:
    return flow.stage.citizen()
