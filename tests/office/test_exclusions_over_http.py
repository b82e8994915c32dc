"""Excluded votes at the office's pages: two operators, an auditor, a moderator, and a voter who appeals."""

import re
from collections.abc import Iterator
from functools import cached_property, partial
from typing import Any

import httpx
import pytest
from sqlmodel import col, select

from arena.accounts.actions import record_consent
from arena.accounts.tables import Act
from arena.accounts.trail import acts_on
from arena.battles.exclusions import REASONS
from arena.battles.pages import CONSENT_VERSION
from arena.battles.queries import CastVote
from arena.battles.tables import Appeal, Battle, Exclusion
from arena.clock import now
from arena.db import Database
from arena.rounds.pairing import pseudonym
from arena.rounds.queries import find_round
from arena.settings import Settings
from arena.web.visitor import COOKIE, Visitor
from tests import data
from tests.battles.deciding import (
    acts,
    appeals,
    approves,
    battle_of,
    declines,
    proposes,
    rejected,
    reproposes,
)
from tests.battles.stage import identity
from tests.battles.test_receipts import named
from tests.data import answered, closes, excludes, expires, opened, voted, voter
from tests.rounds.offices import told
from tests.staff import DOYUN, HANA, JIWOO, SORA, hire, signed_in
from tests.support import Citizen, serving, settings_for

PAGE = "/office/exclusions"
MINJI, JUNHO = "a" * 32, "b" * 32
"""Voters' ids as cookies hold them."""


class Office:
    """A served round; its people sign in at their browsers when they are needed."""

    def __init__(self, origin: str, db: Database, settings: Settings) -> None:
        self.origin, self.db, self._settings = origin, db, settings
        self._browsers: list[Citizen] = []

    def _kept(self, someone: Citizen) -> Citizen:
        self._browsers.append(someone)
        return someone

    def _signed_in(self, name: str) -> Citizen:
        return self._kept(signed_in(self.origin, name))

    @cached_property
    def sora(self) -> Citizen:
        return self._signed_in("sora")

    @cached_property
    def hana(self) -> Citizen:
        return self._signed_in("hana")

    @cached_property
    def jiwoo(self) -> Citizen:
        return self._signed_in("jiwoo")

    @cached_property
    def doyun(self) -> Citizen:
        return self._signed_in("doyun")

    def public(self, language: str = "en") -> Citizen:
        return self._kept(Citizen(self.origin, language=language))

    def citizen(self, voter_id: str) -> Citizen:
        """The browser that a voter votes in."""
        someone = self.public()
        someone.http.cookies.set(COOKIE, identity(self._settings).cookie(Visitor(voter_id, known=True)))
        return someone

    def close(self) -> None:
        for someone in self._browsers:
            someone.close()


@pytest.fixture
def office(db: Database, database_url: str) -> Iterator[Office]:
    hire(db)
    opened(db, teams=3)
    for name in (MINJI, JUNHO):
        db.writing(partial(record_consent, voter_id=name, version=CONSENT_VERSION, publish=True, now=now()))
    settings = settings_for(database_url)
    with serving(settings) as origin:
        made = Office(origin, db, settings)
        yield made
        made.close()


def checks(person: Citizen, **form: Any) -> httpx.Response:
    fields: dict[str, Any] = {"round": "stage-1", "how": "numbers", "kind": "exclude", "reason": "automated_voting"}
    return person.post(f"{PAGE}/check", **fields | form)


def confirms(person: Citizen, checked: httpx.Response) -> httpx.Response:
    """Sends the form that shows the effect."""
    form = re.search(rf'<form[^>]*action="{PAGE}">.*?</form>', checked.text, flags=re.DOTALL)
    assert form, checked.text
    fields = dict(re.findall(r'name="([^"]+)" value="([^"]*)"', form[0]))
    return person.post(PAGE, **fields)


def decides(person: Citizen, verdict: str, *ids: int) -> httpx.Response:
    return person.post(f"{PAGE}/decide", verdict=verdict, id=[str(number) for number in ids])


def proposed(office: Office) -> list[int]:
    """The ids of proposals that wait."""
    with office.db.reading() as session:
        return [found.id or 0 for found in session.exec(select(Exclusion)) if found.state == "waiting"]


def test_one_operator_sees_the_effect_and_proposes_and_another_sees_it_and_decides(office: Office) -> None:
    votes = [voted(office.db, name) for name in (MINJI, JUNHO)]
    lines = f"{votes[0].receipt}\n\n  {battle_of(office.db, votes[1]).upper()} \nhttps://arena.example/receipts/{votes[0].receipt}"
    checked = checks(office.sora, numbers=lines, note="<b>same minute</b>")
    assert checked.status_code == 200
    assert "Take 2 votes out" in checked.text
    assert "&lt;b&gt;same minute&lt;/b&gt;" in checked.text
    assert "Votes that count: 2 now, 0 after." in checked.text
    assert proposed(office) == []

    answer = confirms(office.sora, checked)
    assert answer.status_code == 303
    (number,) = proposed(office)
    assert answer.headers["location"] == f"{PAGE}/{number}"
    own = office.sora.http.get(f"{PAGE}/{number}").text
    assert "another operator has to decide" in own
    assert "Votes that count: 2 now, 0 after." in own
    assert 'value="approve"' not in own
    assert 'value="approve"' in office.hana.http.get(f"{PAGE}/{number}").text

    assert decides(office.hana, "approve", number).status_code == 303
    then = office.doyun.http.get(f"{PAGE}/{number}").text
    assert "Votes that counted: 2 before, 0 after." in then
    assert told(office.db, "vote.excluded")[0]["persons"] == [SORA, HANA]
    assert [act[:4] for act in acts(office.db)] == [
        (SORA, "exclusion.propose", f"exclusion-{number}", "done"),
        (HANA, "exclusion.approve", f"exclusion-{number}", "done"),
    ]


def test_lines_that_name_no_vote_are_named_and_nothing_typed_is_lost(office: Office) -> None:
    good, out = (voted(office.db, name) for name in (MINJI, JUNHO))
    excludes(office.db, out.id)
    running = answered(office.db, MINJI).id
    lines = f"{good.receipt}\n<i>x</i>\n{out.receipt}\n{running}"
    answer = checks(office.sora, numbers=lines, note="kept & safe", reason="organised_voting")
    assert answer.status_code == 422
    for words in (
        "Line 2: &lt;i&gt;x&lt;/i&gt;",
        "This is neither a receipt nor a comparison of this round.",
        f"Line 3: {out.receipt}",
        "This vote is taken out already.",
        f"Line 4: {running}",
        "There is no vote on this comparison.",
        "kept &amp; safe",
        'value="organised_voting" selected',
    ):
        assert words in answer.text
    assert f"{good.receipt}\n&lt;i&gt;x" in answer.text.replace("\r\n", "\n")
    for form, why in (
        ({"numbers": " "}, "Choose at least one vote."),
        ({"numbers": good.receipt, "reason": ""}, "A reason is needed"),
        ({"numbers": good.receipt, "reason": "appeal_upheld"}, "A reason is needed"),
        ({"numbers": "x\n" * 1001}, "too many votes"),
        ({"numbers": good.receipt, "note": "x" * 1001}, "The note is too long."),
        ({"numbers": good.receipt, "note": "문의는 010-1234-5678"}, "This seems to hold personal details"),
        ({"how": "voter", "voter": "0" * 32}, "No voter of this round has this code."),
        ({"how": "rejected"}, "Choose at least one vote."),
        ({"kind": "nonsense", "numbers": good.receipt}, "A reason is needed"),
    ):
        answer = checks(office.sora, **form)
        assert (answer.status_code, why in answer.text) == (422, True), form
    assert proposed(office) == []


def test_all_votes_of_a_voter_are_chosen_by_the_code_that_the_ledger_shows(office: Office) -> None:
    for _ in range(3):
        voted(office.db, MINJI)
    voted(office.db, JUNHO)
    with office.db.reading() as session:
        found = find_round(session, "stage-1")
    assert found is not None
    code = pseudonym(bytes.fromhex(found.seed), MINJI)
    assert any(leaf["voter"] == code for leaf in told(office.db, "vote.cast"))
    checked = checks(office.sora, how="voter", voter=f" {code.upper()} ")
    assert "Take 3 votes out" in checked.text
    confirms(office.sora, checked)
    decides(office.hana, "approve", *proposed(office))
    assert len(told(office.db, "vote.excluded")[0]["battles"]) == 3
    again = checks(office.sora, how="voter", voter=code)
    assert "This voter has no vote that counts." in again.text


def test_a_vote_that_was_moved_between_the_effect_and_the_proposal_is_refused_with_all_that_was_chosen(
    office: Office,
) -> None:
    votes = [voted(office.db, name) for name in (MINJI, JUNHO)]
    battles = [battle_of(office.db, vote) for vote in votes]
    checked = checks(office.sora, numbers="\n".join(battles))
    excludes(office.db, votes[0].id)
    answer = confirms(office.sora, checked)
    assert answer.status_code == 409
    assert "have changed meanwhile" in answer.text
    assert all(battle in answer.text for battle in battles)


def rejections(office: Office) -> list[int]:
    """Reviews of two rejected questions, one of which has its vote."""
    with_vote = answered(office.db, MINJI)
    office.citizen(MINJI).post(f"/battles/{with_vote.id}/vote", choice="a")
    return [
        rejected(office.db, with_vote),
        rejected(office.db, answered(office.db, JUNHO, "둘째 질문"), reason="hate"),
    ]


def test_rejected_questions_whose_votes_count_are_chosen_together(office: Office) -> None:
    counting, without = rejections(office)
    page = office.sora.http.get(PAGE).text
    assert f'name="review" value="{counting}"' in page
    assert f'name="review" value="{without}"' not in page
    assert "Advertising" in page
    checked = checks(office.sora, how="rejected", review=[str(counting)])
    assert "김치찌개" in checked.text
    confirms(office.sora, checked)
    with office.db.reading() as session:
        (found,) = session.exec(select(Exclusion)).all()
    assert (found.reason, found.review_id) == ("rejected_prompt", counting)
    assert f'name="review" value="{counting}"' not in office.sora.http.get(PAGE).text
    assert checks(office.sora, how="rejected", review=[str(counting)]).status_code == 409


def test_what_a_moderator_proposed_is_decided_together_with_an_entry_each(office: Office) -> None:
    votes = [voted(office.db, name) for name in (MINJI, JUNHO)]
    battles = [battle_of(office.db, vote) for vote in votes]
    ids = [
        proposes(office.db, [battle], JIWOO, "rejected_prompt", number)
        for battle, number in zip(battles, _reviews(office, battles), strict=True)
    ]
    waiting = answered(office.db, MINJI)
    unvoted = proposes(office.db, [waiting.id], JIWOO, "rejected_prompt", rejected(office.db, waiting))
    page = office.hana.http.get(PAGE).text
    assert "Look at all 2 proposals of moderator-3 together" in page
    assert "no vote yet" in page
    together = office.hana.http.get(f"{PAGE}/several?round=stage-1&by={JIWOO}").text
    assert "Agree to all 2" in together
    assert "Votes that count: 2 now, 0 after." in together
    chosen = office.hana.post(f"{PAGE}/chosen", round="stage-1", id=[str(number) for number in ids])
    assert chosen.headers["location"] == f"{PAGE}/several?id={ids[0]}&id={ids[1]}"

    answer = decides(office.hana, "approve", *ids, unvoted)
    assert answer.status_code == 409
    assert "There is no vote on this comparison yet." in answer.text
    leaves = told(office.db, "vote.excluded")
    assert [(leaf["battles"], leaf["persons"]) for leaf in leaves] == [
        ([battle], [JIWOO, HANA]) for battle in battles
    ]
    assert acts(office.db)[-1] == (HANA, "exclusion.approve", f"exclusion-{unvoted}", "refused", "no_vote_yet")


def _reviews(office: Office, battles: list[str]) -> list[int]:
    with office.db.reading() as session:
        rows = [session.get_one(Battle, battle) for battle in battles]
    return [rejected(office.db, row) for row in rows]


def test_a_done_exclusion_is_undone_as_a_mistake_by_two(office: Office) -> None:
    vote = voted(office.db, MINJI)
    number = proposes(office.db, [battle_of(office.db, vote)])
    decides(office.hana, "approve", number)
    checked = office.hana.post(
        f"{PAGE}/check", round="stage-1", kind="reinstate", reason="mistake", how="reinstate", of=str(number)
    )
    assert "Count 1 vote again" in checked.text
    assert confirms(office.hana, checked).status_code == 303
    (back,) = proposed(office)
    assert decides(office.hana, "approve", back).status_code == 422
    assert decides(office.sora, "approve", back).status_code == 303
    assert told(office.db, "vote.reinstated")[0]["persons"] == [HANA, SORA]
    by_hand = checks(office.sora, how="reinstate", kind="reinstate", reason="mistake", numbers=vote.receipt)
    assert "This vote counts already." in by_hand.text


def test_what_another_proposal_took_out_or_somebody_took_back_in_is_not_undone_as_a_mistake(office: Office) -> None:
    first, second, third = (battle_of(office.db, voted(office.db, name)) for name in (MINJI, MINJI, JUNHO))
    number = proposes(office.db, [first, second, third])
    approves(office.db, proposes(office.db, [first]))
    decides(office.hana, "approve", number)
    with office.db.reading() as session:
        act = session.exec(
            select(Act).where(Act.subject == f"exclusion-{number}").order_by(col(Act.id).desc())
        ).first()
    assert act is not None
    assert (act.detail["votes"], act.detail["unmoved"]) == (2, [first])
    assert act.detail["before"]["votes"] - act.detail["after"]["votes"] == 2

    def offered() -> list[str]:
        checked = office.sora.post(
            f"{PAGE}/check", round="stage-1", kind="reinstate", reason="mistake", how="reinstate", of=str(number)
        )
        found = re.search(r'name="battles" value="([^"]*)"', checked.text)
        return found[1].split() if found else []

    page = office.sora.http.get(f"{PAGE}/{number}").text
    assert "2 of these votes changed." in page
    assert "Was it a mistake?" in page
    assert offered() == [second, third]
    approves(office.db, reproposes(office.db, [second]))
    approves(office.db, proposes(office.db, [second]))
    assert offered() == [third]
    approves(office.db, reproposes(office.db, [third]))
    assert offered() == []
    assert "Was it a mistake?" not in office.sora.http.get(f"{PAGE}/{number}").text


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


# Appeals


def excluded(office: Office, reason: str = "automated_voting") -> CastVote:
    vote = voted(office.db, MINJI)
    decides(office.hana, "approve", proposes(office.db, [battle_of(office.db, vote)], reason=reason))
    return vote


def test_a_voter_reads_why_appeals_and_reads_the_reply_and_nobody_else_sees_it(office: Office) -> None:
    vote = excluded(office)
    minji, other = office.citizen(MINJI), office.citizen(JUNHO)
    path = f"/receipts/{vote.receipt}"
    for someone in (minji, other):
        assert "it looked as if a machine had voted" in someone.http.get(path).text
    assert "appeal-text" in minji.http.get(path).text
    assert "appeal" not in other.http.get(path).text
    assert other.post(f"{path}/appeal", text="not mine").status_code == 404
    assert minji.post(f"{path}/appeal", text="x", csrf="forged").status_code == 403
    assert minji.post(f"{path}/appeal", text=" ").status_code == 422
    long = minji.post(f"{path}/appeal", text="<i>" + "x" * 1000)
    assert (long.status_code, "&lt;i&gt;xxx" in long.text) == (422, True)
    sent = minji.post(f"{path}/appeal", text="<b>I chose</b> it myself")
    assert sent.headers["location"] == f"{path}#appeal"
    assert minji.post(f"{path}/appeal", text="again").status_code == 409
    mine = minji.http.get(path).text
    assert "&lt;b&gt;I chose&lt;/b&gt; it myself" in mine
    assert "the answer will stand here" in mine
    assert "I chose" not in other.http.get(path).text

    page = office.sora.http.get(PAGE).text
    assert "&lt;b&gt;I chose&lt;/b&gt; it myself" in page
    (number,) = re.findall(r"/appeals/(\d+)/decline", page)
    empty = office.sora.post(f"{PAGE}/appeals/{number}/decline", round="stage-1", reply="")
    assert (empty.status_code, "the voter reads it" in empty.text) == (422, True)
    assert (
        office.sora.post(f"{PAGE}/appeals/{number}/decline", round="stage-1", reply="We <looked> again.").status_code
        == 303
    )
    mine = minji.http.get(path).text
    assert "We &lt;looked&gt; again." in mine
    assert "appeal-text" in mine


def test_an_appeal_is_upheld_by_two_operators(office: Office) -> None:
    vote = excluded(office)
    minji = office.citizen(MINJI)
    minji.post(f"/receipts/{vote.receipt}/appeal", text="I chose it myself")
    with office.db.reading() as session:
        (appeal,) = session.exec(select(Appeal)).all()
    form: dict[str, Any] = {"round": "stage-1", "how": "appeal", "kind": "reinstate", "appeal": str(appeal.id)}
    checked = office.sora.post(f"{PAGE}/check", **form)
    assert "I chose it myself" in checked.text
    confirms(office.sora, checked)
    (number,) = proposed(office)
    page = office.hana.http.get(PAGE).text
    assert f"/appeals/{appeal.id}/decline" not in page
    decides(office.hana, "approve", number)
    mine = minji.http.get(f"/receipts/{vote.receipt}").text
    assert "two people agreed with you" in mine
    assert "It counts for the rating." in mine
    assert told(office.db, "vote.reinstated")[0]["reason"] == "appeal_upheld"
    told_of = [act[:4] for act in acts(office.db) if act[1].startswith("appeal.")]
    assert told_of == [
        ("voter", "appeal.make", f"appeal-{appeal.id}", "done"),
        (HANA, "appeal.uphold", f"appeal-{appeal.id}", "done"),
    ]
    with office.db.reading() as session:
        assert "chose it myself" not in str([act.model_dump() for act in session.exec(select(Act))])


def test_the_receipt_tells_what_became_of_the_vote_since_the_appeal(office: Office) -> None:
    vote = excluded(office)
    battle, minji, path = battle_of(office.db, vote), office.citizen(MINJI), f"/receipts/{vote.receipt}"
    declines(office.db, appeals(office.db, MINJI, vote))
    assert "your vote stays out" in minji.http.get(path).text
    approves(office.db, reproposes(office.db, [battle]))
    mine = minji.http.get(path).text
    assert "It counts for the rating." in mine
    assert "declined at first" in mine
    assert "your vote stays out" not in mine

    approves(office.db, proposes(office.db, [battle]))
    appeals(office.db, MINJI, vote)
    approves(office.db, reproposes(office.db, [battle], reason="appeal_upheld"))
    assert "your vote was taken back in.</span>" in minji.http.get(path).text
    approves(office.db, proposes(office.db, [battle]))
    mine = minji.http.get(path).text
    assert "Later two people took it out again." in mine
    assert "appeal-text" in mine


def test_a_vote_that_never_counted_and_one_that_two_persons_took_out_are_told_apart(office: Office) -> None:
    voter(office.db, data.MINJI)
    vote = named(office.db)
    battle, reader, path = battle_of(office.db, vote), office.public(), f"/receipts/{vote.receipt}"
    two = "two people who run the round took it out"
    assert two not in reader.http.get(path).text
    approves(office.db, reproposes(office.db, [battle]))
    assert "It counts for the rating." in reader.http.get(path).text
    approves(office.db, proposes(office.db, [battle], reason="identity_leak"))
    assert two in reader.http.get(path).text


def test_each_reason_has_words_on_the_receipt(office: Office) -> None:
    korean, english = office.public("ko"), office.public()
    for reason in REASONS["exclude"]:
        vote = voted(office.db, MINJI)
        proposal = proposes(office.db, [battle_of(office.db, vote)], reason=reason)
        approves(office.db, proposal)
        in_korean, in_english = (reader.http.get(f"/receipts/{vote.receipt}").text for reader in (korean, english))
        assert "two people who run the round took it out" in in_english
        assert "The reason: " in in_english, reason
        assert "이유: " in in_korean, reason
