"""What waits is decided by a second person; what is refused is on the trail; who may not act only reads."""

import re
from typing import Any

import pytest
from sqlmodel import select

from arena.accounts.tables import Act
from arena.accounts.trail import acts_on
from arena.db import Database
from tests.battles.deciding import (
    acts,
    battle_of,
    proposes,
    rejected,
)
from tests.data import answered, closes, expires, voted
from tests.office.exclusion_desk import JUNHO, MINJI, PAGE, Office, checks, decides, proposed
from tests.rounds.offices import told
from tests.staff import DOYUN, HANA, JIWOO, SORA, hire, signed_in
from tests.support import serving, settings_for


def test_refused_attempts_do_not_push_the_kept_effect_off_the_page(office: Office) -> None:
    number = proposes(office.db, [battle_of(office.db, voted(office.db, MINJI))])
    decides(office.hana, "approve", number)
    for _ in range(21):
        decides(office.hana, "refuse", number)
    assert "Votes that counted: 1 before, 0 after." in office.doyun.http.get(f"{PAGE}/{number}").text


def dead(office: Office, number: int) -> list[int]:
    """Proposals about rejected questions whose comparisons ended without a vote."""
    made = []
    for _ in range(number):
        battle = answered(office.db, MINJI)
        made.append(proposes(office.db, [battle.id], JIWOO, "rejected_prompt", rejected(office.db, battle)))
        expires(office.db, battle)
    return made


def test_what_can_be_decided_is_on_the_page_however_much_else_waits(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("arena.office.exclusions_page.WAITING_SHOWN", 2)
    without = dead(office, 3)
    running = answered(office.db, MINJI)
    unvoted = proposes(office.db, [running.id], JIWOO, "rejected_prompt", rejected(office.db, running))
    ready = [proposes(office.db, [battle_of(office.db, voted(office.db, JUNHO))]) for _ in range(3)]

    def shown(**query: str) -> list[int]:
        page = office.hana.http.get(PAGE, params={"round": "stage-1"} | query).text
        waiting = page.partition('<ul class="picks">')[2].partition("</ul>")[0]
        return [int(number) for number in re.findall(rf'href="{PAGE}/(\d+)"', waiting)]

    first = office.hana.http.get(PAGE).text
    assert shown() == ready[:2]
    assert "Look at all 3 proposals of operator-1 together" in first
    later = re.search(r'href="[^"]*after=(\d+)">Later ones', first)
    assert later
    assert shown(after=later[1]) == ready[2:]
    assert shown(standing="no_vote_yet") == [unvoted]
    assert shown(standing="nothing_to_do") == without[:2]
    assert "Close all 3" in office.hana.http.get(PAGE, params={"standing": "nothing_to_do"}).text

    assert office.jiwoo.post(f"{PAGE}/close", round="stage-1").status_code == 403
    assert office.hana.post(f"{PAGE}/close", round="stage-1").status_code == 303
    assert proposed(office) == [unvoted, *ready]
    assert office.hana.post(f"{PAGE}/close", round="stage-1").status_code == 409
    assert office.hana.post(f"{PAGE}/close", round="stage-9").status_code == 404
    assert acts(office.db)[-4:] == [
        (JIWOO, "exclusion.close", "exclusions", "refused", "role"),
        (HANA, "exclusion.close", "exclusions", "done", ""),
        (HANA, "exclusion.close", "exclusions", "refused", "decided"),
        (HANA, "exclusion.close", "exclusions", "refused", "not_found"),
    ]
    with office.db.reading() as session:
        done = session.exec(select(Act).where(Act.what == "exclusion.close", Act.outcome == "done")).one()
    assert done.detail == {"round": "stage-1", "proposals": without}


def test_a_bulk_decision_says_of_each_proposal_what_became_of_it(office: Office) -> None:
    own = proposes(office.db, [battle_of(office.db, voted(office.db, MINJI))], HANA)
    others = proposes(office.db, [battle_of(office.db, voted(office.db, JUNHO))])
    answer = decides(office.hana, "withdraw", own, others, 99)
    assert answer.status_code == 404
    assert "You can decline it." in answer.text
    assert "Proposal 99" in answer.text
    assert "taken back" in answer.text
    assert proposed(office) == [others]
    for verdict in ("", "nonsense"):
        answer = decides(office.hana, verdict, others)
        assert (answer.status_code, "Please choose one of the buttons" in answer.text) == (422, True)
    assert proposed(office) == [others]
    assert acts(office.db)[-1] == (HANA, "exclusion.decide", f"exclusion-{others}", "refused", "verdict")


def test_the_effect_of_several_is_that_of_those_that_the_reader_can_decide(office: Office) -> None:
    own = proposes(office.db, [battle_of(office.db, voted(office.db, MINJI))], HANA)
    others = proposes(office.db, [battle_of(office.db, voted(office.db, JUNHO))])
    both = f"{PAGE}/several?id={own}&id={others}"
    page = office.hana.http.get(both).text
    assert "Votes that count: 2 now, 1 after." in page
    assert "What those that you can decide do to the ratings (1)" in page
    page = office.doyun.http.get(both).text
    assert "Votes that count: 2 now, 0 after." in page
    assert "What all of them together do to the ratings" in page


def test_whoever_decides_can_look_at_every_vote_of_a_proposal(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("exclusions_page", "exclusion_views"):
        monkeypatch.setattr(f"arena.office.{module}.VOTES_SHOWN", 2)
    battles = [battle_of(office.db, voted(office.db, MINJI)) for _ in range(3)]
    number = proposes(office.db, battles)
    first = office.hana.http.get(f"{PAGE}/{number}").text
    assert [battle in first for battle in battles] == [True, True, False]
    assert "1 to 2 of 3 are shown." in first
    assert f'href="{PAGE}/{number}?start=2"' in first
    rest = office.hana.http.get(f"{PAGE}/{number}?start=2").text
    assert [battle in rest for battle in battles] == [False, False, True]


def test_every_refused_attempt_is_on_the_trail(office: Office) -> None:
    vote = voted(office.db, MINJI)
    number = proposes(office.db, [battle_of(office.db, vote)])
    subject = f"exclusion-{number}"
    fields: dict[str, Any] = {"round": "stage-1", "how": "numbers", "reason": "test_votes", "battles": "f" * 32}
    tries = [
        (decides(office.sora, "approve", number), 422, SORA, "exclusion.approve", subject, "same_person"),
        (decides(office.sora, "refuse", number), 422, SORA, "exclusion.refuse", subject, "same_person"),
        (decides(office.hana, "withdraw", number), 403, HANA, "exclusion.withdraw", subject, "not_yours"),
        (decides(office.jiwoo, "approve", number), 403, JIWOO, "exclusion.approve", subject, "role"),
        (decides(office.doyun, "approve", number), 403, DOYUN, "exclusion.approve", subject, "role"),
        (decides(office.doyun, "refuse"), 403, DOYUN, "exclusion.refuse", "exclusions", "role"),
        (decides(office.hana, "approve", 99), 404, HANA, "exclusion.approve", "exclusion-99", "not_found"),
        (decides(office.hana, "approve"), 422, HANA, "exclusion.approve", "exclusions", "no_votes"),
        (office.jiwoo.post(PAGE, **fields), 403, JIWOO, "exclusion.propose", "exclusions", "role"),
        (office.hana.post(PAGE, **fields), 404, HANA, "exclusion.propose", "exclusions", "not_found"),
        (
            office.doyun.post(f"{PAGE}/appeals/7/decline", reply="no"),
            403,
            DOYUN,
            "appeal.decline",
            "appeal-7",
            "role",
        ),
        (
            office.hana.post(f"{PAGE}/appeals/7/decline", reply="no"),
            404,
            HANA,
            "appeal.decline",
            "appeal-7",
            "not_found",
        ),
    ]
    assert [answer.status_code for answer, *_ in tries] == [status for _, status, *_ in tries]
    assert acts(office.db)[1:] == [(who, what, about, "refused", why) for _, _, who, what, about, why in tries]
    with office.db.reading() as session:
        refused = acts_on(session, "exclusions", limit=9)
    asked_for = [act.detail for act in refused if act.what == "exclusion.propose"]
    assert asked_for == [fields, fields], "the trail tells what they asked for"
    assert told(office.db, "vote.excluded") == []


def test_auditors_read_everything_and_do_nothing_and_moderators_and_the_public_see_none_of_it(office: Office) -> None:
    vote = voted(office.db, MINJI)
    number = proposes(office.db, [battle_of(office.db, vote)])
    public = office.public()
    for path in (PAGE, f"{PAGE}/{number}", f"{PAGE}/several?id={number}"):
        page = office.doyun.http.get(path)
        assert page.status_code == 200
        assert "<form" not in page.text.partition("<main")[2].partition("</main>")[0].replace(CHOSEN, "")
        assert office.jiwoo.http.get(path).status_code == 403
        assert public.http.get(path).status_code == 401
    assert office.doyun.post(f"{PAGE}/check").status_code == 403
    assert office.sora.post(f"{PAGE}/check", csrf="forged").status_code == 403
    for path in (f"{PAGE}/0", f"{PAGE}/{'9' * 30}", f"{PAGE}/several", f"{PAGE}?round=stage-9", f"{PAGE}/77"):
        assert office.sora.http.get(path).status_code == 404, path


CHOSEN = '<form method="post" action="/office/exclusions/chosen">'


def test_a_closed_round_is_only_read_and_what_waits_can_only_be_declined(office: Office) -> None:
    vote = voted(office.db, MINJI)
    number = proposes(office.db, [battle_of(office.db, vote)])
    closes(office.db)
    page = office.hana.http.get(PAGE).text
    assert "its figures are final" in page
    assert 'name="numbers"' not in page
    own = office.hana.http.get(f"{PAGE}/{number}").text
    assert 'value="approve"' not in own
    assert decides(office.hana, "approve", number).status_code == 409
    assert checks(office.hana, numbers=vote.receipt).status_code == 409
    assert decides(office.hana, "refuse", number).status_code == 303


def test_before_the_first_round_the_page_says_what_to_do(db: Database, database_url: str) -> None:
    hire(db)
    with serving(settings_for(database_url)) as origin:
        sora = signed_in(origin, "sora")
        assert "No round was opened yet" in sora.http.get(PAGE).text
        sora.close()
