"""Several moderators, operators and citizens at the same prompt at the same time: one is first, and all hear so."""

from collections import Counter
from functools import partial

import pytest
from sqlmodel import Session

from arena.battles.exclusions import approve
from arena.clock import now
from arena.db import Database
from arena.screening.checks import Checks
from arena.screening.holding import Asker, review_turn
from arena.screening.queries import rules_in_force
from arena.screening.tables import Review
from tests.data import JUNHO, MINJI, answered, in_parallel, opened, voter, votes
from tests.moderation.reviews import acts, claims, does, exclusions, held, refusals, review, states, turn_of, waiting
from tests.staff import BORA, HANA, JIWOO, hire

ROUNDS = 8


@pytest.fixture(autouse=True)
def _round(db: Database) -> None:
    hire(db)
    opened(db, max_battles_per_voter=100)
    voter(db, MINJI)
    voter(db, JUNHO)


def test_two_moderators_never_decide_on_the_same_prompt(db: Database) -> None:
    numbers = [waiting(db) for _ in range(ROUNDS)]
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
    numbers = [waiting(db) for _ in range(ROUNDS)]
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


def _asks(session: Session, number: int, turn: int) -> None:
    by = Asker(session.get_one(Review, number).round_id, JUNHO, "ko")
    checks = Checks({}, (), rules_in_force(session), review=number, state="approved")
    review_turn(session, by, turn, "질문", checks, now())


def test_an_approval_is_either_taken_back_or_asked(db: Database) -> None:
    for _ in range(ROUNDS):
        number = held(db, voter_id=JUNHO)
        does(db, "approve", number)
        turn = turn_of(db, answered(db, JUNHO))
        asked = partial(db.writing, partial(_asks, number=number, turn=turn))
        undone, outcome = in_parallel([partial(does, db, "undo", number), asked])
        assert isinstance(undone, list)
        row = review(db, number)
        if refusals(undone) == [None]:
            assert isinstance(outcome, Exception)
            assert (row.state, row.turn_id) == ("held", None)
        else:
            assert (refusals(undone), outcome) == (["asked"], None)
            assert (row.state, row.turn_id) == ("approved", turn)


def test_a_rejection_is_either_taken_back_or_its_vote_excluded(db: Database) -> None:
    for _ in range(ROUNDS):
        battle = answered(db, JUNHO)
        number = waiting(db, voter_id=JUNHO, battle=battle)
        votes(db, battle, voter_id=JUNHO)
        does(db, "reject", number, reason="spam")
        proposal = exclusions(db)[-1].id or 0
        undone, excluded = in_parallel(
            [
                partial(does, db, "undo", number),
                partial(db.writing, partial(approve, proposal_id=proposal, by=HANA, now=now())),
            ]
        )
        assert isinstance(undone, list)
        if refusals(undone) == [None]:
            assert isinstance(excluded, Exception)
            assert (states(db, number), exclusions(db)[-1].state) == (["waiting"], "withdrawn")
        else:
            assert refusals(undone) == ["excluded"]
            assert (states(db, number), exclusions(db)[-1].state) == (["rejected"], "done")
