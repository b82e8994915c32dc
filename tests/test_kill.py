"""kill -9 of the server under a stream of votes, again and again: what was acknowledged is there, once, proven."""

import re
import threading
import uuid
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import httpx
from sqlmodel import Session, select

from arena.accounts.actions import record_consent
from arena.battles.actions import finish_turn
from arena.battles.column import Said
from arena.battles.dealing import start_battle
from arena.battles.pages import CONSENT_VERSION
from arena.battles.queries import turn_job
from arena.battles.tables import CHOICES, Battle, Vote
from arena.clock import now
from arena.db import Database
from arena.offline.bundle import LEDGER, Bundle
from arena.offline.witnesses import Receipt
from arena.proofs.merkle import leaf_hash
from arena.rounds.queries import open_round as current_round
from arena.settings import Settings
from arena.web.visitor import COOKIE, Visitor
from tests.battles.stage import identity
from tests.data import closes
from tests.ledger.played import bundle_of, verified
from tests.processes import arena_command
from tests.support import eventually, open_round, round_file, settings_for

KILLS = 30
VOTERS = 4
VOTES_A_LIFE = 15
BATTLES = 800
SAID = (Said("왼쪽", "complete", 1, 2), Said("오른쪽", "complete", 1, 2))


def prepare(session: Session) -> list[tuple[str, str]]:
    """Votable battles, each of a voter of its own: the voters' and the battles' ids."""
    round_ = current_round(session)
    assert round_
    made = []
    for _ in range(BATTLES):
        voter = uuid.uuid4().hex
        record_consent(session, voter, CONSENT_VERSION, publish=False, now=now())
        battle, turn, *_ = start_battle(session, round_, voter, "안녕?", "ko", now())
        assert finish_turn(session, turn_job(session, turn), "complete", SAID, now())
        made.append((voter, battle.id))
    return made


class Voting:
    """Votes on one battle after another until the server is gone; notes what it acknowledged."""

    def __init__(self, settings: Settings, battles: Iterator[tuple[str, str]]) -> None:
        self._signs = identity(settings)
        self._battles = battles
        self._lock = threading.Lock()
        self.acknowledged: dict[str, tuple[str, str]] = {}
        self.receipts: list[bytes] = []

    def has(self, acknowledged: int) -> bool:
        return len(self.acknowledged) >= acknowledged

    def against(self, origin: str) -> None:
        with httpx.Client(base_url=origin, timeout=10) as client:
            while True:
                with self._lock:
                    voter, battle = next(self._battles)
                try:
                    self._vote(client, voter, battle)
                except httpx.TransportError:
                    return

    def _vote(self, client: httpx.Client, voter: str, battle: str) -> None:
        visitor, choice = Visitor(voter, known=True), CHOICES[int(battle, 16) % len(CHOICES)]
        answer = client.post(
            f"/battles/{battle}/vote",
            data={"choice": choice, "csrf": self._signs.csrf(visitor)},
            headers={
                "Cookie": f"{COOKIE}={self._signs.cookie(visitor)}",
                "Origin": str(client.base_url).rstrip("/"),
                "HX-Request": "true",
            },
        )
        assert answer.status_code == 200, answer.text
        receipt = re.search(r'class="receipt">(\w+)<', answer.text)
        assert receipt
        self.acknowledged[battle] = (choice, receipt[1])
        file = client.get(f"/receipts/{receipt[1]}.json")
        assert file.status_code == 200, file.text
        self.receipts.append(file.content)


def check_receipts(db: Database, receipts: list[bytes], folder: Path) -> None:
    """Every receipt that a voter got is signed, and its vote is in the ledger, which verifies as a whole."""
    closes(db)
    bundle = bundle_of(db, folder / "bundle")
    verified(bundle)
    held = {leaf_hash(line) for line in Bundle(bundle).lines(LEDGER)}
    for content in receipts:
        (folder / "receipt.json").write_bytes(content)
        receipt = Receipt.read(folder / "receipt.json")
        receipt.check()
        assert receipt.promise or receipt.proof
        assert receipt.hash in held
    assert len(receipts) >= KILLS * VOTES_A_LIFE // 2


def test_every_acknowledged_vote_outlives_thirty_kills_and_its_receipt_verifies(
    sqlite_url: str, tmp_path: Path
) -> None:
    db, settings = Database(sqlite_url), settings_for(sqlite_url)
    open_round(db, round_file("http://127.0.0.1:9"))
    voting = Voting(settings, iter(db.writing(prepare)))
    for _ in range(KILLS):
        with arena_command(tmp_path / "log", "serve", settings=settings) as served:
            threads = [threading.Thread(target=voting.against, args=(served.origin,)) for _ in range(VOTERS)]
            wanted = len(voting.acknowledged) + VOTES_A_LIFE
            for thread in threads:
                thread.start()
            enough = eventually(partial(voting.has, wanted), 20)
            served.process.kill()
            for thread in threads:
                thread.join()
            assert enough
    with db.reading() as session:
        votes = session.exec(select(Vote)).all()
        voted = session.exec(select(Battle.id).where(Battle.state == "voted")).all()
    check_receipts(db, voting.receipts, tmp_path)
    db.close()
    stored = {vote.battle_id: (vote.choice, vote.receipt) for vote in votes}
    assert len(votes) == len(stored)
    assert set(stored) == set(voted)
    assert len(voting.acknowledged) >= KILLS * VOTES_A_LIFE
    assert voting.acknowledged.items() <= stored.items()
    assert len(stored) - len(voting.acknowledged) <= KILLS * VOTERS
