"""A voter reads on the receipt what became of the vote, and appeals."""

import re
from typing import Any

from sqlmodel import select

from arena.accounts.tables import Act
from arena.battles.exclusions import REASONS
from arena.battles.queries import CastVote
from arena.battles.tables import Appeal
from tests import data
from tests.battles.deciding import (
    acts,
    appeals,
    approves,
    battle_of,
    declines,
    proposes,
    reproposes,
)
from tests.battles.test_receipts import named
from tests.data import voted, voter
from tests.office.exclusion_desk import JUNHO, MINJI, PAGE, Office, confirms, decides, proposed
from tests.rounds.offices import told
from tests.staff import HANA


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
