"""Receipts over HTTP: what they say, that what they prove holds, and that they tell of no team."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
import segno
from pydantic import SecretStr
from sqlmodel import Session, select

from arena.battles.column import Said
from arena.battles.queries import CastVote
from arena.battles.tables import Battle, Vote
from arena.clock import now
from arena.db import Database
from arena.demo.personas import PERSONAS
from arena.ledger.actions import append, sequence
from arena.ledger.queries import newest_checkpoint
from arena.proofs.leaves import timestamp
from arena.proofs.merkle import includes, leaf_hash
from arena.proofs.notes import Checkpoint, SigningKey, VerifierKey, promise_text
from arena.rounds.queries import find_round
from arena.web.qr import QrCode, qr_code
from tests.data import (
    JUNHO,
    MINJI,
    answered,
    asks,
    closes,
    ends,
    excludes,
    in_parallel,
    opened,
    reinstates,
    voted,
    voter,
    votes,
)
from tests.support import KEY, serving, settings_for

NOBODYS = "0" * 32
ORIGIN = "arena.example/rounds/stage-1"
OF_A_TEAM = tuple(
    word for it in PERSONAS.values() for word in (*it.name.values(), it.model, it.code, it.code.title(), *it.aliases)
)


@dataclass(frozen=True, slots=True)
class Desk:
    """A round whose entries get their places when the test says so, and its pages."""

    db: Database
    http: httpx.Client

    def page(self, receipt: str, language: str = "en") -> str:
        answer = self.http.get(f"/receipts/{receipt}", headers={"Accept-Language": language})
        assert answer.status_code == 200, answer.text
        return answer.text

    def file(self, receipt: str) -> dict[str, Any]:
        answer = self.http.get(f"/receipts/{receipt}.json")
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def places(self) -> None:
        self.db.writing(lambda session: sequence(session, round_id(session), KEY, now()))


def round_id(session: Session) -> int:
    found = find_round(session, "stage-1")
    assert found is not None
    assert found.id is not None
    return found.id


@pytest.fixture
def desk(database_url: str, db: Database) -> Iterator[Desk]:
    opened(db, teams=2, rated_votes_per_voter=2)
    for name in (MINJI, JUNHO):
        voter(db, name)
    with (
        serving(settings_for(database_url, embedded_worker=False)) as origin,
        httpx.Client(base_url=origin, timeout=30) as http,
    ):
        yield Desk(db, http)


def fact(page: str, name: str) -> str:
    found = re.search(f'data-{name}="([^"]*)"', page)
    assert found, page
    return found[1]


def counting(page: str) -> str:
    found = re.search(r'id="counting".*?<span>(.*?)(?: <a|</span>)', page, re.DOTALL)
    assert found, page
    return found[1]


def proved(file: dict[str, Any]) -> Checkpoint:
    """The checkpoint that a receipt's file leads to, by nothing but the file."""
    assert set(file) == {"format", "origin", "key", "leaf", "promise", "proof"}
    assert file["format"] == "blind-arena-receipt/1"
    key, leaf = VerifierKey.parse(file["key"]), leaf_hash(file["leaf"].encode())
    assert key.signed(file["promise"]) == promise_text(file["origin"], leaf)
    proof = file["proof"]
    checkpoint = Checkpoint.parse(key.signed(proof["checkpoint"]))
    path = [bytes.fromhex(node) for node in proof["hashes"]]
    assert includes(leaf, proof["index"], checkpoint.size, path, checkpoint.root)
    assert checkpoint.origin == file["origin"] == key.name
    return checkpoint


@pytest.mark.parametrize(("choice", "words"), [("a", "A is better"), ("both_bad", "Neither is good")])
def test_a_receipt_says_what_was_recorded(desk: Desk, choice: str, words: str) -> None:
    vote = voted(desk.db, MINJI, choice)
    page, said = desk.page(vote.receipt), json.loads(desk.file(vote.receipt)["leaf"])

    assert f"<strong>{words}</strong>" in page
    assert (said["type"], said["choice"]) == ("vote.cast", fact(page, "choice")) == ("vote.cast", choice)
    assert said["at"] == fact(page, "at") == timestamp(vote.cast_at)
    assert said["round"] == fact(page, "round") == "stage-1"
    assert said["battle"] == fact(page, "battle")
    assert len(said["turns"]) == int(fact(page, "questions")) == 1


def test_before_its_place_an_entry_is_promised(desk: Desk) -> None:
    receipt = voted(desk.db, MINJI).receipt
    page, file = desk.page(receipt), desk.file(receipt)

    assert "Your vote is recorded and promised." in page
    assert 'http-equiv="refresh"' in page
    leaf = leaf_hash(file["leaf"].encode())
    assert KEY.verifier(ORIGIN).signed(file["promise"]) == promise_text(ORIGIN, leaf)
    assert (file["origin"], file["key"], file["proof"]) == (ORIGIN, str(KEY.verifier(ORIGIN)), None)


def test_a_receipt_of_any_place_in_a_tree_of_any_size_is_proved(desk: Desk) -> None:
    receipts: list[str] = []
    for _ in range(6):
        receipts.append(voted(desk.db, MINJI).receipt)
        desk.places()
        files = [desk.file(receipt) for receipt in receipts]
        assert len({proved(file).text() for file in files}) == 1
    assert [file["proof"]["index"] for file in files] == [2, 4, 6, 8, 10, 12]  # each after its battle's beginning
    page = desk.page(receipts[3])
    assert "This vote is entry 8 of the ledger." in page
    assert 'http-equiv="refresh"' not in page


def test_a_receipt_is_proved_across_stored_parts_of_the_tree(desk: Desk) -> None:
    early = voted(desk.db, MINJI).receipt

    def fill(session: Session) -> None:
        for number in range(600):
            append(session, round_id(session), "stage-1", "battle.ended", now(), battle=str(number), state="void")

    desk.db.writing(fill)
    late = voted(desk.db, MINJI).receipt
    desk.places()

    assert proved(desk.file(early)) == proved(desk.file(late))
    assert f"This vote is entry {desk.file(late)['proof']['index']} of the ledger." in desk.page(late)


def test_the_proof_leads_to_the_newest_checkpoint(desk: Desk) -> None:
    receipt = voted(desk.db, MINJI).receipt
    desk.places()
    before = proved(desk.file(receipt)).size
    voted(desk.db, JUNHO)
    desk.places()

    after = proved(desk.file(receipt))
    with desk.db.reading() as session:
        newest = newest_checkpoint(session, round_id(session))
        assert newest is not None
        assert (after.size, after.root) == (newest.size, newest.root)
    assert after.size > before


def test_a_receipt_fetched_while_others_vote_is_proved(desk: Desk) -> None:
    receipt = voted(desk.db, MINJI).receipt
    desk.places()

    def vote() -> None:
        for _ in range(15):
            voted(desk.db, JUNHO)
            desk.places()

    def fetch() -> None:
        for _ in range(20):
            proved(desk.file(receipt))

    assert in_parallel([vote, fetch, fetch]) == [None] * 3


@pytest.mark.parametrize("reveal", ["after_vote", "after_close"])
def test_a_receipt_tells_of_no_team_not_even_when_names_are_shown(
    database_url: str, db: Database, reveal: str
) -> None:
    opened(db, teams=5, reveal=reveal)
    receipt = voted(db, voter(db, MINJI)).receipt
    with (
        serving(settings_for(database_url, embedded_worker=False)) as origin,
        httpx.Client(base_url=origin, timeout=30) as http,
    ):
        desk = Desk(db, http)
        open_ = [desk.page(receipt), desk.page(receipt, "ko"), json.dumps(desk.file(receipt), ensure_ascii=False)]
        closes(db)
        closed = [desk.page(receipt), desk.page(receipt, "ko"), json.dumps(desk.file(receipt), ensure_ascii=False)]
        proved(desk.file(receipt))
    for text in (*open_, *closed):
        assert [word for word in OF_A_TEAM if word in text] == []
    for text in (open_[2], closed[2]):
        assert not re.search(r"\be[1-9]\b|entry|127\.0\.0\.1", json.loads(text)["leaf"])


def named(db: Database) -> CastVote:
    """A vote on answers of which one gave its model's name."""
    battle, turn = asks(db)
    assert ends(
        db, turn, said=(Said("저는 [모델]", "complete", 1, 2, 1, "저는 해솔"), Said("안녕", "complete", 1, 2))
    )
    return votes(db, battle)


def test_a_receipt_says_whether_its_vote_counts(desk: Desk) -> None:
    unrated = named(desk.db)
    first, second, third = (voted(desk.db, MINJI) for _ in range(3))

    assert "named the model" in counting(desk.page(unrated.receipt))
    assert counting(desk.page(first.receipt)) == counting(desk.page(second.receipt)) == "It counts for the rating."
    assert "only the first votes count" in counting(desk.page(third.receipt))

    excludes(desk.db, first.id)
    assert "two people who run the round took it out" in counting(desk.page(first.receipt))
    assert counting(desk.page(third.receipt)) == "It counts for the rating."
    reinstates(desk.db, first.id)
    assert counting(desk.page(first.receipt)) == "It counts for the rating."
    assert "only the first votes count" in counting(desk.page(third.receipt))
    assert counting(desk.page(voted(desk.db, JUNHO).receipt)) == "It counts for the rating."


def test_a_vote_from_before_there_were_ledgers_has_a_page_and_no_file(desk: Desk) -> None:
    battle = answered(desk.db, MINJI)

    def cast(session: Session) -> None:
        session.exec(select(Battle).where(Battle.id == battle.id)).one().state = "voted"
        session.add(Vote(battle_id=battle.id, receipt=NOBODYS, choice="tie", cast_at=now()))

    desk.db.writing(cast)
    page = desk.page(NOBODYS)
    assert "<strong>About the same</strong>" in page
    assert "from before there was a ledger" in page
    assert f"{NOBODYS}.json" not in page
    refused = desk.http.get(f"/receipts/{NOBODYS}.json", headers={"Accept-Language": "en"})
    assert refused.status_code == 404
    assert "there is no file to check it with" in refused.text


@pytest.mark.parametrize("of", ["", ".json"], ids=["page", "file"])
@pytest.mark.parametrize(
    "number",
    [
        NOBODYS,
        "0" * 31,
        "0" * 33,
        "g" * 32,
        "%00" * 32,
        "0" * 31 + "%0A",
        "0" * 32 + "%0A",
        "..%2f..",
        "a' OR 1=1--",
        "х" * 32,
    ],
)
def test_an_unknown_or_hostile_number_finds_nothing(desk: Desk, number: str, of: str) -> None:
    voted(desk.db, MINJI)
    assert desk.http.get(f"/receipts/{number}{of}").status_code == 404


def test_a_number_is_read_as_it_was_given(desk: Desk) -> None:
    receipt = voted(desk.db, MINJI).receipt
    for other in (receipt.upper(), f"{receipt}/", f"{receipt}.JSON", f"{receipt}.json.json"):
        assert other == receipt or desk.http.get(f"/receipts/{other}").status_code in (307, 404)


def test_a_receipt_is_not_kept_by_caches_or_search_engines_and_the_file_is_a_download(desk: Desk) -> None:
    receipt = voted(desk.db, MINJI).receipt
    page, file = desk.http.get(f"/receipts/{receipt}"), desk.http.get(f"/receipts/{receipt}.json")
    for answer in (page, file):
        assert (answer.headers["cache-control"], answer.headers["x-robots-tag"]) == ("no-store", "noindex")
    assert file.headers["content-type"] == "application/json"
    assert file.headers["content-disposition"] == f'attachment; filename="arena-receipt-{receipt[:8]}.json"'


def test_a_server_with_another_key_than_the_logs_promises_nothing(database_url: str, db: Database) -> None:
    opened(db, teams=2)
    receipt = voted(db, voter(db, MINJI)).receipt
    db.writing(lambda session: sequence(session, round_id(session), KEY, now()))
    other = SecretStr(SigningKey("arena.example", bytes(32)).secret())
    settings = settings_for(database_url, embedded_worker=False).model_copy(update={"ledger_key": other})
    with serving(settings) as origin, httpx.Client(base_url=origin, timeout=30) as http:
        file = Desk(db, http).file(receipt)
        assert "The signed promise" not in Desk(db, http).page(receipt)
    assert (file["promise"], file["key"]) == (None, str(KEY.verifier(ORIGIN)))
    assert file["proof"]["index"] == 2


def drawn(code: QrCode) -> set[tuple[int, int]]:
    """The dark modules of a drawn code, without its quiet zone."""
    runs = [tuple(map(int, run)) for run in re.findall(r"M(\d+) (\d+)h(\d+)v1h-\3z", code.path)]
    assert "".join(f"M{x} {y}h{n}v1h-{n}z" for x, y, n in runs) == code.path
    return {(x + step - 4, y - 4) for x, y, n in runs for step in range(n)}


def test_the_code_is_that_of_the_link(desk: Desk) -> None:
    receipt = voted(desk.db, MINJI).receipt
    link = f"{desk.http.base_url}/receipts/{receipt}"
    page = desk.page(receipt)

    code = segno.make(link, error="m", micro=False)
    dark = {(x, y) for y, row in enumerate(code.matrix) for x, module in enumerate(row) if module}
    assert drawn(qr_code(link)) == dark
    assert qr_code(link).path in page
    assert f'href="{link}"' in page


def test_the_link_is_the_arenas_public_one(database_url: str, db: Database) -> None:
    opened(db, teams=2)
    receipt = voted(db, voter(db, MINJI)).receipt
    settings = settings_for(database_url, embedded_worker=False, public_url="https://vote.example")
    with serving(settings) as origin, httpx.Client(base_url=origin, timeout=30) as http:
        page = Desk(db, http).page(receipt)
    assert f'href="https://vote.example/receipts/{receipt}"' in page
    assert qr_code(f"https://vote.example/receipts/{receipt}").path in page


@pytest.mark.parametrize("host", ['evil.example"><script>', "x" * 4000, "", "a b", "[::1"])
def test_a_hostile_host_harms_nobody(desk: Desk, host: str) -> None:
    receipt = voted(desk.db, MINJI).receipt
    answer = desk.http.get(f"/receipts/{receipt}", headers={"Host": host})
    assert answer.status_code in (200, 400, 422)
    assert "<script>" not in answer.text
