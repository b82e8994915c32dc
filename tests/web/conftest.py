"""One running arena for all tests of a module: what is asked of pages here does not change the round."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from arena.db import Database
from tests.support import open_round, round_file, serving, settings_for


@pytest.fixture(scope="module")
def arena(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory, teams: str) -> Iterator[str]:
    """The origin of a running arena with an open round."""
    url = f"sqlite:///{shutil.copy(sqlite_template, tmp_path_factory.mktemp('arena') / 'arena.db')}"
    db = Database(url)
    open_round(db, round_file(teams))
    db.close()
    with serving(settings_for(url)) as origin:
        yield origin
