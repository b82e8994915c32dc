"""What moderators do to prompts: each act, who may undo it and for how long, and what the trail says."""

from datetime import timedelta
from typing import Any

import pytest

from arena.battles.exclusions import approve
from arena.clock import now
from arena.db import Database
from arena.errors import InvalidError
from arena.moderation.actions import DECIDED, Wish
from arena.moderation.queries import last_decided
from arena.screening.holding import withdraw
from arena.screening.tables import Review
from tests.data import JUNHO, MINJI, answered, closes, opened, voter, votes
from tests.moderation.reviews import (
    acts,
    battle_of_review,
    claims,
    does,
    exclusions,
    held,
    refusals,
    review,
    states,
    trail,
    turn_of,
    waiting,
)
from tests.staff import BORA, HANA, JIWOO, hire


@pytest.fixture(autouse=True)
def _round(db: Database) -> None:
    hire(db)
    opened(db)
    voter(db, MINJI)
    voter(db, JUNHO)


@pytest.mark.parametrize(("act", "state"), DECIDED.items())
@pytest.mark.parametrize("kind", [held, waiting])
def test_each_act_leads_to_its_state_and_is_on_the_trail(db: Database, act: str, state: str, kind: object) -> None:
    number = held(db) if kind is held else waiting(db)
    before = review(db, number).state
    wish: Any = {"reason": "drugs", "note": "왜냐하면"} if act == "reject" else {}

    assert refusals(does(db, act, number, **wish)) == [None]

    row = review(db, number)
    assert (row.state, row.before, row.decided_by, row.reason) == (state, before, JIWOO, wish.get("reason"))
    assert acts(db) == [(JIWOO, f"prompt.{act}", f"prompt-{number}", "done", "")]
    detail = {"before": before, "after": state, "reason": "", "note": ""} | wish
    assert [found.detail for found in trail(db) if found.what.startswith("prompt.")] == [detail]


def test_what_is_decided_is_not_decided_again_and_the_slower_one_hears_who_was_quicker(db: Database) -> None:
    number = held(db)
    does(db, "approve", number, by=BORA)

    (outcome,) = does(db, "hide", number, by=JIWOO)

    assert outcome.refusal
    assert str(outcome.refusal) == "moderator-4 was quicker and has decided on this question already."
    assert states(db, number) == ["approved"]
    assert acts(db)[-1] == (JIWOO, "prompt.hide", f"prompt-{number}", "refused", "decided")


def test_rejecting_needs_a_reason_that_is_known(db: Database) -> None:
    for reason in ("", "boring"):
        with pytest.raises(InvalidError, match="choose a reason"):
            Wish("reject", reason)
    with pytest.raises(InvalidError, match="nothing that can be done"):
        Wish("delete")
    with pytest.raises(InvalidError, match="note is too long"):
        Wish("hide", note="가" * 1001)
    with pytest.raises(InvalidError, match="personal details"):
        Wish("hide", note="문의는 010-1234-5678")


def test_a_prompt_that_is_not_there_is_refused_on_record(db: Database) -> None:
    assert refusals(does(db, "approve", 999)) == ["not_found"]
    assert acts(db) == [(JIWOO, "prompt.approve", "prompt-999", "refused", "not_found")]


def test_rejecting_what_was_asked_proposes_the_exclusion_of_its_vote(db: Database) -> None:
    number = waiting(db)

    (outcome,) = does(db, "reject", number, reason="spam", note="광고")

    assert outcome.proposed
    (proposal,) = exclusions(db)
    assert (proposal.state, proposal.kind, proposal.reason) == ("waiting", "exclude", "rejected_prompt")
    assert (proposal.proposed_by, proposal.review_id, proposal.note) == (JIWOO, number, "광고")
    assert proposal.battles == [battle_of_review(db, number).id]


def test_rejecting_what_was_never_asked_proposes_nothing(db: Database) -> None:
    (outcome,) = does(db, "reject", held(db), reason="spam")

    assert not outcome.proposed
    assert exclusions(db) == []


def test_a_prompt_of_a_closed_round_is_rejected_without_a_proposal(db: Database) -> None:
    number = waiting(db)
    closes(db)

    (outcome,) = does(db, "reject", number, reason="spam")

    assert (outcome.refusal, outcome.proposed) == (None, False)
    assert exclusions(db) == []


def test_what_a_moderator_handed_on_another_one_decides(db: Database) -> None:
    number = waiting(db)
    does(db, "escalate", number, by=JIWOO)

    for act in DECIDED:
        assert refusals(does(db, act, number, by=JIWOO, reason="spam")) == ["escalated"]
    assert refusals(does(db, "escalate", number, by=BORA)) == ["escalated"]
    assert refusals(does(db, "hide", number, by=BORA)) == [None]
    assert states(db, number) == ["hidden"]


@pytest.mark.parametrize("act", DECIDED)
def test_whoever_decided_takes_it_back_within_ten_minutes(db: Database, act: str) -> None:
    number, at = waiting(db), now()
    wish: Any = {"reason": "hate"} if act == "reject" else {}
    does(db, act, number, at=at, **wish)

    assert refusals(does(db, "undo", number, by=BORA, at=at)) == ["nothing_to_undo"]
    assert refusals(does(db, "undo", number, at=at + timedelta(minutes=10, seconds=1))) == ["too_late"]
    assert refusals(does(db, "undo", number, at=at + timedelta(minutes=10))) == [None]

    row = review(db, number)
    assert (row.state, row.before, row.decided_by, row.decided_at, row.reason) == ("waiting", None, None, None, None)
    assert acts(db)[-1] == (JIWOO, "prompt.undo", f"prompt-{number}", "done", "")
    assert trail(db)[-1].detail == {"before": DECIDED[act], "after": "waiting"}
    assert refusals(does(db, "undo", number)) == ["nothing_to_undo"]


def test_undoing_a_rejection_withdraws_the_proposal(db: Database) -> None:
    number = waiting(db)
    does(db, "reject", number, reason="hate")
    does(db, "undo", number)
    assert [proposal.state for proposal in exclusions(db)] == ["withdrawn"]

    does(db, "reject", number, reason="spam")
    assert [proposal.state for proposal in exclusions(db)] == ["withdrawn", "waiting"]


def test_a_rejection_whose_exclusion_was_decided_cannot_be_undone(db: Database) -> None:
    battle = answered(db, JUNHO)
    number = waiting(db, voter_id=JUNHO, battle=battle)
    votes(db, battle, voter_id=JUNHO)
    does(db, "reject", number, reason="hate")
    proposal = exclusions(db)[0].id or 0
    db.writing(lambda session: approve(session, proposal, HANA, now()))

    (outcome,) = does(db, "undo", number)

    assert outcome.refusal
    assert "An operator has decided on the exclusion of its vote meanwhile" in str(outcome.refusal)
    assert states(db, number) == ["rejected"]
    assert exclusions(db)[0].state == "done"


def test_a_held_prompt_that_was_approved_and_asked_stays_approved(db: Database) -> None:
    asked, unasked = held(db, voter_id=JUNHO), held(db)
    does(db, "approve", asked, unasked)
    turn = turn_of(db, answered(db, JUNHO))
    db.writing(lambda session: setattr(session.get_one(Review, asked), "turn_id", turn))

    refused, undone = does(db, "undo", asked, unasked)

    assert refused.refusal
    assert "The citizen has asked this question since you approved it" in str(refused.refusal)
    assert refusals([undone]) == [None]
    assert states(db, asked, unasked) == ["approved", "held"]


def test_undoing_the_decision_on_what_was_handed_on_keeps_who_handed_it_on(db: Database) -> None:
    number = held(db)
    does(db, "escalate", number, by=JIWOO)
    escalated = review(db, number)
    does(db, "approve", number, by=BORA)

    assert refusals(does(db, "undo", number, by=BORA)) == [None]

    row = review(db, number)
    assert (row.state, row.before, row.decided_by, row.decided_at) == (
        "escalated",
        "held",
        JIWOO,
        escalated.decided_at,
    )
    db.writing(lambda session: setattr(session.get_one(Review, number), "claimed_by", None))
    assert refusals(does(db, "approve", number, by=JIWOO)) == ["escalated"]
    assert refusals(does(db, "undo", number, by=JIWOO)) == [None]
    assert states(db, number) == ["held"]


def test_what_was_handed_on_is_not_taken_back_from_whoever_works_on_it(db: Database) -> None:
    number, at = held(db), now()
    does(db, "escalate", number, at=at)
    claims(db, number, BORA, at)

    assert refusals(does(db, "undo", number, at=at)) == ["claimed"]
    assert (review(db, number).state, review(db, number).claimed_by) == ("escalated", BORA)
    assert refusals(does(db, "undo", number, at=at + timedelta(minutes=4))) == [None], "the claim ran out"


@pytest.mark.parametrize("act", DECIDED)
def test_what_the_citizen_took_back_does_not_come_back_to_be_decided_on(db: Database, act: str) -> None:
    number = held(db)
    does(db, act, number, reason="spam")
    db.writing(lambda session: withdraw(session, MINJI, number))
    withdrawn = review(db, number)

    (undone,) = does(db, "undo", number)
    (decided,) = does(db, "approve", number, by=BORA)

    assert [undone.refusal and undone.refusal.code, decided.refusal and decided.refusal.code] == ["withdrawn"] * 2
    assert "The citizen has taken this question back" in str(decided.refusal)
    row = review(db, number)
    assert (row.state, row.text) == ("hidden" if act == "escalate" else DECIDED[act], "")
    assert (withdrawn.before, withdrawn.decided_by, withdrawn.claimed_by) == (None, None, None)
    with db.reading() as session:
        assert last_decided(session, JIWOO, now()) == []


def test_a_withdrawn_question_is_nobodys_to_work_on(db: Database) -> None:
    number = held(db)
    claims(db, number, JIWOO)
    db.writing(lambda session: withdraw(session, MINJI, number))
    assert review(db, number).claimed_by is None
    assert not claims(db, number, BORA)


def test_several_are_decided_at_once_and_each_refusal_is_told_apart(db: Database) -> None:
    one, two, three = held(db), held(db), held(db)
    does(db, "hide", two, by=BORA)

    outcomes = does(db, "approve", three, two, one, one)

    assert [(outcome.review, refusals([outcome])[0]) for outcome in outcomes] == [
        (one, None),
        (two, "decided"),
        (three, None),
    ]
    assert states(db, one, two, three) == ["approved", "hidden", "approved"]
    with db.reading() as session:
        assert [row.id for row in last_decided(session, JIWOO, now())] == [one, three]


def test_a_claim_keeps_others_off_for_three_minutes(db: Database) -> None:
    number, at = held(db), now()
    assert claims(db, number, JIWOO, at)
    assert claims(db, number, JIWOO, at + timedelta(minutes=2)), "renewed"

    later = at + timedelta(minutes=4)
    assert not claims(db, number, BORA, later)
    (outcome,) = does(db, "approve", number, by=BORA, at=later)
    assert str(outcome.refusal) == "moderator-3 is looking at this question at the moment, so nothing was changed."
    assert claims(db, number, BORA, at + timedelta(minutes=5, seconds=1)), "it ran out"
    assert refusals(does(db, "approve", number, by=JIWOO, at=at + timedelta(minutes=6))) == ["claimed"]
    assert refusals(does(db, "approve", number, by=BORA, at=at + timedelta(minutes=6))) == [None]
    assert review(db, number).claimed_by is None


def test_what_is_decided_cannot_be_claimed(db: Database) -> None:
    number = held(db)
    does(db, "hide", number)
    assert not claims(db, number, BORA)
