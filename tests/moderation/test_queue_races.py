"""Several moderators, operators and citizens at the same prompt at the same time: one is first, and all hear so."""

import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest
from sqlmodel import Session

from arena.battles.exclusions import approve
from arena.clock import now
from arena.db import Database
from arena.errors import ConflictError
from arena.moderation.actions import Wish, claim, fulfil, release
from arena.screening.checks import Checks
from arena.screening.holding import Asker, review_turn
from arena.screening.queries import rules_in_force
from arena.screening.tables import Review
from tests.data import MINJI, answered, in_parallel, opened, run_into, under_way, voter, votes
from tests.moderation.reviews import acts, claims, does, exclusions, held, refusals, review, states, turn_of, waiting
from tests.staff import BORA, HANA, JIWOO, hire

ROUNDS = 8
on_postgresql = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)


@pytest.fixture(autouse=True)
def _round(db: Database) -> None:
    hire(db)
    opened(db)
    voter(db, MINJI)


def test_two_moderators_never_decide_on_the_same_prompt(db: Database) -> None:
    numbers = [waiting(db, voter_id=voter(db, f"citizen-{n}")) for n in range(ROUNDS)]
    for number in numbers:
        outcomes = in_parallel(
            [partial(does, db, "approve", number), partial(does, db, "reject", number, by=BORA, reason="spam")]
        )
        codes = [refusals(outcome)[0] for outcome in outcomes if isinstance(outcome, list)]
        assert sorted(codes, key=str) == [None, "decided"]
        row = review(db, number)
        assert (row.decided_by, row.state) == ((JIWOO, "approved"), (BORA, "rejected"))[codes.index(None)]
    assert Counter(outcome for _, _, _, outcome, _ in acts(db)) == {"done": ROUNDS, "refused": ROUNDS}
    assert len(exclusions(db)) == states(db, *numbers).count("rejected")


def test_two_bulk_acts_over_the_same_prompts_decide_each_once_and_end(db: Database) -> None:
    numbers = [waiting(db, voter_id=voter(db, f"citizen-{n}")) for n in range(ROUNDS)]
    outcomes = in_parallel(
        [partial(does, db, "hide", *numbers), partial(does, db, "reject", *numbers[::-1], by=BORA, reason="spam")]
    )
    done = [each for outcome in outcomes if isinstance(outcome, list) for each in outcome if not each.refusal]
    assert sorted(each.review for each in done) == numbers
    assert set(states(db, *numbers)) <= {"hidden", "rejected"}


def test_one_of_two_gets_the_claim(db: Database) -> None:
    for _ in range(ROUNDS):
        number = held(db)
        assert sorted(map(str, in_parallel([partial(claims, db, number, by) for by in (JIWOO, BORA)]))) == [
            "False",
            "True",
        ]
        assert review(db, number).claimed_by in (JIWOO, BORA)


def _goes_on(db: Database, decided: int, following: int, by: str, both: threading.Barrier) -> Callable[[], bool]:
    """Decides on a prompt and claims the next one, as one act on the page does."""

    def work(session: Session) -> bool:
        fulfil(session, [decided], Wish("approve"), by, now())
        both.wait()
        release(session, following, by)
        return claim(session, following, by, now())

    return lambda: db.writing(work)


@on_postgresql
def test_two_who_go_on_to_what_the_other_one_decides_do_not_wait_for_each_other(db: Database) -> None:
    first, second, both = held(db), held(db), threading.Barrier(2, timeout=20)
    claimed = in_parallel(
        [_goes_on(db, first, second, JIWOO, both), _goes_on(db, second, first, BORA, both)],
    )
    assert claimed == [False, False]
    assert states(db, first, second) == ["approved", "approved"]
    assert [review(db, number).claimed_by for number in (first, second)] == [None, None]


@on_postgresql
def test_what_a_colleague_claims_at_this_moment_is_not_taken_back_from_them(db: Database) -> None:
    number = held(db)
    does(db, "escalate", number)
    with ThreadPoolExecutor(1) as pool:
        with under_way(db) as session:
            assert claim(session, number, BORA, now())
            undoing = run_into(db, pool, lambda s: fulfil(s, [number], Wish("undo"), JIWOO, now()))
        assert refusals(undoing.result()) == ["claimed"]
    assert (states(db, number), review(db, number).claimed_by) == (["escalated"], BORA)


def _takes_back(db: Database, number: int) -> Callable[[], object]:
    """The code of the refusal, or None."""
    return lambda: refusals(does(db, "undo", number))[0]


def _asks(session: Session, number: int, turn: int) -> None:
    review_ = session.get_one(Review, number)
    by = Asker(review_.round_id, review_.voter_id, "ko")
    checks = Checks({}, (), rules_in_force(session), review=number, state="approved")
    review_turn(session, by, turn, "질문", checks, now())


def test_an_approval_is_either_taken_back_or_asked(db: Database) -> None:
    for n in range(ROUNDS):
        citizen = voter(db, f"citizen-{n}")
        number = held(db, voter_id=citizen)
        does(db, "approve", number)
        turn = turn_of(db, answered(db, citizen))
        asks: Callable[[], object] = partial(db.writing, partial(_asks, number=number, turn=turn))
        undone, asked = in_parallel([_takes_back(db, number), asks])
        row = review(db, number)
        if undone is None:
            assert isinstance(asked, ConflictError)
            assert (row.state, row.turn_id) == ("held", None)
        else:
            assert (undone, asked) == ("asked", None)
            assert (row.state, row.turn_id) == ("approved", turn)


def test_a_rejection_is_either_taken_back_or_its_vote_excluded(db: Database) -> None:
    for n in range(ROUNDS):
        citizen = voter(db, f"citizen-{n}")
        battle = answered(db, citizen)
        number = waiting(db, voter_id=citizen, battle=battle)
        votes(db, battle, voter_id=citizen)
        does(db, "reject", number, reason="spam")
        proposal = exclusions(db)[-1].id or 0
        excludes: Callable[[], object] = partial(
            db.writing, partial(approve, proposal_id=proposal, by=HANA, now=now())
        )
        undone, excluded = in_parallel([_takes_back(db, number), excludes])
        if undone is None:
            assert isinstance(excluded, ConflictError)
            assert (states(db, number), exclusions(db)[-1].state) == (["waiting"], "withdrawn")
        else:
            assert (undone, isinstance(excluded, tuple)) == ("excluded", True)
            assert (states(db, number), exclusions(db)[-1].state) == (["rejected"], "done")
