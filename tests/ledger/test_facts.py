"""Every fact of a round writes its entry, in its own transaction, and no entry tells what has to stay hidden."""

import json
from datetime import datetime
from typing import Any

import pytest
from sqlmodel import Session, col, select

from arena.battles.actions import expire
from arena.battles.queries import round_of
from arena.battles.tables import Vote
from arena.battles.votes import cast_vote
from arena.clock import now
from arena.db import Database
from arena.errors import ConflictError, InvalidError, RefusedError
from arena.ledger.tables import Leaf
from arena.proofs.leaves import commitment, timestamp
from arena.ratings.actions import close_round
from arena.ratings.queries import snapshot_of
from arena.rounds.decisions import Decision
from arena.rounds.pairing import model_salt, pair_salt, pseudonym
from arena.rounds.rules import load_rules
from arena.rounds.tables import Round
from arena.stats.figures import fingerprint
from arena.teams.queries import entries_of, entry
from tests.data import (
    KIMCHI,
    MINJI,
    WEATHER,
    ask,
    asks,
    closes,
    end_turn,
    ends,
    excludes,
    opened,
    reinstates,
    voted,
    voter,
    votes,
)
from tests.ledger.facts import FAILED, NAMED, goes_out, is_checked
from tests.ledger.logs import NEW_KEY, entries
from tests.support import KEY


class DeadError(Exception):
    """The process dies here."""


@pytest.fixture
def round_(db: Database) -> Round:
    voter(db, MINJI)
    return opened(db, teams=3)


def seed(round_: Round) -> bytes:
    return bytes.fromhex(round_.seed)


def since(db: Database, before: int = 1) -> list[dict[str, Any]]:
    """The entries after the first `before`, without the round and the moment, which are the same for all."""
    found = entries(db)[before:]
    for told in found:
        assert told.pop("round") == "stage-1"
        assert datetime.fromisoformat(told.pop("at")) <= now()
    return found


def test_an_opening_tells_rules_entries_key_and_what_is_fixed_in_advance(db: Database, round_: Round) -> None:
    (told,) = entries(db)
    assert round_.opened_at
    rules = load_rules(round_.rules)
    assert told.pop("entries") == [in_opening(db, round_, number) for number in range(3)]
    assert told == {
        "type": "round.opened",
        "round": "stage-1",
        "at": timestamp(round_.opened_at),
        "key": str(KEY.verifier("arena.example/rounds/stage-1")),
        "rules": json.loads(round_.rules),
        "rules_hash": round_.rules_hash,
        "closes_at": None,
        "seed_commitment": round_.seed_commitment,
        "epoch": 1,
    }
    assert told["rules"]["max_turns"] == rules.max_turns


def in_opening(db: Database, round_: Round, number: int) -> dict[str, Any]:
    with db.reading() as session:
        named = entries_of(session, round_.id or 0)[number]
        found = entry(session, named.id)
    what = {"model": found.model, "aliases": found.aliases, "extra_body": found.extra_body}
    where = {"base_url": found.base_url, "api_key_env": found.api_key_env}
    return {
        "entry": f"e{number + 1}",
        "team": {"ko": named.name_ko, "en": named.name_en},
        "model": commitment(model_salt(seed(round_), found.code), what),
        "address": commitment(bytes.fromhex(found.address_salt), where),
    }


def test_a_battle_that_starts_commits_to_its_question_and_its_pair(db: Database, round_: Round) -> None:
    battle, _ = asks(db)
    assert battle.salt
    with db.reading() as session:
        codes = [entry(session, id_).code for id_ in (battle.entry_a, battle.entry_b)]
    assert since(db) == [
        {
            "type": "battle.started",
            "battle": battle.id,
            "voter": pseudonym(seed(round_), MINJI),
            "epoch": 1,
            "k": 0,
            "rules": round_.rules_hash,
            "prompt": commitment(bytes.fromhex(battle.salt), KIMCHI),
            "pair": commitment(pair_salt(seed(round_), battle.id), codes),
        }
    ]


def test_the_same_question_again_writes_nothing(db: Database, round_: Round) -> None:
    asks(db)
    asks(db)
    assert [told["type"] for told in since(db)] == ["battle.started"]


def test_a_battle_that_fails_ends_void(db: Database, round_: Round) -> None:
    battle, turn = asks(db)
    ends(db, turn, "failed", FAILED)
    assert since(db, 2) == [{"type": "battle.ended", "battle": battle.id, "state": "void"}]


def test_a_battle_that_is_left_ends_expired(db: Database, round_: Round) -> None:
    left, _ = asks(db)
    asks(db, WEATHER)
    assert [told["type"] for told in since(db, 2)] == ["battle.ended", "battle.started"]
    assert since(db, 2)[0] == {"type": "battle.ended", "battle": left.id, "state": "expired"}


def test_a_battle_ends_once(db: Database, round_: Round) -> None:
    battle, turn = asks(db)
    for _ in range(2):
        db.writing(lambda session: expire(session, round_of(session, battle.id), battle.id, now()))
        ends(db, turn, "failed", FAILED)
    assert [told["type"] for told in since(db)] == ["battle.started", "battle.ended"]


def test_a_vote_commits_to_the_questions_and_answers_it_was_cast_on(db: Database, round_: Round) -> None:
    battle, turn = asks(db)
    ends(db, turn)
    cast = votes(db, battle, "tie")
    told = entries(db)[-1]
    assert battle.salt
    assert told == {
        "type": "vote.cast",
        "round": "stage-1",
        "at": timestamp(cast.cast_at),
        "battle": battle.id,
        "voter": pseudonym(seed(round_), MINJI),
        "rules": round_.rules_hash,
        "choice": "tie",
        "turns": [commitment(bytes.fromhex(battle.salt), {"prompt": KIMCHI, "a": "가 답변", "b": "나 답변"})],
    }
    with db.reading() as session:
        leaf_id = session.exec(select(Vote.leaf_id).where(Vote.id == cast.id)).one()
        assert session.get_one(Leaf, leaf_id).type == "vote.cast"


def test_a_vote_on_answers_that_name_their_model_says_why_it_is_not_rated(db: Database, round_: Round) -> None:
    battle, turn = asks(db)
    ends(db, turn, said=NAMED)
    votes(db, battle)
    assert since(db, 2)[0]["unrated"] == "identity_leak"


def test_the_same_vote_again_and_a_refused_one_write_nothing(db: Database, round_: Round) -> None:
    battle, turn = asks(db)
    ends(db, turn)
    votes(db, battle, "a")
    votes(db, battle, "a")
    with pytest.raises(ConflictError):
        votes(db, battle, "b")
    assert [told["type"] for told in since(db)] == ["battle.started", "vote.cast"]


def test_exclusion_and_reinstatement_name_votes_reason_and_both_persons(db: Database, round_: Round) -> None:
    ids = [voted(db, MINJI).id for _ in range(2)]
    with db.reading() as session:
        battles = sorted(session.exec(select(Vote.battle_id).where(col(Vote.id).in_(ids))))
    before = len(entries(db))
    excludes(db, *ids)
    excludes(db, *ids)
    reinstates(db, ids[0], ids[1])
    decided = {"battles": battles, "persons": ["operator-1", "operator-2"]}
    assert since(db, before) == [
        {"type": "vote.excluded", "reason": "test_votes"} | decided,
        {"type": "vote.reinstated", "reason": "mistake"} | decided,
    ]


@pytest.mark.parametrize(
    ("reason", "persons"),
    [
        ("mistake", ("operator-1", "operator-1")),
        ("mistake", ("operator-1", "")),
        ("", ("operator-1", "operator-2")),
        ("because", ("operator-1", "operator-2")),
    ],
)
def test_one_person_or_an_unknown_reason_decides_nothing(reason: str, persons: tuple[str, str]) -> None:
    with pytest.raises(InvalidError):
        Decision(reason, persons)


def test_an_outage_that_begins_hides_its_entry_and_is_known_by_its_number_when_it_ends(
    db: Database, round_: Round
) -> None:
    outage = goes_out(db, round_)
    began = [told for told in since(db) if told["type"].startswith("outage")]
    with db.reading() as session:
        code = entry(session, outage.entry_id).code
    hidden = commitment(bytes.fromhex(outage.salt), code)
    assert began == [{"type": "outage.began", "outage": outage.id, "entry": hidden}]
    before = len(entries(db))
    is_checked(db, round_, outage, good=False)
    assert since(db, before) == []
    is_checked(db, round_, outage, good=True)
    is_checked(db, round_, outage, good=True)
    assert since(db, before) == [{"type": "outage.ended", "outage": outage.id}]


def test_a_closing_ends_open_battles_and_tells_the_final_figures(db: Database, round_: Round) -> None:
    voted(db, MINJI)
    still_open, _ = asks(db)
    before = len(entries(db))
    closes(db)
    with db.reading() as session:
        kept = snapshot_of(session, round_.id or 0)
    assert kept
    assert since(db, before) == [
        {"type": "battle.ended", "battle": still_open.id, "state": "expired"},
        {"type": "round.closed"},
        {
            "type": "round.scored",
            "cells_hash": kept.ratings["cells_hash"],
            "figures_hash": kept.ratings["figures_hash"],
            "scores_hash": fingerprint(kept.scores),
        },
    ]


def test_a_transaction_that_fails_leaves_no_entry(db: Database, round_: Round) -> None:
    def facts(session: Session) -> None:
        battle, turn = ask(session, MINJI)
        end_turn(session, turn)
        cast_vote(session, MINJI, battle.id, "a", now())
        assert len(session.exec(select(Leaf.id)).all()) == 3
        raise DeadError

    with pytest.raises(DeadError):
        db.writing(facts)
    assert since(db) == []


def test_a_closing_that_its_key_may_not_sign_writes_nothing(db: Database, round_: Round) -> None:
    asks(db)
    with pytest.raises(RefusedError):
        db.writing(lambda session: close_round(session, "stage-1", NEW_KEY, now()))
    assert [told["type"] for told in since(db)] == ["battle.started"]
    closes(db)
