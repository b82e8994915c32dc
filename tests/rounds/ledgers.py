"""A round's ledger as somebody outside sees it: over HTTP, with nothing of the server's but a public key."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx

from arena.clock import now
from arena.db import Database
from arena.ledger.actions import sequence
from arena.proofs.merkle import Growing, extends, leaf_hash
from arena.proofs.notes import Checkpoint, VerifierKey
from tests.data import voted, voter
from tests.support import KEY, serving, settings_for


@contextmanager
def reading(database_url: str) -> Iterator[httpx.Client]:
    """A reader without a key, at an arena whose entries get their positions when the test says."""
    with (
        serving(settings_for(database_url, embedded_worker=False)) as origin,
        httpx.Client(base_url=origin) as http,
    ):
        yield http


def sequences(db: Database, round_id: int | None) -> None:
    assert db.writing(lambda session: sequence(session, round_id or 0, KEY, now()))


def votes_by(db: Database, *names: str) -> None:
    """A battle and a vote of each: two entries."""
    for name in names:
        voted(db, voter(db, name))


class Monitor:
    """Follows a ledger: keeps the key and the newest checkpoint, and believes nothing that does not fit them."""

    def __init__(self, http: httpx.Client, key: str, slug: str = "stage-1") -> None:
        self._http, self._key, self._path = http, VerifierKey.parse(key), f"/api/v1/rounds/{slug}"
        self._tree = Growing()
        self.root, self.size = self._tree.root(), 0
        self.entries: list[bytes] = []

    def json(self, path: str) -> dict[str, Any]:
        answer = self._http.get(f"{self._path}{path}")
        assert answer.status_code == 200, answer.text
        body: dict[str, Any] = answer.json()
        return body

    def checkpoint(self, path: str = "/checkpoint") -> Checkpoint:
        answer = self._http.get(f"{self._path}{path}")
        assert answer.status_code == 200, answer.text
        return Checkpoint.parse(self._key.signed(answer.text))

    def lines(self, query: str = "") -> list[bytes]:
        answer = self._http.get(f"{self._path}/leaves{query}")
        assert answer.status_code == 200, answer.text
        assert answer.headers["content-type"] == "application/x-ndjson"
        return answer.content.splitlines()

    def follow(self, *, limit: int = 1000) -> None:
        """Reads on up to the newest checkpoint and checks that what was known before begins it."""
        newest = self.checkpoint()
        while self._tree.size < newest.size:
            found = self.lines(f"?start={self._tree.size}&limit={min(limit, newest.size - self._tree.size)}")
            assert found
            self.entries += found
            for entry in found:
                self._tree.add(leaf_hash(entry))
        assert self._tree.root() == newest.root
        proof = self.json(f"/proofs/consistency?first={self.size}&second={newest.size}")
        assert extends(self.size, self.root, newest.size, newest.root, steps(proof))
        self.size, self.root = newest.size, newest.root


def steps(proof: dict[str, Any]) -> list[bytes]:
    return [bytes.fromhex(step) for step in proof["hashes"]]
