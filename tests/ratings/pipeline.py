"""A round with votes, and a scoring pipeline that asks a running arena about it."""

import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import httpx
from sqlmodel import Session

from arena.accounts.actions import SCOPES, create_key
from arena.accounts.tables import Voter
from arena.battles.counting import RatedVote, count_vote, earlier_votes
from arena.battles.tables import Battle, Vote
from arena.clock import now
from arena.db import Database
from arena.rounds.tables import Round
from arena.teams.queries import entries_of
from tests.support import serving, settings_for

Ballot = tuple[str, str, str]
"""The codes of the entries at side A and B, and the choice."""

HOUR = timedelta(hours=1)
BALLOTS: list[Ballot] = [
    *[("e1", "e2", "a")] * 12,
    *[("e2", "e1", "a")] * 4,
    *[("e2", "e3", "b")] * 6,
    *[("e3", "e2", "tie")] * 4,
    *[("e3", "e4", "a")] * 10,
    *[("e4", "e3", "both_bad")] * 4,
    *[("e4", "e5", "b")] * 8,
    *[("e5", "e4", "b")] * 6,
    *[("e5", "e1", "tie")] * 4,
    *[("e1", "e5", "a")] * 2,
]


def cast_ballots(db: Database, round_: Round, ballots: Sequence[Ballot], *, each_voter: int = 1) -> None:
    """Votes of an hour ago, in this order; a new voter after `each_voter` of them."""
    db.writing(lambda session: _cast(session, round_, ballots, each_voter))


def _cast(session: Session, round_: Round, ballots: Sequence[Ballot], each_voter: int) -> None:
    assert round_.id is not None
    ids = {entry.code: entry.id for entry in entries_of(session, round_.id)}
    then = now() - HOUR
    for k, (a, b, choice) in enumerate(ballots):
        if k % each_voter == 0:
            voter = Voter(id=uuid.uuid4().hex, created_at=then)
            session.add(voter)
            session.flush()
        battle = Battle(
            id=uuid.uuid4().hex,
            round_id=round_.id,
            voter_id=voter.id,
            epoch=1,
            k=k % each_voter,
            entry_a=ids[a],
            entry_b=ids[b],
            state="voted",
            locale="ko",
            created_at=then,
        )
        session.add(battle)
        session.flush()
        earlier = earlier_votes(session.connection(), battle.id)
        session.add(Vote(battle_id=battle.id, receipt=uuid.uuid4().hex, choice=choice, cast_at=then))
        session.flush()
        count_vote(session.connection(), earlier, RatedVote(ids[a], ids[b], choice))


@dataclass(frozen=True, slots=True)
class Pipeline:
    """A scoring pipeline with a key of all scopes."""

    http: httpx.Client
    key: str

    def get(self, path: str, **headers: str) -> httpx.Response:
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.http.get("/api/v1" + path, headers={"Authorization": f"Bearer {self.key}"} | sent)

    def json(self, path: str) -> dict[str, Any]:
        answer = self.get(path)
        assert answer.status_code == 200, answer.text
        body: dict[str, Any] = answer.json()
        return body


@contextmanager
def pipeline_of(db: Database, database_url: str, **settings: Any) -> Iterator[Pipeline]:
    """A pipeline at an arena that serves this database."""
    key = db.writing(lambda session: create_key(session, "pipeline", SCOPES, now()))
    with serving(settings_for(database_url, **settings)) as origin, httpx.Client(base_url=origin) as http:
        yield Pipeline(http, key)
