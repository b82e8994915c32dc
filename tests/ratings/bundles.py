"""What the worker does to publish a closed round's bundle, and what a citizen does with the file."""

import asyncio
from pathlib import Path
from zipfile import ZipFile

from arena.clock import now
from arena.db import Database
from arena.jobs import Task
from arena.offline.verify import Verified
from arena.ratings.jobs import publishing, rating
from arena.rounds.bundles import published_bundle
from tests.data import closes
from tests.ledger.played import played_round, verified
from tests.support import KEY

BESIDE = next(task for task in rating(KEY) if task.name == "beside")


def wanted(db: Database, data_dir: Path) -> bool:
    with db.reading() as session:
        return publishing(data_dir).wanted(session, now())


def runs(db: Database, task: Task) -> None:
    async def run() -> None:
        await task.run(db)

    asyncio.run(asyncio.wait_for(run(), 60))


def finishes(db: Database) -> None:
    """Closes the round, and computes what stands beside its final ratings."""
    closes(db)
    runs(db, BESIDE)


def publishes(db: Database, data_dir: Path) -> Path:
    """What the worker does; returns the file."""
    runs(db, publishing(data_dir))
    found = published_bundle(data_dir, played_round(db))
    assert found is not None
    return found


def unpacked(file: Path, folder: Path) -> Path:
    """Unpacks a bundle as a citizen would; returns the one folder that is in it."""
    with ZipFile(file) as packed:
        packed.extractall(folder)
    found = list(folder.iterdir())
    assert [path.name for path in found] == ["stage-1"]
    return found[0]


def checked(file: Path, folder: Path) -> Verified:
    return verified(unpacked(file, folder))


def litter(data_dir: Path) -> list[str]:
    return [path.name for path in (data_dir / "bundles").iterdir() if path.name != "stage-1.zip"]
