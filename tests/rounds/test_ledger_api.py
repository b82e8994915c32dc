"""Whoever has a round's public key checks its ledger over HTTP, entry by entry, without a key of ours."""

import hashlib
import json
import shutil
from collections.abc import Iterator
from itertools import combinations_with_replacement, product
from pathlib import Path

import httpx
import pytest
from sqlalchemy import text

from arena.clock import now
from arena.db import Database
from arena.ledger.queries import log_of
from arena.proofs.merkle import extends, includes, leaf_hash
from arena.rounds.actions import create_round
from arena.rounds.tables import Round
from tests.data import KIMCHI, NOWHERE, opened
from tests.rounds.ledgers import Monitor, reading, sequences, steps, votes_by
from tests.support import round_file

API = "/api/v1/rounds/stage-1"
ROUTES = ["/checkpoint", "/checkpoints/1", "/proofs/inclusion?index=0", "/proofs/consistency?first=1", "/leaves"]


@pytest.fixture
def stage(db: Database) -> Round:
    return opened(db)


@pytest.fixture
def http(stage: Round, database_url: str) -> Iterator[httpx.Client]:
    with reading(database_url) as client:
        yield client


@pytest.fixture(scope="module")
def three_entries(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """A reader of a ledger of three entries, for what does not depend on the database."""
    url = f"sqlite:///{shutil.copy(sqlite_template, tmp_path_factory.mktemp('standing') / 'arena.db')}"
    db = Database(url)
    round_ = opened(db)
    votes_by(db, "minji")
    sequences(db, round_.id)
    with reading(url) as client:
        yield client
    db.close()


@pytest.fixture
def monitor(db: Database, stage: Round, http: httpx.Client) -> Monitor:
    with db.reading() as session:
        log = log_of(session, stage.id or 0)
    assert log is not None
    return Monitor(http, log.verifier)


def refused(answer: httpx.Response, status: int) -> str:
    """What a problem document says."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    detail: str = answer.json()["detail"]
    return detail


def waiting_hash(db: Database, stage: Round) -> str:
    with db.reading() as session:
        found = session.execute(
            text("select body from leaf where round_id = :id and position is null order by id"), {"id": stage.id}
        )
        return leaf_hash(found.scalars().all()[-1].encode()).hex()


def test_every_entry_is_proved_by_hash_and_by_index(db: Database, stage: Round, monitor: Monitor) -> None:
    votes_by(db, "minji", "junho", "seoyeon")
    sequences(db, stage.id)
    newest = monitor.checkpoint()
    entries = monitor.lines()
    assert len(entries) == newest.size == 7
    for place, entry in enumerate(entries):
        proof = monitor.json(f"/proofs/inclusion?leaf={leaf_hash(entry).hex()}")
        assert proof == monitor.json(f"/proofs/inclusion?index={place}")
        assert (proof["index"], proof["size"], proof["leaf_hash"]) == (place, newest.size, leaf_hash(entry).hex())
        assert includes(leaf_hash(entry), place, newest.size, steps(proof), newest.root)
        assert not includes(leaf_hash(b"another"), place, newest.size, steps(proof), newest.root)


def test_a_proof_comes_with_the_checkpoint_that_was_signed_at_its_size(
    db: Database, stage: Round, monitor: Monitor, http: httpx.Client
) -> None:
    sequences(db, stage.id)
    votes_by(db, "minji", "junho")
    sequences(db, stage.id)
    first = monitor.checkpoint("/checkpoints/1")
    assert first.size == 1
    assert monitor.json("/proofs/inclusion?index=0")["checkpoint"] == http.get(f"{API}/checkpoint").text
    assert monitor.json("/proofs/inclusion?index=0&size=1")["checkpoint"] == http.get(f"{API}/checkpoints/1").text
    unsigned = monitor.json("/proofs/inclusion?index=0&size=3")
    assert (unsigned["size"], unsigned["checkpoint"]) == (3, None)
    assert refused(http.get(f"{API}/checkpoints/3"), 404) == "No checkpoint was signed when the ledger had 3 entries."


def test_a_monitor_that_follows_the_entries_computes_each_signed_root(
    db: Database, stage: Round, monitor: Monitor
) -> None:
    for names in (["minji"], ["junho", "seoyeon", "haneul"], ["doyun"], [f"citizen {n}" for n in range(12)]):
        votes_by(db, *names)
        sequences(db, stage.id)
        monitor.follow(limit=4)
    said = [json.loads(entry)["type"] for entry in monitor.entries]
    assert (said[0], said.count("vote.cast"), monitor.size) == ("round.opened", 17, 35)


def test_any_two_sizes_are_proved_consistent(db: Database, stage: Round, monitor: Monitor) -> None:
    roots = {}
    for name in ("minji", "junho", "seoyeon"):
        votes_by(db, name)
        sequences(db, stage.id)
        found = monitor.checkpoint()
        roots[found.size] = found.root
    assert list(roots) == [3, 5, 7]
    for first, second in combinations_with_replacement(roots, 2):
        proof = monitor.json(f"/proofs/consistency?first={first}&second={second}")
        assert extends(first, roots[first], second, roots[second], steps(proof))
    assert monitor.json("/proofs/consistency?first=3") == monitor.json("/proofs/consistency?first=3&second=7")


def test_entries_come_in_parts_and_none_twice(db: Database, stage: Round, monitor: Monitor) -> None:
    votes_by(db, "minji", "junho")
    sequences(db, stage.id)
    every = monitor.lines()
    assert len(every) == 5
    assert [monitor.lines(f"?start={start}&limit=2") for start in (0, 2, 4)] == [every[:2], every[2:4], every[4:]]
    assert monitor.lines("?start=5") == monitor.lines(f"?start={2**31 - 1}") == []


def test_what_has_no_position_yet_is_not_shown_and_its_proof_says_to_wait(
    db: Database, stage: Round, monitor: Monitor, http: httpx.Client
) -> None:
    sequences(db, stage.id)
    votes_by(db, "minji")
    leaf = waiting_hash(db, stage)
    assert len(monitor.lines()) == monitor.checkpoint().size == 1
    assert "no position yet" in refused(http.get(f"{API}/proofs/inclusion?leaf={leaf}"), 404)
    sequences(db, stage.id)
    assert monitor.json(f"/proofs/inclusion?leaf={leaf.upper()}")["index"] == 2
    assert "not among the first 1 " in refused(http.get(f"{API}/proofs/inclusion?leaf={leaf}&size=1"), 404)


def test_entries_tell_nobodys_words_and_no_voter(db: Database, stage: Round, monitor: Monitor) -> None:
    votes_by(db, "minji")
    sequences(db, stage.id)
    told = b"\n".join(monitor.lines()).decode()
    assert not [secret for secret in (KIMCHI, "가 답변", "minji", stage.seed, NOWHERE) if secret in told]


def test_before_the_first_checkpoint_it_says_to_wait(http: httpx.Client) -> None:
    for path in ROUTES:
        assert "not signed yet" in refused(http.get(f"{API}{path}"), 404)


def test_drafts_and_unknown_rounds_have_no_ledger_to_see(db: Database, http: httpx.Client) -> None:
    draft = round_file(NOWHERE, slug="stage-2")
    db.writing(lambda session: create_round(session, draft, allow=["127.0.0.0/8"], now=now()))
    for slug, path in product(("stage-2", "stage-9"), ROUTES):
        assert "could not find" in refused(http.get(f"/api/v1/rounds/{slug}{path}"), 404)
    for slug, path in product(("Not%20a%20slug", "%00"), ROUTES):
        refused(http.get(f"/api/v1/rounds/{slug}{path}"), 404)


def test_a_round_from_before_there_were_ledgers_says_so(db: Database, http: httpx.Client) -> None:
    old = round_file(NOWHERE, slug="stage-0")
    db.writing(lambda session: create_round(session, old, allow=["127.0.0.0/8"], now=now()))
    db.writing(lambda session: session.execute(text("update round set state = 'closed' where slug = 'stage-0'")))
    for path in ROUTES:
        assert "no ledger" in refused(http.get(f"/api/v1/rounds/stage-0{path}"), 404)


@pytest.mark.parametrize(
    ("path", "status", "said"),
    [
        ("/proofs/inclusion", 404, "Which entry?"),
        (f"/proofs/inclusion?index=0&leaf={'0' * 64}", 404, "Which entry?"),
        (f"/proofs/inclusion?leaf={'0' * 64}", 404, "no entry with this hash"),
        ("/proofs/inclusion?leaf=abc", 422, "leaf"),
        (f"/proofs/inclusion?leaf={'g' * 64}", 422, "leaf"),
        (f"/proofs/inclusion?leaf={'0' * 64}%0A", 422, "leaf"),
        ("/proofs/inclusion?index=-1", 422, "index"),
        ("/proofs/inclusion?index=1.5", 422, "index"),
        (f"/proofs/inclusion?index={2**31}", 422, "index"),
        (f"/proofs/inclusion?index={10**400}", 422, "index"),
        (f"/proofs/inclusion?index={2**31 - 1}", 404, "3 entries so far"),
        ("/proofs/inclusion?index=3", 404, "3 entries so far"),
        ("/proofs/inclusion?index=0&size=4", 404, "3 entries so far"),
        ("/proofs/inclusion?index=0&size=0", 404, "not among the first 0 "),
        ("/proofs/inclusion?index=2&size=2", 404, "not among the first 2 "),
        ("/proofs/consistency", 422, "first"),
        ("/proofs/consistency?first=4", 404, "3 entries so far"),
        ("/proofs/consistency?first=1&second=4", 404, "3 entries so far"),
        ("/proofs/consistency?first=2&second=1", 404, "from a smaller ledger to a larger"),
        ("/proofs/consistency?first=x", 422, "first"),
        ("/leaves?start=-1", 422, "start"),
        (f"/leaves?start={2**31}", 422, "start"),
        ("/leaves?limit=0", 422, "limit"),
        ("/leaves?limit=1001", 422, "limit"),
        ("/checkpoints/0", 404, "size"),
        ("/checkpoints/x", 404, "size"),
        (f"/checkpoints/{2**31}", 404, "size"),
    ],
)
def test_what_cannot_be_answered_is_one_clear_problem(
    three_entries: httpx.Client, path: str, status: int, said: str
) -> None:
    assert said in refused(three_entries.get(f"{API}{path}"), status)


def test_the_largest_numbers_are_no_fault_of_ours(db: Database, stage: Round, http: httpx.Client) -> None:
    sequences(db, stage.id)
    most = 2**31 - 1
    for path in (f"/proofs/inclusion?index={most}&size={most}", f"/leaves?start={most}", f"/checkpoints/{most}"):
        assert http.get(f"{API}{path}").status_code in (200, 404)


def test_what_is_known_already_is_not_sent_again_until_it_changes(
    db: Database, stage: Round, http: httpx.Client
) -> None:
    sequences(db, stage.id)
    etags = {}
    for path in ROUTES:
        first = http.get(f"{API}{path}")
        assert (first.status_code, first.headers["cache-control"]) == (200, "no-cache")
        etags[path] = first.headers["etag"]
        again = http.get(f"{API}{path}", headers={"If-None-Match": etags[path]})
        assert (again.status_code, again.content) == (304, b"")
    votes_by(db, "minji")
    sequences(db, stage.id)
    answers = {path: http.get(f"{API}{path}", headers={"If-None-Match": etags[path]}) for path in ROUTES}
    assert [path for path, answer in answers.items() if answer.status_code == 304] == ["/checkpoints/1"]


def test_a_checkpoint_is_the_stored_note_as_text(db: Database, stage: Round, http: httpx.Client) -> None:
    sequences(db, stage.id)
    found = http.get(f"{API}/checkpoint")
    assert found.headers["content-type"] == "text/plain; charset=utf-8"
    with db.reading() as session:
        kept = session.execute(text("select note from checkpoint")).scalar_one()
    assert found.content == kept.encode()
    assert hashlib.sha256(kept.encode()).hexdigest().startswith(found.headers["etag"].strip('"'))
