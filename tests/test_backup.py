"""Backups of a database that is in use: whole, of one moment, private, and good to go on from."""

import os
import sqlite3
import stat
import subprocess
import sys
import threading
import uuid
from collections.abc import Callable
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import func
from sqlmodel import col, select

from arena.backup import Copied, back_up, check
from arena.battles.erasure import erase_voter
from arena.battles.tables import Vote
from arena.clock import now
from arena.db import Database
from arena.errors import RefusedError
from arena.ledger.tables import Leaf
from tests.data import MINJI, answered, opened, voted, voter
from tests.processes import arena_command
from tests.support import eventually, open_round, round_file, settings_for
from tests.test_kill import VOTERS, Voting, prepare

BACKUPS = 4
VOTES_BETWEEN = 20


def file_of(url: str) -> Path:
    return Path(url.removeprefix("sqlite:///"))


def arena(*arguments: str, **settings: str) -> "subprocess.CompletedProcess[str]":
    """Runs the command where no other setting is set."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ARENA_")} | settings
    command = [sys.executable, "-m", "arena", *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def votes_with_their_entries(url: str) -> int:
    """How many votes a database has. Each has its entry in the ledger, which names its battle and choice."""
    db = Database(url)
    with db.reading() as session:
        number = session.exec(select(func.count()).select_from(Vote)).one()
        found = session.exec(select(Vote, Leaf).join(Leaf, col(Leaf.id) == Vote.leaf_id)).all()
    db.close()
    assert len(found) == number
    assert all(f'"battle":"{vote.battle_id}","choice":"{vote.choice}"' in leaf.body for vote, leaf in found)
    return number


def test_copies_made_while_votes_are_cast_are_whole_and_good_to_go_on_from(sqlite_url: str, tmp_path: Path) -> None:
    db, settings = Database(sqlite_url), settings_for(sqlite_url)
    open_round(db, round_file("http://127.0.0.1:9"))
    voting = Voting(settings, iter(db.writing(prepare)))
    db.close()
    copies: list[tuple[int, Path, int]] = []
    with arena_command(tmp_path / "log", "serve", settings=settings) as served:
        threads = [threading.Thread(target=voting.against, args=(served.origin,)) for _ in range(VOTERS)]
        for thread in threads:
            thread.start()
        for number in range(BACKUPS):
            before = len(voting.acknowledged)
            file = tmp_path / f"{number}.db"
            back_up(file_of(sqlite_url), file)
            copies.append((before, file, len(voting.acknowledged)))
            wanted = before + VOTES_BETWEEN
            assert eventually(partial(voting.has, wanted), 20)
        served.process.kill()
        for thread in threads:
            thread.join()
    for before, file, after in copies:
        assert before <= votes_with_their_entries(f"sqlite:///{file}") <= after + VOTERS
        assert check(file).rows["round"] == 1
    assert copies[0][0] < copies[-1][0]
    _goes_on_from(copies[-1][1], tmp_path)


def _goes_on_from(file: Path, folder: Path) -> None:
    """A server on the copy takes a vote that the copy does not have."""
    settings = settings_for(f"sqlite:///{file}")
    had = check(file).rows["vote"]
    db = Database(settings.database)
    junho = voter(db, uuid.uuid4().hex)
    voting = Voting(settings, iter([(junho, answered(db, junho).id)]))
    db.close()
    with arena_command(folder / "log", "serve", settings=settings) as served, pytest.raises(StopIteration):
        voting.against(served.origin)
    assert len(voting.acknowledged) == 1
    assert votes_with_their_entries(settings.database) == had + 1


def test_a_backup_tells_what_it_holds_and_is_for_its_owner_alone(sqlite_url: str, tmp_path: Path) -> None:
    db = Database(sqlite_url)
    opened(db)
    voted(db, voter(db, MINJI))
    file = tmp_path / "copy.db"

    made = arena("backup", str(file), ARENA_DATABASE_URL=sqlite_url)

    assert (made.returncode, made.stderr) == (0, "")
    assert made.stdout == (f"{file}: {file.stat().st_size} bytes, intact; rows: round 1, battle 1, vote 1, leaf 3\n")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert sorted(found.name for found in tmp_path.glob("*copy.db*")) == ["copy.db"]
    db.close()


def test_a_file_that_is_there_is_not_replaced(sqlite_url: str, tmp_path: Path) -> None:
    file = tmp_path / "kept.db"
    file.write_text("precious")
    made = arena("backup", str(file), ARENA_DATABASE_URL=sqlite_url)
    assert (made.returncode, made.stdout) == (2, "")
    assert made.stderr == f"arena: {file} exists; choose another name, as a backup replaces no file\n"
    assert file.read_text() == "precious"
    dangling = tmp_path / "link.db"
    dangling.symlink_to(tmp_path / "elsewhere.db")
    with pytest.raises(RefusedError, match="exists"):
        back_up(file_of(sqlite_url), dangling)


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_for_postgresql_another_program_is_named(database_url: str, tmp_path: Path) -> None:
    made = arena("backup", str(tmp_path / "copy.db"), ARENA_DATABASE_URL=database_url)
    assert made.returncode == 2
    assert "pg_dump --format=custom" in made.stderr
    assert not (tmp_path / "copy.db").exists()


def damage(file: Path) -> None:
    """Overwrites pages in the middle."""
    with file.open("r+b") as raw:
        raw.seek(file.stat().st_size // 2)
        raw.write(os.urandom(64 * 1024))


def orphan(file: Path) -> None:
    """A vote on no battle."""
    _execute(file, "INSERT INTO vote (battle_id, receipt, choice, cast_at, excluded) VALUES ('x', 'y', 'a', '', 0)")


def age(file: Path) -> None:
    """Another schema than this program's."""
    _execute(file, "UPDATE alembic_version SET version_num = '0001'")


def _execute(file: Path, statement: str) -> None:
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute(statement)


@pytest.mark.parametrize("spoil", [damage, orphan, age])
def test_a_damaged_copy_is_refused_and_not_left_behind(
    sqlite_url: str, tmp_path: Path, spoil: Callable[[Path], None]
) -> None:
    spoil(file_of(sqlite_url))
    before = set(tmp_path.iterdir())
    with pytest.raises(RefusedError, match=r"cop(y|ied)"):
        back_up(file_of(sqlite_url), tmp_path / "copy.db")
    assert {file for file in tmp_path.iterdir() if "copy" in file.name} == set()
    assert before <= set(tmp_path.iterdir())


def test_a_backup_cannot_be_made_of_nothing_or_into_nowhere(sqlite_url: str, tmp_path: Path) -> None:
    with pytest.raises(RefusedError, match="the copy failed"):
        back_up(tmp_path / "missing.db", tmp_path / "copy.db")
    assert not (tmp_path / "missing.db").exists()
    with pytest.raises(RefusedError, match="cannot be written"):
        back_up(file_of(sqlite_url), tmp_path / "no folder" / "copy.db")


def test_a_copy_has_no_remains_of_erased_words(sqlite_url: str, tmp_path: Path) -> None:
    db = Database(sqlite_url)
    opened(db)
    with sqlite3.connect(file_of(sqlite_url)) as careless:
        careless.execute("PRAGMA secure_delete = OFF")
        voted(db, voter(db, MINJI))
        careless.execute("UPDATE answer SET text = '보라양말' || hex(randomblob(20000))")
        careless.commit()
        careless.execute("UPDATE answer SET text = ''")
    careless.close()
    db.writing(lambda session: erase_voter(session, MINJI, now()))
    db.empty_wal()
    assert "보라양말".encode() in file_of(sqlite_url).read_bytes()

    copied: Copied = back_up(file_of(sqlite_url), tmp_path / "copy.db")

    assert copied.size == (tmp_path / "copy.db").stat().st_size
    assert "보라양말".encode() not in (tmp_path / "copy.db").read_bytes()
    db.close()
