"""The bundle of a closed round is written once by the worker, whole or not there at all."""

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, text
from sqlmodel import Session
from structlog.testing import capture_logs

from arena.clock import now
from arena.db import Database
from arena.ratings.jobs import publishing
from arena.ratings.queries import snapshot_of
from arena.ratings.tables import RatingSnapshot
from arena.rounds.actions import create_round
from arena.rounds.bundles import bundle_file
from tests.data import NOWHERE, closes
from tests.ledger.played import fails, kept, play, played_round, sequenced, verified
from tests.ratings.bundles import BESIDE, checked, finishes, litter, publishes, runs, unpacked, wanted
from tests.support import round_file


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    return tmp_path / "data"


def test_the_bundle_of_a_closed_round_is_published_once_and_verifies(
    db: Database, data_dir: Path, tmp_path: Path
) -> None:
    play(db, voters=2, battles=2)
    finishes(db)
    assert wanted(db, data_dir)
    file = publishes(db, data_dir)
    found = checked(file, tmp_path / "unpacked")
    assert (found.round, found.votes, found.sealed) == ("stage-1", 5, False)
    assert found.figures_hash
    assert litter(data_dir) == []
    assert not wanted(db, data_dir)
    written = file.stat()
    runs(db, publishing(data_dir))
    assert (file.stat().st_ino, file.stat().st_mtime_ns) == (written.st_ino, written.st_mtime_ns)


def test_an_open_round_and_one_whose_figures_are_not_complete_have_no_bundle(db: Database, data_dir: Path) -> None:
    play(db, voters=2, battles=1)
    assert not wanted(db, data_dir)
    closes(db)
    assert not wanted(db, data_dir)
    runs(db, publishing(data_dir))
    assert not data_dir.exists()
    runs(db, BESIDE)
    assert wanted(db, data_dir)


def test_names_that_the_rules_never_reveal_are_not_in_the_public_bundle(
    db: Database, data_dir: Path, tmp_path: Path
) -> None:
    round_ = play(db, voters=2, battles=1, reveal="never")
    finishes(db)
    folder = unpacked(publishes(db, data_dir), tmp_path / "unpacked")
    assert verified(folder).sealed
    assert {path.name for path in folder.iterdir()}.isdisjoint({"votes.parquet", "ratings.json", "scores.json"})
    assert not any(round_.seed in path.read_text("utf-8") for path in folder.iterdir())


def test_a_round_from_before_there_were_ledgers_is_passed_over(db: Database, data_dir: Path) -> None:
    play(db, voters=2, battles=1)
    finishes(db)
    old = db.writing(lambda s: create_round(s, round_file(NOWHERE, slug="old"), allow=["127.0.0.0/8"], now=now()))

    def close_old(session: Session) -> None:
        snapshot = snapshot_of(session, played_round(db).id or 0)
        assert snapshot
        session.add(RatingSnapshot(**snapshot.model_dump() | {"round_id": old.id}))
        session.execute(text("update round set state = 'closed' where slug = 'old'"))

    db.writing(close_old)
    with capture_logs() as logs:
        publishes(db, data_dir)
    assert [entry["event"] for entry in logs] == ["bundle_written"]
    assert litter(data_dir) == []
    assert not wanted(db, data_dir)


def test_entries_that_come_after_the_closing_bring_a_new_bundle(db: Database, data_dir: Path, tmp_path: Path) -> None:
    """An answer on its way may begin an outage. Who keeps the newest checkpoint finds it in the download."""
    play(db, voters=2, battles=1)
    finishes(db)
    before = unpacked(publishes(db, data_dir), tmp_path / "before")
    fails(db, "e3")
    sequenced(db)
    assert wanted(db, data_dir)
    after = unpacked(publishes(db, data_dir), tmp_path / "after")
    assert verified(after, kept=kept(before)).entries == verified(before).entries + 1
    assert not wanted(db, data_dir)


def test_what_is_being_exported_is_not_there_yet(db: Database, data_dir: Path) -> None:
    round_ = play(db, voters=2, battles=1)
    finishes(db)
    seen: list[bool] = []

    def look(*_: Any) -> None:
        seen.append(bundle_file(data_dir, round_).exists())

    event.listen(db.engine, "after_cursor_execute", look)
    runs(db, publishing(data_dir))
    event.remove(db.engine, "after_cursor_execute", look)
    assert len(seen) > 10
    assert not any(seen)
    assert bundle_file(data_dir, round_).exists()


def test_whoever_reads_the_bundle_while_a_new_one_is_written_gets_the_old_one_whole(
    sqlite_url: str, data_dir: Path
) -> None:
    db = Database(sqlite_url)
    play(db, voters=2, battles=1)
    finishes(db)
    file = publishes(db, data_dir)
    old = file.read_bytes()
    with file.open("rb") as reader:
        begun = reader.read(100)
        fails(db, "e3")
        sequenced(db)
        assert publishes(db, data_dir).read_bytes() != old
        assert begun + reader.read() == old
    db.close()


@pytest.mark.parametrize("kept_bytes", [0, 100, -30])
def test_what_a_worker_that_died_left_is_replaced(
    sqlite_url: str, data_dir: Path, tmp_path: Path, kept_bytes: int
) -> None:
    """A power cut may leave a file cut off; a killed worker its folder."""
    db = Database(sqlite_url)
    play(db, voters=2, battles=1)
    finishes(db)
    file = publishes(db, data_dir)
    file.write_bytes(file.read_bytes()[:kept_bytes])
    (file.parent / ".stage-1.unfinished.abc" / "stage-1").mkdir(parents=True)
    (file.parent / ".stage-1.unfinished.abc" / "stage-1.zip").write_bytes(b"PK")
    assert wanted(db, data_dir)
    checked(publishes(db, data_dir), tmp_path / "unpacked")
    assert litter(data_dir) == []
    db.close()


def test_a_data_folder_that_cannot_be_written_is_logged_and_tried_again(
    sqlite_url: str, data_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("arena.ratings.jobs.AFTER_FAILURE_S", 0)
    db = Database(sqlite_url)
    play(db, voters=2, battles=1)
    finishes(db)
    data_dir.write_bytes(b"a file where the folder should be")
    with capture_logs() as logs:
        runs(db, publishing(data_dir))
    assert [(entry["event"], entry["round"]) for entry in logs] == [("bundle_not_written", "stage-1")]
    assert wanted(db, data_dir)
    data_dir.unlink()
    checked(publishes(db, data_dir), tmp_path / "unpacked")
    db.close()
