"""The page of a round's ledger: its key, its newest checkpoint, and what was fixed in advance."""

import hashlib
import html
import re
from collections.abc import Iterator

import httpx
import pytest
from sqlalchemy import text

from arena.clock import now
from arena.db import Database
from arena.proofs.notes import Checkpoint, VerifierKey
from arena.rounds.actions import create_round
from tests.data import NOWHERE, closes, opened
from tests.rounds.ledgers import Monitor, reading, sequences, votes_by
from tests.support import round_file

PAGE = "/rounds/stage-1/ledger"


@pytest.fixture
def http(database_url: str) -> Iterator[httpx.Client]:
    with reading(database_url) as client:
        client.headers["Accept-Language"] = "en"
        yield client


def shown(http: httpx.Client, path: str = PAGE, language: str = "en") -> str:
    answer = http.get(path, headers={"Accept-Language": language})
    assert answer.status_code == 200
    return html.unescape(answer.text)


def boxes(page: str) -> list[str]:
    """What stands in boxes for codes, exactly."""
    return re.findall(r'<pre class="exact"><code>(.*?)</code></pre>', page, re.DOTALL)


@pytest.mark.parametrize("language", ["ko", "en"])
def test_with_the_key_on_the_page_the_whole_ledger_is_checked(
    db: Database, http: httpx.Client, language: str
) -> None:
    round_ = opened(db)
    sequences(db, round_.id)
    key, note, *_ = boxes(shown(http, language=language))
    monitor = Monitor(http, key)
    monitor.follow()
    votes_by(db, "minji", "junho")
    sequences(db, round_.id)
    monitor.follow()
    assert monitor.size == 5
    assert Checkpoint.parse(VerifierKey.parse(key).signed(note)).size == 1


def test_it_shows_the_newest_checkpoint_and_how_many_entries_there_are(db: Database, http: httpx.Client) -> None:
    round_ = opened(db)
    votes_by(db, "minji", "junho")
    sequences(db, round_.id)
    page = shown(http)
    assert boxes(page)[1] == http.get("/api/v1/rounds/stage-1/checkpoint").text
    assert re.search(r"<dt>Entries</dt><dd>5</dd>", page)
    assert "<code>arena.example/rounds/stage-1</code>" in page
    assert round_.rules_hash in page


def test_before_the_first_checkpoint_it_says_to_wait_and_shows_the_key(db: Database, http: httpx.Client) -> None:
    opened(db)
    page = shown(http)
    assert "The first entries are being signed" in page
    assert VerifierKey.parse(boxes(page)[0]).name == "arena.example/rounds/stage-1"
    assert 'api/v1/rounds/stage-1/checkpoint" download' not in page


@pytest.mark.parametrize("reveal", ["after_vote", "after_close", "never"])
def test_the_lots_are_secret_while_the_round_is_open(db: Database, http: httpx.Client, reveal: str) -> None:
    round_ = opened(db, reveal=reveal)
    page = shown(http)
    assert round_.seed not in page
    assert round_.seed_commitment in page


@pytest.mark.parametrize("reveal", ["after_vote", "after_close"])
def test_after_the_closing_the_lots_fit_their_fingerprint(db: Database, http: httpx.Client, reveal: str) -> None:
    round_ = opened(db, reveal=reveal)
    closes(db)
    _, commitment, seed = re.findall(r"<dd><code>([0-9a-f]{64})</code></dd>", shown(http))
    assert seed == round_.seed
    assert hashlib.sha256(bytes.fromhex(seed)).hexdigest() == commitment == round_.seed_commitment


def test_the_lots_of_a_round_that_never_shows_names_stay_secret(db: Database, http: httpx.Client) -> None:
    round_ = opened(db, reveal="never")
    closes(db)
    page = shown(http)
    assert round_.seed not in page
    assert "The lots stay secret" in page


def test_a_round_from_before_there_were_ledgers_says_so(db: Database, http: httpx.Client) -> None:
    old = round_file(NOWHERE)
    db.writing(lambda session: create_round(session, old, allow=["127.0.0.0/8"], now=now()))
    db.writing(lambda session: session.execute(text("update round set state = 'closed'")))
    page = shown(http)
    assert "This round has no ledger" in page
    assert boxes(page) == []


def test_a_draft_has_no_page(db: Database, http: httpx.Client) -> None:
    draft = round_file(NOWHERE)
    db.writing(lambda session: create_round(session, draft, allow=["127.0.0.0/8"], now=now()))
    assert http.get(PAGE).status_code == 404
    assert http.get("/rounds/nothing/ledger").status_code == 404


def test_the_rounds_other_pages_lead_to_it(db: Database, http: httpx.Client) -> None:
    opened(db)
    for path in ("/rounds/stage-1", "/rounds/stage-1/rules", "/rounds/stage-1/leaderboard"):
        assert f'href="{PAGE}"' in shown(http, path)
