"""Erasing words: nothing of them is left, and all that votes, ratings and the ledger stand on is."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest
from sqlmodel import Session, col, select

from arena.battles.actions import ask_again, checkpoint_turn
from arena.battles.cells import recount
from arena.battles.dealing import LEFT_WITHIN, MAY_LEAVE
from arena.battles.erasure import erase_battle, erase_own, erase_voter
from arena.battles.queries import battle_by_id, turn_job
from arena.battles.tables import Battle, Turn
from arena.battles.votes import give_feedback
from arena.clock import now
from arena.db import Database
from arena.errors import ConflictError, LimitError, NotFoundError
from arena.ledger.queries import newest_checkpoint, tree_of
from arena.ledger.tables import Leaf
from arena.proofs.merkle import includes, inclusion_proof
from arena.ratings.actions import Computed, compute, count
from arena.rounds.tables import Round
from tests.battles.words import COMMENT, QUESTION, SAID, WORDS, conversation, left, stored
from tests.data import (
    JUNHO,
    LONG_AGO,
    MINJI,
    asks,
    battle_state,
    claims,
    ends,
    opened,
    run_into,
    under_way,
    voted,
    voter,
    votes,
)
from tests.support import KEY


@pytest.fixture
def round_(db: Database) -> Round:
    """An open round, in which answers that name a model count; Minji and Junho have consented."""
    for name in (MINJI, JUNHO):
        voter(db, name)
    return opened(db, identity_leak="flag")


def erases(db: Database, battle: Battle) -> bool:
    return db.writing(lambda session: erase_battle(session, battle.id, now()))


def rated(db: Database, round_: Round) -> Computed:
    """The ratings as the worker would compute them, with all entries in the ledger's tree."""
    counted = db.writing(lambda session: count(session, round_, KEY, now()))
    assert counted
    with db.reading() as session:
        return compute(session, round_, counted)


def leaves(db: Database) -> list[tuple[str, bytes]]:
    with db.reading() as session:
        return [(leaf.body, leaf.hash) for leaf in session.exec(select(Leaf).order_by(col(Leaf.id)))]


def test_no_column_of_any_table_holds_a_word_of_it_any_more(db: Database, round_: Round) -> None:
    battle, _ = conversation(db)
    before = stored(db)
    assert [word for word in WORDS if word not in before] == []
    salt = battle.salt
    assert salt
    assert salt in before

    assert erases(db, battle)

    after = stored(db)
    assert [word for word in (*WORDS, salt) if word in after] == []


def test_the_words_are_not_in_sqlites_files_any_more(sqlite_url: str) -> None:
    db = Database(sqlite_url)
    voter(db, MINJI)
    opened(db, identity_leak="flag")
    battle, _ = conversation(db)
    file = Path(sqlite_url.removeprefix("sqlite:///"))
    db.empty_wal()
    assert all(word.encode() in file.read_bytes() for word in WORDS)

    assert erases(db, battle)
    db.empty_wal()

    files = list(file.parent.glob(f"{file.name}*"))
    assert {found.name.removeprefix(file.name) for found in files} == {"", "-wal", "-shm", "-turn"}
    assert not [(found, word) for found in files for word in WORDS if word.encode() in found.read_bytes()]
    db.close()


def test_the_ledger_and_the_ratings_stand_as_before(db: Database, round_: Round) -> None:
    battle, _ = conversation(db)
    for name in (MINJI, JUNHO):
        voted(db, name)
    before, ledger = rated(db, round_), leaves(db)

    assert erases(db, battle)

    again = rated(db, round_)
    assert leaves(db) == ledger
    assert (again.ratings, again.pairs, again.scores) == (before.ratings, before.pairs, before.scores)
    with db.reading() as session:
        assert recount(session, round_) == []
        assert round_.id
        tree, checkpoint = tree_of(session, round_.id), newest_checkpoint(session, round_.id)
        assert checkpoint
        assert checkpoint.size == len(ledger)
        for place, (_, found) in enumerate(ledger):
            proof = inclusion_proof(tree, place, checkpoint.size)
            assert includes(found, place, checkpoint.size, proof, checkpoint.root)


def test_what_the_ledger_needs_of_a_battle_stays(db: Database, round_: Round) -> None:
    battle, _ = conversation(db)

    def kept(session: Session) -> dict[str, object]:
        turn = session.exec(select(Turn).where(Turn.battle_id == battle.id)).one()
        now_ = battle_by_id(session, battle.id)[0]
        return now_.model_dump(exclude={"salt", "erased_at"}) | {"turn": turn.model_dump(exclude={"prompt"})}

    with db.reading() as session:
        before = kept(session)
    assert erases(db, battle)
    with db.reading() as session:
        assert kept(session) == before


def test_erasing_twice_is_erasing_once(db: Database, round_: Round) -> None:
    battle, _ = conversation(db)
    assert db.writing(lambda session: erase_voter(session, MINJI, now())) == [battle.id]
    with db.reading() as session:
        first = battle_by_id(session, battle.id)[0].erased_at
    assert not erases(db, battle)
    assert db.writing(lambda session: erase_voter(session, MINJI, now())) == []
    with db.reading() as session:
        assert battle_by_id(session, battle.id)[0].erased_at == first


def test_all_of_a_voters_words_go_and_nobody_elses(db: Database, round_: Round) -> None:
    hers = {conversation(db)[0].id for _ in range(3)}
    his, _ = conversation(db, JUNHO)
    assert set(db.writing(lambda session: erase_voter(session, MINJI, now()))) == hers
    with pytest.raises(NotFoundError):
        db.writing(lambda session: erase_own(session, MINJI, his.id, now()))
    assert stored(db).count("노랑구두") == 1
    with db.reading() as session:
        assert battle_by_id(session, his.id)[0].erased_at is None


def test_an_open_battle_is_closed_and_takes_no_vote_question_or_answer_any_more(db: Database, round_: Round) -> None:
    battle, turn = asks(db, QUESTION)
    assert ends(db, turn, said=SAID)
    before = leaves(db)
    assert erases(db, battle)

    assert battle_state(db, battle.id) == "expired"
    (body, _), *more = leaves(db)[len(before) :]
    assert ('"state":"expired"' in body, f'"battle":"{battle.id}"' in body, more) == (True, True, [])
    with pytest.raises(ConflictError):
        votes(db, battle)
    with pytest.raises(ConflictError):
        db.writing(lambda session: ask_again(session, MINJI, battle.id, QUESTION, now()))
    assert left(db) == []


def test_a_turn_that_streams_elsewhere_is_neither_saved_nor_begun_again(db: Database, round_: Round) -> None:
    battle, turn = asks(db, QUESTION)
    with db.reading() as session:
        job = turn_job(session, turn)
    assert erases(db, battle)

    assert not db.writing(lambda session: checkpoint_turn(session, job, SAID, now()))
    assert not ends(db, turn, said=SAID)
    assert not claims(db, turn, now() + LONG_AGO)
    assert not claims(db, turn, now() + LONG_AGO, stopped=True)
    assert left(db) == []


def test_a_comment_that_comes_afterwards_is_not_kept(db: Database, round_: Round) -> None:
    vote = voted(db, MINJI)
    db.writing(lambda session: erase_voter(session, MINJI, now()))
    given = db.writing(lambda session: give_feedback(session, vote, ["a:clear"], COMMENT, now()))
    assert not given.feedback_given
    assert COMMENT not in stored(db)


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_a_comment_that_comes_at_the_same_moment_is_erased_too(db: Database, round_: Round) -> None:
    vote = voted(db, MINJI)
    with ThreadPoolExecutor() as pool:
        with under_way(db) as session:
            give_feedback(session, vote, [], COMMENT, now())
            erasure = run_into(db, pool, lambda session: erase_voter(session, MINJI, now()))
        assert len(erasure.result()) == 1
    assert COMMENT not in stored(db)


def test_erasing_open_battles_is_no_way_to_leave_more_of_them(db: Database, round_: Round) -> None:
    for number in range(MAY_LEAVE):
        battle, _ = asks(db, f"질문 {number}")
        assert erases(db, battle)
    with pytest.raises(LimitError) as refused:
        asks(db, "다른 질문")
    assert 0 < refused.value.retry_after_s <= LEFT_WITHIN.total_seconds()


def test_the_office_erases_by_receipt_numbers(database_url: str, db: Database, round_: Round, tmp_path: Path) -> None:
    (first, vote), (second, other) = conversation(db), conversation(db, JUNHO)

    def arena(*arguments: str) -> "subprocess.CompletedProcess[str]":
        command = [sys.executable, "-m", "arena", *arguments]
        settings = {"ARENA_DATABASE_URL": database_url}
        return subprocess.run(command, env=settings, cwd=tmp_path, capture_output=True, text=True, check=False)

    refused = arena("erase", vote.receipt, "0" * 32)
    assert (refused.returncode, refused.stdout) == (2, "")
    assert refused.stderr.splitlines() == [
        f"arena: there is no vote with the receipt number '{'0' * 32}'; nothing was erased"
    ]
    assert "노랑구두" in stored(db)

    done = arena("erase", f" {vote.receipt.upper()}", second.id)
    assert (done.returncode, done.stderr) == (0, "")
    assert [line.rsplit(": ", 1)[1] for line in done.stdout.splitlines()] == ["erased", "erased"]
    assert left(db) == []
    assert "erased before, at 20" in arena("erase", other.receipt).stdout
    with db.reading() as session:
        assert battle_by_id(session, first.id)[0].state == "voted"


def test_erasing_and_answering_at_once_leaves_no_words(database_url: str, db: Database, round_: Round) -> None:
    """Whichever comes first: a turn's end in one process, the erasure in another."""
    other_process = Database(database_url)
    for number in range(10):
        battle, turn = asks(db, QUESTION, voter(db, f"voter-{number}"))
        with ThreadPoolExecutor(2) as pool:
            ending = pool.submit(partial(ends, other_process, turn, said=SAID))
            assert pool.submit(erases, db, battle).result()
            ending.result()
    assert left(db) == []
    other_process.close()
