"""Voters' appeals against the exclusion of their votes."""

from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest
from sqlmodel import select

from arena.accounts.tables import Act
from arena.battles.appeals import make_appeal
from arena.battles.erasure import erase_battle
from arena.battles.queries import CastVote
from arena.clock import now
from arena.db import Database
from arena.errors import ConflictError, ForbiddenError, InvalidError, NotFoundError
from tests.battles.deciding import (
    acts,
    appeal,
    appeals,
    approves,
    battle_of,
    declines,
    proposal,
    proposes,
    refuses,
    reproposes,
)
from tests.battles.test_exclusions import counted, refused
from tests.data import JUNHO, MINJI, closes, excludes, in_parallel, opened, run_into, under_way, voted, voter
from tests.staff import HANA, JIWOO, SORA, hire

on_postgresql = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
WORDS = "보라색 우산은 제가 직접 골랐어요."


@pytest.fixture
def office(db: Database) -> Database:
    hire(db)
    opened(db, teams=3)
    for name in (MINJI, JUNHO):
        voter(db, name)
    return db


@pytest.fixture
def vote(office: Database) -> CastVote:
    """Minji's vote, which two operators took out."""
    found = voted(office, MINJI)
    excludes(office, found.id)
    return found


def test_an_appeal_is_upheld_by_two_operators_and_the_vote_counts_again(office: Database, vote: CastVote) -> None:
    asked = appeals(office, MINJI, vote, f"  {WORDS}\r\n\0")
    assert appeal(office, asked).text == WORDS
    found = reproposes(office, [battle_of(office, vote)], reason="appeal_upheld")
    assert appeal(office, asked).state == "waiting"
    refused("same_person", InvalidError, partial(approves, office, found, SORA))
    approves(office, found)
    done = appeal(office, asked)
    assert (done.state, done.decided_by) == ("upheld", HANA)
    assert counted(office) == 1
    assert [act[:4] for act in acts(office)] == [
        ("voter", "appeal.make", f"appeal-{asked}", "done"),
        (SORA, "exclusion.propose", f"exclusion-{found}", "done"),
        (HANA, "appeal.uphold", f"appeal-{asked}", "done"),
    ]


def test_an_appeal_is_declined_with_a_reply_once_and_may_be_made_again(office: Database, vote: CastVote) -> None:
    asked = appeals(office, MINJI, vote)
    for reply, code in (("  ", "no_reply"), ("x" * 1001, "text"), ("문의는 010-1234-5678", "personal")):
        refused(code, InvalidError, partial(declines, office, asked, reply=reply))
    refused("role", ForbiddenError, partial(declines, office, asked, JIWOO))
    refused("not_found", NotFoundError, partial(declines, office, asked + 1))
    declines(office, asked)
    refused("decided", ConflictError, partial(declines, office, asked, HANA))
    done = appeal(office, asked)
    assert (done.state, done.reply, done.decided_by) == ("declined", "다시 봤지만 그대로예요.", SORA)
    assert appeals(office, MINJI, vote) != asked


def test_personal_data_in_an_appeal_is_masked(office: Database, vote: CastVote) -> None:
    asked = appeals(office, MINJI, vote, "제 번호는 010-1234-5678이에요.")
    assert appeal(office, asked).text == "제 번호는 [전화번호]이에요."


def test_what_is_no_appeal_is_refused(office: Database, vote: CastVote) -> None:
    refused("no_text", InvalidError, partial(appeals, office, MINJI, vote, " \0\n"))
    refused("text", InvalidError, partial(appeals, office, MINJI, vote, "가" * 1001))
    refused("not_found", NotFoundError, partial(appeals, office, JUNHO, vote))
    refused("counts", ConflictError, partial(appeals, office, JUNHO, voted(office, JUNHO)))
    closes(office)
    refused("round_closed", ConflictError, partial(appeals, office, MINJI, vote))


def test_of_appeals_at_once_one_waits(office: Database, vote: CastVote) -> None:
    outcomes = in_parallel([partial(appeals, office, MINJI, vote)] * 4)
    assert sorted(isinstance(outcome, ConflictError) for outcome in outcomes) == [False, True, True, True]


def test_a_proposal_for_an_appeal_that_was_declined_meanwhile_is_not_approved(
    office: Database, vote: CastVote
) -> None:
    battle = battle_of(office, vote)
    refused("appeal_decided", ConflictError, partial(reproposes, office, [battle], reason="appeal_upheld"))
    asked = appeals(office, MINJI, vote)
    found = reproposes(office, [battle], reason="appeal_upheld")
    declines(office, asked)
    refused("appeal_decided", ConflictError, partial(approves, office, found))
    assert counted(office) == 0
    refuses(office, found)
    assert proposal(office, found).state == "refused"


def test_whatever_brings_a_vote_back_upholds_its_appeal(office: Database, vote: CastVote) -> None:
    asked = appeals(office, MINJI, vote)
    approves(office, reproposes(office, [battle_of(office, vote)], reason="mistake"))
    assert appeal(office, asked).state == "upheld"


def test_erasing_the_words_of_a_battle_erases_those_of_its_appeals_and_takes_no_new_ones(
    office: Database, vote: CastVote
) -> None:
    asked = appeals(office, MINJI, vote, WORDS)
    office.writing(lambda session: erase_battle(session, battle_of(office, vote), now()))
    assert appeal(office, asked).text == ""
    declines(office, asked)
    assert appeal(office, appeals(office, MINJI, vote, WORDS)).text == ""


@on_postgresql
def test_an_appeal_that_waits_for_an_erasure_keeps_no_words(office: Database, vote: CastVote) -> None:
    with ThreadPoolExecutor(1) as pool:
        with under_way(office) as session:
            erase_battle(session, battle_of(office, vote), now())
            late = run_into(office, pool, lambda s: make_appeal(s, MINJI, vote.receipt, WORDS, now()))
        assert late.result(10).text == ""


def test_the_trail_has_no_word_of_a_voter_and_no_voter(office: Database, vote: CastVote) -> None:
    declines(office, appeals(office, MINJI, vote, WORDS))
    proposes(office, [battle_of(office, voted(office, JUNHO))])
    with office.reading() as session:
        told = str([act.model_dump() for act in session.exec(select(Act))])
    assert [word for word in (WORDS, MINJI, JUNHO, "다시 봤지만") if word in told] == []
