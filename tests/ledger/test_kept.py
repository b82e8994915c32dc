"""What was written stays: the database itself refuses to change or to delete it, whoever asks."""

from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from arena.clock import now
from arena.db import Database
from arena.rounds.actions import create_round
from arena.rounds.tables import Round
from tests.data import NOWHERE, closes, opened, voted, voter
from tests.ledger.logs import numbers, sequences, writes
from tests.support import KEY, round_file

KEPT = {
    "round": ("slug", "rules", "rules_hash", "seed", "seed_commitment"),
    "entry": ("round_id", "team_id", "code", "model", "aliases", "extra_body"),
    "battle": ("round_id", "voter_id", "epoch", "k", "entry_a", "entry_b", "created_at"),
    "vote": ("battle_id", "receipt", "choice", "cast_at", "leaf_id"),
    "log": ("round_id", "origin"),
    "leaf": ("id", "round_id", "position", "type", "body", "hash"),
    "ledger_node": ("round_id", "level", "place", "hash"),
    "checkpoint": ("round_id", "size", "root", "note", "signed_at"),
}
"""By table, what never changes once a round is open."""


@pytest.fixture
def round_(db: Database) -> Round:
    """An open round with a vote and a tree large enough to have a node."""
    found = opened(db, teams=2)
    voted(db, voter(db, "minji"))
    writes(db, found, *numbers(260))
    sequences(db, found)
    return found


def runs(db: Database, statement: str, **values: Any) -> int:
    """How many rows a statement changed."""

    def work(session: Any) -> int:
        changed: int = session.execute(text(statement), values).rowcount
        return changed

    return db.writing(work)


def refuses(db: Database, statement: str) -> bool:
    """Whether the database refuses a statement because what was written stays."""
    try:
        assert runs(db, statement) > 0, f"nothing to try it on: {statement}"
    except IntegrityError as error:
        return "what was written stays" in str(error)
    return False


@pytest.mark.parametrize("table", KEPT)
def test_no_column_that_is_kept_can_be_changed(db: Database, round_: Round, table: str) -> None:
    """Constraints would refuse some changes as well, but only after the trigger has spoken."""
    for column in KEPT[table]:
        other = "NULL" if column.endswith("_at") else "'-1'"
        assert refuses(db, f"UPDATE {table} SET {column} = {other}"), column
        assert refuses(db, f"UPDATE {table} SET {column} = {column}"), column


@pytest.mark.parametrize("table", KEPT)
def test_no_row_that_is_kept_can_be_deleted(db: Database, round_: Round, table: str) -> None:
    assert refuses(db, f"DELETE FROM {table}")


def test_no_leaf_is_replaced_by_an_insertion_of_its_id(sqlite_url: str) -> None:
    db = Database(sqlite_url)
    opened(db, teams=2)
    columns = "id, round_id, type, body, hash"
    insertion = f"INSERT OR REPLACE INTO leaf ({columns}) SELECT id, round_id, type, '{{}}', hash FROM leaf"
    assert refuses(db, insertion)
    db.close()


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
@pytest.mark.parametrize("table", KEPT)
def test_no_table_that_is_kept_can_be_emptied_at_once(db: Database, round_: Round, table: str) -> None:
    assert refuses(db, f"TRUNCATE {table} CASCADE")


def test_an_opened_round_is_never_a_draft_again(db: Database, round_: Round) -> None:
    assert refuses(db, "UPDATE round SET state = 'draft'")
    closes(db)
    assert refuses(db, "UPDATE round SET state = 'draft'")


def test_what_is_kept_stays_after_the_rounds_closing(db: Database, round_: Round) -> None:
    closes(db)
    assert refuses(db, "UPDATE round SET rules = '{}'")
    assert refuses(db, "UPDATE entry SET model = 'another'")
    assert refuses(db, "DELETE FROM entry")


def test_a_refused_change_changes_nothing(db: Database, round_: Round) -> None:
    before = everything(db)
    for table, columns in KEPT.items():
        refuses(db, f"UPDATE {table} SET {columns[0]} = '-1'")
        refuses(db, f"DELETE FROM {table}")
    assert everything(db) == before


def everything(db: Database) -> dict[str, list[tuple[Any, ...]]]:
    with db.reading() as session:
        return {
            table: sorted(tuple(map(str, row)) for row in session.execute(text(f"SELECT * FROM {table}")))
            for table in KEPT
        }


def test_a_draft_round_may_change_altogether(db: Database, round_: Round) -> None:
    draft = round_file(NOWHERE, slug="stage-2", teams=2)
    db.writing(lambda session: create_round(session, draft, allow=["127.0.0.0/8"], now=now()))
    of_draft = "round_id = (SELECT id FROM round WHERE slug = 'stage-2')"
    for column in ("rules", "rules_hash", "seed", "seed_commitment"):
        assert runs(db, f"UPDATE round SET {column} = 'x' WHERE slug = 'stage-2'") == 1
    assert runs(db, f"UPDATE entry SET model = 'x', aliases = '[]', code = code || 'x' WHERE {of_draft}") == 2
    assert runs(db, f"DELETE FROM entry WHERE {of_draft}") == 2
    runs(db, f"DELETE FROM suggestion WHERE {of_draft}")
    assert runs(db, "DELETE FROM round WHERE slug = 'stage-2'") == 1


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE battle SET state = 'expired'",
        "UPDATE battle SET salt = NULL, erased_at = created_at, unrated = 'identity_leak'",
        "UPDATE vote SET excluded = (1 = 1), excluded_why = 'mistake'",
        "UPDATE entry SET base_url = 'http://127.0.0.1:10', api_key_env = 'KEY', address_salt = 'x'",
        "UPDATE round SET state = 'closed', closed_at = opened_at, closes_at = opened_at, title_ko = '제목'",
        "UPDATE log SET verifier = 'another'",
        "UPDATE turn SET prompt = ''",
        "UPDATE answer SET text = ''",
    ],
)
def test_what_has_to_go_on_goes_on(db: Database, round_: Round, change: str) -> None:
    assert runs(db, change) > 0


def test_a_leaf_gets_its_position_once(db: Database, round_: Round) -> None:
    writes(db, round_, "waiting")
    placing = "UPDATE leaf SET position = 1000 WHERE position IS NULL"
    assert runs(db, placing) == 1
    for position in ("1001", "NULL"):
        assert refuses(db, f"UPDATE leaf SET position = {position} WHERE position = 1000")


def test_a_leaf_that_waits_for_its_position_is_kept_as_well(db: Database, round_: Round) -> None:
    writes(db, round_, "waiting")
    assert refuses(db, "UPDATE leaf SET body = '{}' WHERE position IS NULL")
    assert refuses(db, "DELETE FROM leaf WHERE position IS NULL")
    assert sequences(db, round_, KEY)
