"""A round's form as a browser sends it, and an arena with its operators."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from sqlmodel import Session, col, select

from arena.accounts.tables import Act
from arena.clock import now
from arena.db import Database
from arena.office.round_fields import START, Sent, shown
from arena.rounds.actions import create_round
from arena.rounds.queries import find_round
from arena.rounds.rules import RoundFile
from arena.rounds.tables import Round
from tests.data import NOWHERE
from tests.staff import hire, signed_in
from tests.support import Citizen, round_file, serving, settings_for

EXAMPLE = Path(__file__).parents[2] / "docs" / "round.example.toml"
ALLOW = ["127.0.0.0/8"]


def team(number: int, name: str, **fields: str) -> dict[str, list[str]]:
    """The fields of a form's team, all well."""
    values = {
        "team.ko": f"{name} 팀",
        "team.en": f"Team {name}",
        "model": f"model-{name}",
        "base_url": f"{NOWHERE}/{name}/v1",
        "api_key_env": f"TEAM_{name.upper()}_KEY",
        "aliases": f"{name} 팀\nTeam{name}",
        "extra_body": '{"top_p": 0.95}',
    } | {key.replace("__", "."): value for key, value in fields.items()}
    return {f"entries.{number}.{path}": [value] for path, value in values.items()}


def form(**replaced: Any) -> dict[str, list[str]]:
    """A form of two teams, all well; `replaced` by path with two underscores for each dot."""
    begun = {name: list(values) for name, values in shown(START).items() if not name.startswith("entries.")}
    about = {"slug": ["stage-1"], "title.ko": ["1차"], "title.en": ["Stage 1"]}
    named = {name.replace("__", "."): value for name, value in replaced.items()}
    more = {name: value if isinstance(value, list) else [value] for name, value in named.items()}
    return begun | about | team(0, "a") | team(1, "b") | more


@dataclass(frozen=True, slots=True)
class Office:
    """A served arena, an operator and a moderator at their browsers."""

    origin: str
    db: Database
    sora: Citizen
    hana: Citizen
    jiwoo: Citizen

    def sends(
        self, fields: Sent, path: str = "/office/rounds/new", *, do: str = "save", by: Citizen | None = None
    ) -> httpx.Response:
        """Sends a form as multipart, as browsers do."""
        who = by or self.sora
        every: dict[str, Sequence[str]] = {**fields, "csrf": [who.csrf()], "do": [do]}
        parts = [(name, (None, value)) for name, values in every.items() for value in values]
        return who.http.post(path, files=parts, headers={"Origin": self.origin})

    def round(self, slug: str = "stage-1") -> Round | None:
        with self.db.reading() as session:
            return find_round(session, slug)

    def acts(self) -> list[tuple[str, str, str, str]]:
        """What, subject, outcome and why, of all but sign-ins."""
        return [(act.what, act.subject, act.outcome, act.why) for act in self.told()]

    def told(self) -> list[Act]:
        def read(session: Session) -> list[Act]:
            return list(session.exec(select(Act).order_by(col(Act.id))))

        with self.db.reading() as session:
            return [act for act in read(session) if act.what.startswith(("round.", "endpoint."))]


@contextmanager
def office(db: Database, database_url: str) -> Iterator[Office]:
    hire(db)
    with serving(settings_for(database_url)) as origin:
        sora, hana, jiwoo = (signed_in(origin, name) for name in ("sora", "hana", "jiwoo"))
        yield Office(origin, db, sora, hana, jiwoo)
        for person in (sora, hana, jiwoo):
            person.close()


def drafted(db: Database, file: RoundFile | None = None) -> Round:
    """A draft round."""
    found = file or round_file(NOWHERE)
    return db.writing(lambda session: create_round(session, found, allow=ALLOW, now=now()))
