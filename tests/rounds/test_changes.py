"""Changes of an open round: named in its rules, made by two operators, told by the ledger, refused on record."""

from functools import partial
from typing import Any

import pytest
from sqlmodel import select

from arena.accounts.actions import create_admin
from arena.battles.tables import Battle
from arena.clock import now
from arena.db import Database
from arena.demo.personas import PERSONAS
from arena.errors import ArenaError, ConflictError, ForbiddenError, InvalidError, NotFoundError
from arena.proofs.leaves import commitment
from arena.ratings.queries import snapshot_of
from arena.rounds.actions import create_round
from arena.rounds.leaves import address_commitment, model_of
from arena.rounds.pairing import model_salt
from arena.rounds.queries import find_round
from arena.rounds.wanted import KINDS, NEEDS
from arena.teams.queries import entry
from tests.data import NOWHERE, answered, closes, in_parallel, opened, voted, voter, votes
from tests.rounds.offices import (
    ALLOW,
    EVERYTHING,
    JOINER,
    MOVED,
    approves,
    by_code,
    changes,
    epochs,
    proposes,
    runs_sql,
    state_of,
    told,
    withdraws,
)
from tests.staff import HANA, JIWOO, SORA, hire
from tests.support import Citizen, open_round, round_file, serving, settings_for

CELLS = 20


def block_battle(db: Database, citizen: str) -> Battle:
    battle = answered(db, citizen)
    votes(db, battle, voter_id=citizen)
    return battle


def dealt_to(db: Database, name: str) -> set[str]:
    """The entries that a citizen meets in a whole block of their battles, and others in their first ones."""
    citizen = voter(db, name)
    battles = [block_battle(db, citizen) for _ in range(CELLS)]
    battles += [answered(db, voter(db, f"{name}-{number}")) for number in range(20)]
    with db.reading() as session:
        return {entry(session, id_).code for battle in battles for id_ in (battle.entry_a, battle.entry_b)}


def test_a_new_address_is_used_and_the_ledger_commits_to_it_anew_without_showing_it(running: Database) -> None:
    before = by_code(running, "e1")
    changes(running, "address", api_key_env="TEAM_A_KEY")
    after = by_code(running, "e1")
    assert (after.base_url, after.api_key_env, after.model) == (MOVED, "TEAM_A_KEY", before.model)
    assert after.address_salt != before.address_salt
    (leaf,) = told(running)
    assert leaf.pop("at")
    assert leaf == {
        "type": "entry.changed",
        "round": "stage-1",
        "entry": "e1",
        "change": "address",
        "address": address_commitment(after),
        "reason": "endpoint_moved",
        "persons": [SORA, HANA],
    }
    assert leaf["address"] != address_commitment(before)
    assert epochs(running) == [(1, ["e1", "e2", "e3", "e4", "e5"])]


def test_a_pause_and_its_end_begin_epochs_that_the_ledger_tells(running: Database) -> None:
    changes(running, "pause")
    changes(running, "resume")
    without, every = ["e1", "e3", "e4", "e5"], ["e1", "e2", "e3", "e4", "e5"]
    assert epochs(running) == [(1, every), (2, without), (3, every)]
    pause, resume = told(running)
    assert pause | {"at": ""} == {
        "type": "entry.changed",
        "round": "stage-1",
        "at": "",
        "entry": "e2",
        "change": "pause",
        "epoch": 2,
        "entries": without,
        "reason": "endpoint_failing",
        "persons": [SORA, HANA],
    }
    assert (resume["change"], resume["epoch"], resume["entries"]) == ("resume", 3, every)


def test_a_joiner_becomes_an_entry_whose_model_and_address_the_ledger_commits_to(running: Database) -> None:
    changes(running, "join")
    made = by_code(running, "e6")
    assert (made.model, made.base_url, made.api_key_env) == ("late-model", JOINER["base_url"], "TEAM_F_KEY")
    assert (made.aliases, made.extra_body) == (["바 팀", "TeamF"], {"top_p": 0.5})
    with running.reading() as session:
        round_ = find_round(session, "stage-1")
    assert round_ is not None
    (leaf,) = told(running)
    assert leaf | {"at": ""} == {
        "type": "entry.changed",
        "round": "stage-1",
        "at": "",
        "entry": "e6",
        "change": "join",
        "team": {"ko": "바 팀", "en": "Team F"},
        "model": commitment(model_salt(bytes.fromhex(round_.seed), "e6"), model_of(made)),
        "address": address_commitment(made),
        "epoch": 2,
        "entries": ["e1", "e2", "e3", "e4", "e5", "e6"],
        "reason": "late_joiner",
        "persons": [SORA, HANA],
    }


def test_no_entry_of_the_ledger_holds_an_address_or_a_model_of_a_change(running: Database) -> None:
    changes(running, "address", api_key_env="TEAM_A_KEY")
    changes(running, "join")
    for leaf in told(running):
        for hidden in ("127.0.0.1", "TEAM_A_KEY", "TEAM_F_KEY", "late-model", "top_p", "TeamF"):
            assert hidden not in str(leaf)


def test_a_paused_entry_is_never_dealt_and_a_joiner_is(running: Database) -> None:
    assert dealt_to(running, "early") == {"e1", "e2", "e3", "e4", "e5"}
    changes(running, "pause")
    changes(running, "join")
    assert dealt_to(running, "late") == {"e1", "e3", "e4", "e5", "e6"}
    changes(running, "resume")
    assert "e2" in dealt_to(running, "last")


def test_an_open_battle_goes_on_and_the_next_one_carries_the_new_epochs_number(running: Database) -> None:
    minji = voter(running, "minji")
    before = answered(running, minji)
    with running.reading() as session:
        paused = entry(session, before.entry_a).code
    changes(running, "pause", entry=paused)
    votes(running, before)
    after = answered(running, minji)
    assert (before.epoch, after.epoch, after.k) == (1, 2, 0)
    assert [leaf["epoch"] for leaf in told(running, "battle.started")] == [1, 2]


def test_ratings_hold_the_votes_of_every_epoch(running: Database) -> None:
    for number in range(6):
        voted(running, voter(running, f"early-{number}"))
    changes(running, "join")
    changes(running, "pause")
    for number in range(6):
        voted(running, voter(running, f"late-{number}"))
    closes(running)
    with running.reading() as session:
        round_ = find_round(session, "stage-1")
        kept = snapshot_of(session, round_.id or 0) if round_ else None
    assert kept is not None
    assert kept.last_vote_id == 12
    assert sum(pair["battles"] for pair in kept.pairs) == 12
    assert {code for pair in kept.pairs for code in pair["entries"]} == {f"e{n}" for n in range(1, 7)}


def test_a_joiners_endpoint_is_asked(db: Database, database_url: str, teams: str) -> None:
    hire(db)
    open_round(db, round_file(teams, teams=2, may_change=EVERYTHING))
    late = list(PERSONAS.values())[2]
    changes(db, "join", base_url=f"{teams}/{late.code}/v1", model=late.model, api_key_env="")
    with serving(settings_for(database_url)) as origin:
        citizen = Citizen(origin)
        for _ in range(4):
            citizen.battle()
        citizen.close()
    joined = by_code(db, "e3").id
    with db.reading() as session:
        battles = session.exec(select(Battle)).all()
    assert {battle.state for battle in battles} == {"voted"}
    assert any(joined in (battle.entry_a, battle.entry_b) for battle in battles)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("named", [[], ["address"], ["pause"], ["join"]], ids=str)
def test_only_what_the_rules_name_is_changed(db: Database, kind: Any, named: list[str]) -> None:
    hire(db)
    opened(db, may_change=named)
    if kind == "resume" and named == ["pause"]:
        changes(db, "pause")
    if NEEDS[kind] in named:
        changes(db, kind)
        assert told(db)[-1]["change"] == kind
        return
    with pytest.raises(ConflictError) as refused:
        proposes(db, kind)
    assert refused.value.code == "not_allowed"
    assert told(db) == []


def test_one_person_alone_changes_nothing(running: Database) -> None:
    proposal = proposes(running, "pause", SORA)
    with pytest.raises(InvalidError) as refused:
        approves(running, proposal, SORA)
    assert refused.value.code == "same_person"
    assert state_of(running, proposal) == "waiting"
    assert (len(epochs(running)), told(running)) == (1, [])


@pytest.mark.parametrize("who", [JIWOO, "operator-3", "moderator-1", "operator-99", "command line", ""])
def test_only_operators_propose_approve_and_withdraw(running: Database, who: str) -> None:
    proposal = proposes(running, "pause")
    tries: list[Any] = [
        partial(proposes, running, "pause", who),
        partial(approves, running, proposal, who),
        partial(withdraws, running, proposal, who),
    ]
    for attempt in tries:
        with pytest.raises(ForbiddenError):
            attempt()
    assert state_of(running, proposal) == "waiting"


def test_a_proposal_of_one_who_is_no_operator_any_more_is_not_carried_out(running: Database) -> None:
    proposal = proposes(running, "pause")

    runs_sql(running, "update admin set role = 'auditor' where id = 1")
    with pytest.raises(ForbiddenError):
        approves(running, proposal)
    assert len(epochs(running)) == 1


def test_of_two_who_approve_at_once_one_does(running: Database) -> None:
    running.writing(lambda s: create_admin(s, "dana@example.org", "operator", "a long enough password", now()))
    proposal = proposes(running, "join")
    done = in_parallel([partial(approves, running, proposal, by) for by in (HANA, "operator-6") * 3])
    assert done.count(None) == 1
    assert {error.code for error in done if isinstance(error, ArenaError)} == {"decided"}
    assert len(told(running)) == 1
    assert len(epochs(running)) == 2


def test_two_changes_at_once_make_two_epochs_one_after_the_other(running: Database) -> None:
    proposals = [proposes(running, "pause", entry=code) for code in ("e1", "e2", "e3", "e4")]
    done = in_parallel([partial(approves, running, proposal) for proposal in proposals])
    assert done.count(None) == 3
    assert [number for number, _ in epochs(running)] == [1, 2, 3, 4]
    assert [leaf["epoch"] for leaf in told(running)] == [2, 3, 4]
    assert len(epochs(running)[-1][1]) == 2


def test_nobody_is_dealt_a_paused_entry_while_it_is_being_paused(running: Database) -> None:
    proposal = proposes(running, "pause", entry="e1")
    citizens = [voter(running, f"citizen-{number}") for number in range(6)]
    calls: list[Any] = [partial(answered, running, citizen) for citizen in citizens]
    done = in_parallel([*calls, partial(approves, running, proposal)])
    paused = by_code(running, "e1").id
    for battle in done[:-1]:
        assert not isinstance(battle, Exception)
        assert battle.epoch == 1 or paused not in (battle.entry_a, battle.entry_b)


def test_a_proposal_is_refused_once_the_round_is_closed(running: Database) -> None:
    proposal = proposes(running, "pause")
    closes(running)
    with pytest.raises(ConflictError) as refused:
        approves(running, proposal)
    assert refused.value.code == "not_open"
    with pytest.raises(ConflictError):
        proposes(running, "address")
    assert (len(epochs(running)), told(running)) == (1, [])


def test_a_draft_and_an_unknown_round_are_not_changed(db: Database) -> None:
    hire(db)
    with pytest.raises(NotFoundError):
        proposes(db, "pause")
    file = round_file(NOWHERE, may_change=EVERYTHING)
    db.writing(lambda session: create_round(session, file, allow=ALLOW, now=now()))
    with pytest.raises(ConflictError) as refused:
        proposes(db, "pause")
    assert refused.value.code == "not_open"


def test_a_withdrawn_and_a_declined_proposal_are_over(running: Database) -> None:
    for by, state in ((SORA, "withdrawn"), (HANA, "refused")):
        proposal = proposes(running, "pause")
        withdraws(running, proposal, by)
        assert state_of(running, proposal) == state
        with pytest.raises(ConflictError) as refused:
            approves(running, proposal)
        assert refused.value.code == "decided"
    assert len(epochs(running)) == 1
