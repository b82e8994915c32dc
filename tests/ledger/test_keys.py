"""A log's key is handed over by the old one, and each signs only what is its own."""

import pytest

from arena.clock import now
from arena.db import Database
from arena.ledger.actions import rotate_key, settle
from arena.proofs.notes import NoteError, SigningKey
from arena.rounds.tables import Round
from tests.data import in_parallel, opened, under_way
from tests.ledger.logs import NEW_KEY, add, check_log, entries, numbers, sequences, sequences_all, sizes, tree, writes
from tests.support import KEY

on_postgresql = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
THIRD_KEY = SigningKey(KEY.name, bytes(32))


@pytest.fixture
def round_(db: Database) -> Round:
    return opened(db, teams=2)


def rotates(db: Database, round_: Round, old: SigningKey = KEY, new: SigningKey = NEW_KEY) -> None:
    db.writing(lambda session: rotate_key(session, round_.id or 0, round_.slug, old, new, now()))


def test_the_old_key_signs_up_to_the_rotation_and_then_only_the_new_one(db: Database, round_: Round) -> None:
    writes(db, round_, "before")
    rotates(db, round_)
    writes(db, round_, "after")
    assert sequences(db, round_) is None
    assert [entry["type"] for entry in tree(db, round_)] == ["round.opened", "battle.ended"]
    assert sequences(db, round_, NEW_KEY)
    assert tree(db, round_) == entries(db)
    writes(db, round_, "later")
    assert sequences(db, round_) is None
    assert sequences(db, round_, NEW_KEY)
    assert check_log(db, round_) == 5


@on_postgresql
def test_an_entry_on_its_way_before_the_rotation_is_the_old_keys_to_sign(db: Database, round_: Round) -> None:
    with under_way(db) as session:
        add(session, round_, "slow")
        rotates(db, round_)
    assert sequences(db, round_)
    assert [entry["type"] for entry in tree(db, round_)] == ["round.opened", "battle.ended"]
    assert sequences(db, round_) is None
    assert sequences(db, round_, NEW_KEY)
    assert check_log(db, round_) == 3


def test_the_entry_shows_the_new_key_under_the_logs_name_and_the_old_ones_agreement(
    db: Database, round_: Round
) -> None:
    rotates(db, round_)
    origin = KEY.origin(round_.slug)
    entry, follower = entries(db)[-1], str(NEW_KEY.verifier(origin))
    assert entry["key"] == follower
    assert KEY.verifier(origin).signed(entry["note"]) == f"{origin}\nkey\n{follower}\n"


def test_a_log_is_handed_over_again_and_back(db: Database, round_: Round) -> None:
    for old, new in ((KEY, NEW_KEY), (NEW_KEY, THIRD_KEY), (THIRD_KEY, KEY)):
        rotates(db, round_, old, new)
        writes(db, round_, "more")
        sequences(db, round_, new)
    assert check_log(db, round_) == 7


def test_a_second_rotation_waits_until_the_new_key_has_signed(db: Database, round_: Round) -> None:
    rotates(db, round_)
    for new in (NEW_KEY, THIRD_KEY):
        with pytest.raises(NoteError, match="changed just now"):
            rotates(db, round_, KEY, new)
    sequences(db, round_, NEW_KEY)
    rotates(db, round_, NEW_KEY, THIRD_KEY)


def test_of_two_rotations_at_once_one_is_refused(database_url: str, db: Database, round_: Round) -> None:
    other_process = Database(database_url)
    done = in_parallel(
        [lambda: rotates(db, round_, KEY, NEW_KEY), lambda: rotates(other_process, round_, KEY, THIRD_KEY)]
    )
    other_process.close()
    assert sorted(type(outcome).__name__ for outcome in done) == ["NoneType", "NoteError"]
    assert [entry["type"] for entry in entries(db)] == ["round.opened", "key.rotated"]


def test_a_key_that_is_not_the_logs_cannot_hand_it_over(db: Database, round_: Round) -> None:
    with pytest.raises(NoteError, match="is signed by"):
        rotates(db, round_, NEW_KEY, THIRD_KEY)
    sequences(db, round_)
    rotates(db, round_)
    sequences(db, round_, NEW_KEY)
    with pytest.raises(NoteError, match="is signed by"):
        rotates(db, round_, KEY, THIRD_KEY)
    assert [entry["type"] for entry in entries(db)].count("key.rotated") == 1


def test_a_new_key_finds_the_rotation_however_much_was_waiting_before_it(
    db: Database, round_: Round, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("arena.ledger.actions.AT_ONCE", 10)
    writes(db, round_, *numbers(35))
    rotates(db, round_)
    writes(db, round_, *numbers(35))
    sequences_all(db, round_, NEW_KEY)
    assert check_log(db, round_) == 72
    assert sizes(db, round_)[-1] == 72


def test_nothing_is_settled_by_a_key_that_may_not_sign_what_waits(db: Database, round_: Round) -> None:
    def settled(key: SigningKey) -> bool:
        return db.writing(lambda session: settle(session, round_.id or 0, key, now())) is not None

    assert not settled(NEW_KEY)
    assert settled(KEY)
    rotates(db, round_)
    assert not settled(KEY)
    assert settled(NEW_KEY)
    assert not settled(KEY)
