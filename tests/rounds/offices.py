"""Operators and others of the office, what they propose, and what the ledger and the trail say of it."""

import json
from typing import Any

from sqlalchemy import text
from sqlmodel import Session, col, select

from arena.accounts.tables import Act
from arena.clock import now
from arena.db import Database
from arena.ledger.tables import Leaf
from arena.rounds.changes import approve, propose, withdraw
from arena.rounds.tables import Epoch, Proposal
from arena.rounds.wanted import read_wanted
from arena.teams.tables import Entry
from tests.staff import HANA, SORA

EVERYTHING = ["address", "pause", "join"]
ALLOW = ["127.0.0.0/8"]
MOVED = "http://127.0.0.1:9/moved/v1"
JOINER: dict[str, Any] = {
    "team_ko": "바 팀",
    "team_en": "Team F",
    "model": "late-model",
    "base_url": "http://127.0.0.1:9/late/v1",
    "api_key_env": "TEAM_F_KEY",
    "aliases": "바 팀\nTeamF",
    "extra_body": '{"top_p": 0.5}',
    "reason": "late_joiner",
}
FORMS: dict[str, dict[str, Any]] = {
    "address": {"entry": "e1", "base_url": MOVED, "reason": "endpoint_moved"},
    "pause": {"entry": "e2", "reason": "endpoint_failing"},
    "resume": {"entry": "e2", "reason": "endpoint_restored"},
    "join": JOINER,
}


def proposes(db: Database, kind: str, by: str = SORA, **fields: str) -> int:
    """The id of a proposal."""
    wanted = read_wanted({"kind": kind} | FORMS[kind] | fields, ALLOW)
    made = db.writing(lambda session: propose(session, "stage-1", wanted, by, now()))
    assert made.id is not None
    return made.id


def approves(db: Database, proposal: int, by: str = HANA) -> None:
    db.writing(lambda session: approve(session, "stage-1", proposal, by, now()))


def changes(db: Database, kind: str, **fields: str) -> None:
    """A change that two operators make."""
    approves(db, proposes(db, kind, **fields))


def withdraws(db: Database, proposal: int, by: str) -> None:
    db.writing(lambda session: withdraw(session, "stage-1", proposal, by, now()))


def runs_sql(db: Database, statement: str) -> None:
    db.writing(lambda session: session.execute(text(statement)))


def state_of(db: Database, proposal: int) -> str:
    with db.reading() as session:
        return session.get_one(Proposal, proposal).state


def epochs(db: Database) -> list[tuple[int, list[str]]]:
    with db.reading() as session:
        return [(epoch.number, epoch.entries) for epoch in session.exec(select(Epoch).order_by(col(Epoch.id)))]


def told(db: Database, kind: str = "entry.changed") -> list[dict[str, Any]]:
    """What the ledger's entries of a type say."""
    with db.reading() as session:
        found = session.exec(select(Leaf.body).where(Leaf.type == kind).order_by(col(Leaf.id)))
        return [json.loads(body) for body in found]


def acts(db: Database) -> list[tuple[str, str, str, str, str]]:
    """The trail as (who, what, subject, outcome, why), signing in aside."""

    def read(session: Session) -> list[Act]:
        return list(session.exec(select(Act).where(~col(Act.what).startswith("auth.")).order_by(col(Act.id))))

    with db.reading() as session:
        return [(act.who, act.what, act.subject, act.outcome, act.why) for act in read(session)]


def by_code(db: Database, code: str) -> Entry:
    with db.reading() as session:
        return session.exec(select(Entry).where(Entry.code == code)).one()
