"""What is done at the command line is on the trail, without secrets; what only reads is not."""

import io
import json
import sys
from pathlib import Path

import pytest
from sqlmodel import col, select

from arena.accounts.tables import Act
from arena.cli import main
from arena.db import Database
from arena.office.trail_words import ACTS
from tests.data import MINJI, opened, voted, voter
from tests.support import KEY


def runs(*arguments: str) -> int:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["arena", *arguments])
        patch.setattr(sys, "stdin", io.StringIO("a long enough password\n"))
        with pytest.raises(SystemExit) as ended:
            main()
    return int(ended.value.code or 0)


@pytest.fixture
def receipt(db: Database, database_url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> str:
    """The number of a vote in an open round, on a server whose settings lead to it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ARENA_DATABASE_URL", database_url)
    monkeypatch.setenv("ARENA_LEDGER_KEY", KEY.secret())
    opened(db)
    return voted(db, voter(db, MINJI)).receipt


def trail(db: Database) -> list[tuple[str, str, str, str]]:
    with db.reading() as session:
        acts = session.exec(select(Act).order_by(col(Act.id)))
        return [(act.what, act.subject, act.outcome, act.why) for act in acts if act.who == "command line"]


def test_acts_of_the_command_line_are_on_the_trail(
    db: Database, receipt: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert runs("key", "create", "pipeline", "--scope", "votes:read") == 0
    key = capsys.readouterr().out.strip()
    assert runs("key", "create", "pipeline", "--scope", "votes:read") == 2
    assert runs("round", "recount", "stage-1") == 0
    assert runs("erase", receipt) == 0
    assert runs("round", "close", "stage-1") == 0
    assert runs("export", "stage-1", "--out", "bundle") == 0
    assert runs("round", "show", "stage-1") == 0

    told = trail(db)
    assert [(what, subject, outcome) for what, subject, outcome, _ in told] == [
        ("key.create", "pipeline", "done"),
        ("key.create", "pipeline", "refused"),
        ("round.recount", "stage-1", "done"),
        ("words.erase", "words", "done"),
        ("round.close", "stage-1", "done"),
        ("ledger.export", "stage-1", "done"),
    ]
    assert {what for what, *_ in told} <= set(ACTS)
    with db.reading() as session:
        details = [json.dumps(act.detail) for act in session.exec(select(Act).order_by(col(Act.id)))]
    assert not [detail for detail in details if key in detail or "password" in detail]
    assert json.loads(details[2]) == {"mend": False, "differences": 0}


def test_a_backup_is_on_the_trail(db: Database, receipt: str) -> None:
    if db.engine.dialect.name == "sqlite":
        assert receipt
        assert runs("backup", "copy.db") == 0
        assert runs("backup", "copy.db") == 2
        assert [act[:3] for act in trail(db)] == [
            ("database.backup", "copy.db", "done"),
            ("database.backup", "copy.db", "refused"),
        ]
