"""Starting battles: the pair fixed in advance, one open battle a voter, one cell until it is voted on."""

import unicodedata
from functools import partial

import pytest
from sqlmodel import select

from arena.battles.actions import ask_again, clean_prompt
from arena.battles.dealing import MAY_LEAVE
from arena.battles.pages import PROMPT_LIMIT
from arena.battles.queries import answers_of
from arena.battles.tables import Battle, Turn
from arena.clock import now
from arena.db import Database
from arena.errors import ConflictError, InvalidError
from arena.rounds.pairing import pair, pseudonym
from arena.rounds.tables import Round
from arena.teams.queries import entry
from tests.data import (
    JUNHO,
    KIMCHI,
    MINJI,
    WEATHER,
    answered,
    asks,
    battle_state,
    cell,
    ends,
    in_parallel,
    opened,
    rows,
    turn_state,
    voted,
    voter,
    votes,
)


@pytest.fixture
def round_(db: Database) -> Round:
    """An open round; Minji and Junho have consented."""
    for name in (MINJI, JUNHO):
        voter(db, name)
    return opened(db)


def test_the_pair_is_the_one_fixed_in_advance_for_this_voter(db: Database, round_: Round) -> None:
    battle, turn = asks(db)
    seed = bytes.fromhex(round_.seed)
    codes = pair(seed, "stage-1", 1, ["e1", "e2", "e3", "e4", "e5"], pseudonym(seed, MINJI), 0)
    with db.reading() as session:
        assert (entry(session, battle.entry_a).code, entry(session, battle.entry_b).code) == codes
        assert [answer.text for answer in answers_of(session, turn.id or 0)] == ["", ""]
    assert (battle.state, turn.state, turn.number, turn.prompt) == ("streaming", "streaming", 1, KIMCHI)


def test_the_same_question_sent_twice_finds_the_same_battle(db: Database, round_: Round) -> None:
    first, again = asks(db), asks(db)
    assert (again[0].id, again[1].id) == (first[0].id, first[1].id)
    ends(db, first[1])
    assert asks(db)[0].id == first[0].id
    assert rows(db, Battle) == 1


def test_another_question_expires_the_open_battle_and_deals_its_cell_again(db: Database, round_: Round) -> None:
    (first, first_turn), (second, _) = asks(db), asks(db, WEATHER)
    assert second.id != first.id
    assert cell(second) == cell(first)
    assert battle_state(db, first.id) == "expired"
    assert turn_state(db, first_turn) == "stopped"


def test_the_same_question_after_a_follow_up_begins_a_new_battle(db: Database, round_: Round) -> None:
    battle = answered(db, MINJI)
    db.writing(lambda session: ask_again(session, MINJI, battle.id, WEATHER, now()))
    assert asks(db)[0].id != battle.id


def test_a_vote_moves_the_voter_on_to_the_next_pair(db: Database, round_: Round) -> None:
    cells = []
    for _ in range(20):
        battle = answered(db, MINJI)
        votes(db, battle)
        cells.append(cell(battle))
    assert [k for k, _, _ in cells] == list(range(20))
    assert len({(a, b) for _, a, b in cells}) == 20


def test_after_a_void_battle_another_pair_is_dealt_and_then_its_place_again(db: Database) -> None:
    voter(db, MINJI)
    opened(db, max_battles_per_voter=2)
    (first, turn) = asks(db)
    ends(db, turn, "failed")
    assert battle_state(db, first.id) == "void"
    second = answered(db, MINJI)
    assert {second.entry_a, second.entry_b} != {first.entry_a, first.entry_b}
    votes(db, second)
    assert cell(asks(db)[0]) == cell(first)


def test_a_void_battle_s_pair_is_dealt_again_at_once_where_there_is_no_other(db: Database) -> None:
    voter(db, MINJI)
    opened(db, teams=2)
    (first, turn) = asks(db)
    ends(db, turn, "failed")
    assert cell(asks(db)[0]) == cell(first)


def test_voters_do_not_meet_in_one_another_s_battles(db: Database, round_: Round) -> None:
    assert asks(db)[0].id != asks(db, voter_id=JUNHO)[0].id
    assert rows(db, Battle) == 2


def test_a_voter_starts_as_many_battles_as_the_rules_allow(db: Database) -> None:
    voter(db, MINJI)
    opened(db, max_battles_per_voter=2)
    voted(db, MINJI)
    voted(db, MINJI)
    with pytest.raises(ConflictError) as refused:
        asks(db)
    assert refused.value.code == "battle_limit"
    asks(db, voter_id=voter(db, JUNHO))


def test_at_the_limit_the_open_battle_is_not_lost_to_another_question(db: Database) -> None:
    voter(db, MINJI)
    opened(db, max_battles_per_voter=1)
    battle, _ = asks(db)
    with pytest.raises(ConflictError):
        asks(db, WEATHER)
    assert battle_state(db, battle.id) == "streaming"


@pytest.mark.parametrize("prompt", ["", "  \n\t ", "\0", "가" * (PROMPT_LIMIT + 1)])
def test_a_question_that_is_empty_or_too_long_is_refused(prompt: str) -> None:
    with pytest.raises(InvalidError):
        clean_prompt(prompt)


def test_a_question_is_kept_as_it_was_written(db: Database, round_: Round) -> None:
    prompt = clean_prompt("  첫 줄\r\n둘째 줄 \0🙂\ud800 ")
    assert prompt == "첫 줄\n둘째 줄 🙂?"
    assert asks(db, prompt)[1].prompt == prompt


def test_syllables_in_pieces_are_put_together_and_count_as_one() -> None:
    typed = "가" * PROMPT_LIMIT
    assert clean_prompt(unicodedata.normalize("NFD", typed)) == typed


def test_concurrent_starts_by_one_voter_give_one_open_battle(database_url: str, db: Database, round_: Round) -> None:
    other_process = Database(database_url)
    starts = [partial(asks, process) for process in (db, other_process) for _ in range(8)]
    found = in_parallel(starts)
    assert len({result[0].id for result in found if not isinstance(result, Exception)}) == 1
    assert [result for result in found if isinstance(result, Exception)] == []
    assert (rows(db, Battle), rows(db, Turn)) == (1, 1)
    other_process.close()


def test_concurrent_questions_of_one_voter_leave_one_open_battle(
    database_url: str, db: Database, round_: Round
) -> None:
    other_process = Database(database_url)
    answered(db, MINJI)
    starts = [partial(asks, (db, other_process)[i % 2], f"질문 {i}") for i in range(MAY_LEAVE)]
    assert [result for result in in_parallel(starts) if isinstance(result, Exception)] == []
    with db.reading() as session:
        states = session.exec(select(Battle.state)).all()
        cells = session.exec(select(Battle.k, Battle.entry_a, Battle.entry_b).distinct()).all()
    assert sorted(set(states)) == ["expired", "streaming"]
    assert states.count("streaming") == 1
    assert len(cells) == 1
    other_process.close()
