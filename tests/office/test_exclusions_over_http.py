"""Votes are proposed for exclusion at the office's pages, and taken back in."""

import re

from sqlmodel import col, select

from arena.accounts.tables import Act
from arena.battles.tables import Battle, Exclusion
from arena.rounds.pairing import pseudonym
from arena.rounds.queries import find_round
from tests.battles.deciding import (
    acts,
    approves,
    battle_of,
    proposes,
    rejected,
    reproposes,
)
from tests.data import answered, excludes, voted
from tests.office.exclusion_desk import JUNHO, MINJI, PAGE, Office, checks, confirms, decides, proposed
from tests.rounds.offices import told
from tests.staff import HANA, JIWOO, SORA


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
