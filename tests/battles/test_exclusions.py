"""Excluded votes by two persons: who may propose and decide, what is refused, what the ledger says of it."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest
import sqlalchemy as sa

from arena.battles.exclusions import approve, propose_exclusion, withdraw_of_review
from arena.battles.standing import standing_of, waiting
from arena.battles.tables import Exclusion
from arena.clock import now
from arena.db import Database
from arena.errors import ArenaError, ConflictError, ForbiddenError, InvalidError, NotFoundError
from arena.ratings.actions import close_round
from arena.rounds.decisions import Decision
from tests.battles.by_hand import check_cells
from tests.battles.deciding import (
    acts,
    appeal,
    appeals,
    approves,
    battle_of,
    changes_admin,
    proposal,
    proposes,
    refuses,
    rejected,
    reproposes,
    round_id,
    withdraws,
)
from tests.data import (
    JUNHO,
    MINJI,
    answered,
    closes,
    expires,
    in_parallel,
    opened,
    rated_now,
    run_into,
    under_way,
    voted,
    voter,
    votes,
)
from tests.ledger.played import bundle_of, played_round, sequenced, verified
from tests.rounds.offices import told
from tests.staff import BORA, DOYUN, HANA, JIWOO, SORA, hire
from tests.support import KEY

on_postgresql = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)


@pytest.fixture
def office(db: Database) -> Database:
    """An open round with an office; Minji and Junho have consented."""
    hire(db)
    opened(db, teams=3)
    for name in (MINJI, JUNHO):
        voter(db, name)
    return db


def counted(db: Database) -> int:
    check_cells(db, played_round(db))
    pairs = rated_now(db).pairs
    return sum(pair["battles"] for pair in pairs)


def refused(code: str, error: type[ArenaError], act: Callable[[], object]) -> None:
    with pytest.raises(error) as found:
        act()
    assert found.value.code == code


def test_one_operator_proposes_and_another_decides_and_the_ledger_names_both(office: Database) -> None:
    battles = [battle_of(office, voted(office, name)) for name in (MINJI, JUNHO)]
    found = proposes(office, battles)
    assert counted(office) == 2
    assert len(approves(office, found)) == 2
    assert counted(office) == 0
    (leaf,) = told(office, "vote.excluded")
    assert (leaf["battles"], leaf["reason"], leaf["persons"]) == (sorted(battles), "automated_voting", [SORA, HANA])
    done = proposal(office, found)
    assert (done.state, done.decided_by) == ("done", HANA)


def test_two_persons_take_it_back_in_with_an_entry_of_its_own(office: Database) -> None:
    battle = battle_of(office, voted(office, MINJI))
    approves(office, proposes(office, [battle]))
    approves(office, reproposes(office, [battle], by=HANA), by=SORA)
    assert counted(office) == 1
    (leaf,) = told(office, "vote.reinstated")
    assert (leaf["battles"], leaf["reason"], leaf["persons"]) == ([battle], "mistake", [HANA, SORA])


def test_the_same_person_never_decides_also_after_a_change_of_role(office: Database) -> None:
    battle = answered(office, MINJI)
    votes(office, battle)
    own = proposes(office, [battle.id])
    refused("same_person", InvalidError, partial(approves, office, own, SORA))
    refused("same_person", InvalidError, partial(refuses, office, own, SORA))
    withdraws(office, own)
    moderators = proposes(office, [battle.id], by=JIWOO, reason="rejected_prompt", review=rejected(office, battle))
    changes_admin(office, JIWOO, role="operator")
    refused("same_person", InvalidError, partial(approves, office, moderators, "operator-3"))
    refused("same_person", InvalidError, partial(refuses, office, moderators, "operator-3"))
    assert counted(office) == 1


def test_a_persons_two_codes_are_one_person_to_whoever_checks_the_ledger() -> None:
    refused("same_person", InvalidError, lambda: Decision("mistake", ("moderator-3", "operator-3")))


@pytest.mark.parametrize("who", [JIWOO, DOYUN, "operator-9", "operator-3", "", "operator-x"])
def test_whoever_is_no_operator_decides_nothing(office: Database, who: str) -> None:
    battle = battle_of(office, voted(office, MINJI))
    found = proposes(office, [battle])
    for act in (approves, refuses, withdraws):
        refused("role", ForbiddenError, partial(act, office, found, who))
    refused("role", ForbiddenError, partial(proposes, office, [battle], who))
    refused("role", ForbiddenError, partial(reproposes, office, [battle], who))
    assert proposal(office, found).state == "waiting"


@pytest.mark.parametrize("change", [{"role": "moderator"}, {"disabled_at": now()}])
def test_a_demoted_or_disabled_operator_neither_decides_nor_stands_behind_a_proposal(
    office: Database, change: dict[str, object]
) -> None:
    battle = battle_of(office, voted(office, MINJI))
    found = proposes(office, [battle])
    changes_admin(office, HANA, **change)
    refused("role", ForbiddenError, partial(approves, office, found))
    changes_admin(office, HANA, role="operator", disabled_at=None)
    changes_admin(office, SORA, **change)
    refused("proposer_gone", ConflictError, partial(approves, office, found))
    refuses(office, found)
    assert proposal(office, found).state == "refused"


def test_a_moderator_proposes_by_rejecting_a_prompt_and_only_so(office: Database) -> None:
    battle = answered(office, MINJI)
    votes(office, battle)
    refused("role", ForbiddenError, partial(proposes, office, [battle.id], JIWOO, "rejected_prompt"))
    found = proposes(office, [battle.id], JIWOO, "rejected_prompt", rejected(office, battle))
    approves(office, found)
    assert told(office, "vote.excluded")[0]["persons"] == [JIWOO, HANA]


def test_a_proposal_about_a_prompt_waits_for_its_vote(office: Database) -> None:
    battle = answered(office, MINJI)
    found = proposes(office, [battle.id], JIWOO, "rejected_prompt", rejected(office, battle))
    refused("no_vote_yet", ConflictError, partial(approves, office, found))
    refused("not_yours", ForbiddenError, partial(withdraws, office, found, HANA))
    votes(office, battle)
    assert approves(office, found)


def test_when_the_battle_ended_without_a_vote_it_can_be_closed(office: Database) -> None:
    battle = answered(office, MINJI)
    found = proposes(office, [battle.id], JIWOO, "rejected_prompt", rejected(office, battle))
    expires(office, battle)
    refused("nothing_to_do", ConflictError, partial(approves, office, found))
    withdraws(office, found, HANA)
    assert proposal(office, found).state == "withdrawn"


def test_the_database_tells_where_each_proposal_stands_as_the_code_does(office: Database) -> None:
    running, over = answered(office, MINJI), answered(office, JUNHO)
    expires(office, over)
    both = [battle_of(office, voted(office, JUNHO)) for _ in range(2)]
    for battle in (running, over):
        proposes(office, [battle.id], JIWOO, "rejected_prompt", rejected(office, battle))
    proposes(office, both)
    proposes(office, both[:1])
    approves(office, proposes(office, both[:1]))
    reproposes(office, both[:1])
    with office.reading() as session:
        found = session.execute(sa.select(waiting(session, round_id(session)))).all()
        proposals = [session.get_one(Exclusion, number) for number, *_ in found]
        told = [standing_of(session, one.kind, one.battles).word for one in proposals]
    assert [standing for *_, standing in found] == told
    assert told == ["no_vote_yet", "nothing_to_do", "ready", "nothing_to_do", "ready"]


def test_a_rejection_that_is_taken_back_takes_its_proposal_back_unless_it_was_decided(office: Database) -> None:
    battle = answered(office, MINJI)
    votes(office, battle)
    review = rejected(office, battle)

    def undone() -> bool:
        return office.writing(lambda session: withdraw_of_review(session, review, JIWOO, now()))

    assert undone()
    first = proposes(office, [battle.id], JIWOO, "rejected_prompt", review)
    refused("proposed", ConflictError, partial(proposes, office, [battle.id], BORA, "rejected_prompt", review))
    assert undone()
    assert proposal(office, first).state == "withdrawn"
    assert undone()
    approves(office, proposes(office, [battle.id], JIWOO, "rejected_prompt", review))
    assert not undone()
    assert counted(office) == 0


def test_what_cannot_be_proposed_is_refused(office: Database) -> None:
    battle = battle_of(office, voted(office, MINJI))
    running = answered(office, JUNHO).id
    refused("no_votes", InvalidError, partial(proposes, office, []))
    refused("too_many", InvalidError, partial(proposes, office, [f"{n:032x}" for n in range(1001)]))
    refused("not_found", NotFoundError, partial(proposes, office, [battle, "0" * 32]))
    refused("unknown_reason", InvalidError, partial(proposes, office, [battle], reason="endpoint_moved"))
    refused("unknown_reason", InvalidError, partial(reproposes, office, [battle], reason="automated_voting"))
    refused("changed", ConflictError, partial(proposes, office, [battle, running]))
    refused("changed", ConflictError, partial(reproposes, office, [battle]))
    note = partial(propose_exclusion, reason="automated_voting", by=SORA, now=now(), note="x" * 1001)
    refused("note", InvalidError, lambda: office.writing(lambda s: note(s, round_id(s), [battle])))
    assert acts(office) == []


def test_nothing_is_proposed_or_decided_once_the_round_has_closed(office: Database) -> None:
    first, second = (battle_of(office, voted(office, name)) for name in (MINJI, JUNHO))
    approves(office, proposes(office, [first]))
    found = proposes(office, [second])
    closes(office)
    refused("round_closed", ConflictError, partial(approves, office, found))
    refused("round_closed", ConflictError, partial(proposes, office, [second]))
    refused("round_closed", ConflictError, partial(reproposes, office, [first]))
    refuses(office, found)
    assert proposal(office, found).state == "refused"


def test_of_many_who_decide_at_once_one_does(office: Database) -> None:
    changes_admin(office, JIWOO, role="operator")
    changes_admin(office, BORA, role="operator")
    for name in (MINJI, JUNHO):
        found = proposes(office, [battle_of(office, voted(office, name))])
        deciders = (HANA, "operator-3", "operator-4")
        tries: list[Callable[[], object]] = [partial(approves, office, found, by) for by in deciders]
        tries += [partial(refuses, office, found, HANA), partial(withdraws, office, found, SORA)]
        outcomes = in_parallel(tries)
        late = [outcome for outcome in outcomes if isinstance(outcome, Exception)]
        assert len(late) == len(tries) - 1
        assert [str(error) for error in late] == ["This was already decided."] * len(late)
    excluded = [leaf["persons"][1] for leaf in told(office, "vote.excluded")]
    assert counted(office) == 2 - len(excluded)


@on_postgresql
def test_an_approval_waits_for_a_closing_and_is_then_refused(office: Database) -> None:
    found = proposes(office, [battle_of(office, voted(office, MINJI))])
    with ThreadPoolExecutor(1) as pool:
        with under_way(office) as session:
            close_round(session, "stage-1", KEY, now())
            late = run_into(office, pool, lambda s: approve(s, found, HANA, now()))
        refused("round_closed", ConflictError, partial(late.result, 10))
    assert proposal(office, found).state == "waiting"


@on_postgresql
def test_an_undone_rejection_waits_for_an_approval_and_then_says_that_it_is_too_late(office: Database) -> None:
    battle = answered(office, MINJI)
    votes(office, battle)
    review = rejected(office, battle)
    found = proposes(office, [battle.id], JIWOO, "rejected_prompt", review)
    with ThreadPoolExecutor(1) as pool:
        with under_way(office) as session:
            approve(session, found, HANA, now())
            undo = run_into(office, pool, lambda s: withdraw_of_review(s, review, JIWOO, now()))
        assert undo.result(10) is False


def test_each_act_is_on_the_trail(office: Database) -> None:
    first, second = (battle_of(office, voted(office, name)) for name in (MINJI, JUNHO))
    declined = proposes(office, [first])
    refuses(office, declined)
    taken_back = proposes(office, [second], by=HANA)
    withdraws(office, taken_back, HANA)
    assert acts(office) == [
        (SORA, "exclusion.propose", f"exclusion-{declined}", "done", ""),
        (HANA, "exclusion.refuse", f"exclusion-{declined}", "done", ""),
        (HANA, "exclusion.propose", f"exclusion-{taken_back}", "done", ""),
        (HANA, "exclusion.withdraw", f"exclusion-{taken_back}", "done", ""),
    ]


def test_a_bundle_after_an_exclusion_a_reinstatement_and_an_appeal_still_verifies(
    office: Database, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("bundles")
    cast = [voted(office, name) for name in (MINJI, JUNHO, MINJI)]
    first, second, third = (battle_of(office, vote) for vote in cast)
    approves(office, proposes(office, [first, second, third]))
    asked = appeals(office, JUNHO, cast[1])
    approves(office, reproposes(office, [second], by=HANA, reason="appeal_upheld"), by=SORA)
    approves(office, reproposes(office, [third]))
    assert appeal(office, asked).state == "upheld"
    sequenced(office)
    found = verified(bundle_of(office, folder / "open"))
    assert (found.votes, found.excluded) == (3, 1)
    closes(office)
    found = verified(bundle_of(office, folder / "closed"))
    assert (found.votes, found.excluded) == (3, 1)
