"""An arena with two scripted teams, readers who come and go, and voters whose cookie the test makes itself."""

import socket
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from http.client import HTTPConnection, HTTPException
from typing import Any
from urllib.parse import urlsplit

from sqlmodel import Session, select

from arena.accounts.actions import record_consent
from arena.battles.dealing import start_battle
from arena.battles.pages import CONSENT_VERSION
from arena.battles.queries import answers_of, turns_of
from arena.battles.tables import Answer, Battle, Turn
from arena.clock import now
from arena.db import Database
from arena.demo.personas import PERSONAS
from arena.rounds import queries as rounds
from arena.rounds.rules import RoundFile
from arena.settings import Settings
from arena.web.visitor import COOKIE, Identity, Visitor
from tests.battles.endpoint import Endpoint
from tests.support import Citizen, Stream, open_round, round_file, serving, settings_for

FIRST, SECOND = list(PERSONAS)[:2]
QUESTION = "김치찌개 끓이는 법을 알려 주세요"


class Listener:
    """Reads a turn's stream in a thread of its own and can leave at any moment."""

    def __init__(self, citizen: Citizen, battle: str, turn: int = 1) -> None:
        connection = HTTPConnection(urlsplit(citizen.origin).netloc, timeout=30)
        cookies = "; ".join(f"{name}={value}" for name, value in citizen.http.cookies.items())
        connection.request("GET", f"{battle}/turns/{turn}/stream", headers={"Cookie": cookies})
        self._socket: socket.socket = connection.sock
        self._response = connection.getresponse()
        assert self._response.status == 200
        self.played = Stream()
        self._thread = threading.Thread(target=self._listen, name="listener")
        self._thread.start()

    def _listen(self) -> None:
        event = "message"
        with suppress(OSError, HTTPException):
            for line in self._response:
                name, _, value = line.decode().rstrip("\n").partition(":")
                if name == "event":
                    event = value
                elif name == "data":
                    self.played.take(event, value)
                    event = "message"
        self._response.close()
        self._socket.close()

    def finish(self) -> Stream:
        """What was played, at the stream's end."""
        self._thread.join(30)
        assert not self._thread.is_alive()
        return self.played

    def leave(self) -> None:
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self.finish()


@dataclass(frozen=True, slots=True)
class Stage:
    origin: str
    db: Database
    settings: Settings
    _citizens: list[Citizen] = field(default_factory=list)

    def citizen(self, voter: str | None = None) -> Citizen:
        """Someone with a browser; with `voter` the one of that id."""
        citizen = Citizen(self.origin)
        self._citizens.append(citizen)
        if voter:
            citizen.http.cookies.set(COOKIE, identity(self.settings).cookie(Visitor(voter, known=True)))
        return citizen

    def close(self) -> None:
        for citizen in self._citizens:
            citizen.close()

    def orphan(self, age: timedelta) -> tuple[str, str]:
        """A battle whose first turn another process began to stream `age` ago; the voter's id and its path."""
        voter = uuid.uuid4().hex
        return voter, f"/battles/{self.db.writing(lambda session: self._orphan(session, voter, age))}"

    def _orphan(self, session: Session, voter: str, age: timedelta) -> str:
        round_ = rounds.open_round(session)
        assert round_
        record_consent(session, voter, CONSENT_VERSION, publish=False, now=now())
        return start_battle(session, round_, voter, QUESTION, "ko", now() - age)[0].id

    def battle(self, path: str) -> Battle:
        with self.db.reading() as session:
            return session.exec(select(Battle).where(Battle.id == path.split("/")[2])).one()

    def turn(self, path: str, number: int = 1) -> Turn:
        with self.db.reading() as session:
            return turns_of(session, path.split("/")[2])[number - 1]

    def answers(self, path: str, number: int = 1) -> tuple[Answer, Answer]:
        turn = self.turn(path, number)
        with self.db.reading() as session:
            return answers_of(session, turn.id or 0)


def identity(settings: Settings) -> Identity:
    assert settings.secret_key
    return Identity(settings.secret_key.get_secret_value())


@contextmanager
def staged(
    database_url: str, team: Endpoint, *, teams: int = 2, max_battles: int = 300, **rules: Any
) -> Iterator[Stage]:
    """Serves an open round of `teams` teams that all answer at `team`; `rules` replace the usual ones."""
    with opened(database_url, round_file(team.origin, teams=teams, **rules), max_battles=max_battles) as stage:
        yield stage


@contextmanager
def opened(database_url: str, file: RoundFile, **settings_: Any) -> Iterator[Stage]:
    """Serves an open round of a round file."""
    db = Database(database_url)
    try:
        open_round(db, file)
        settings = settings_for(database_url, **settings_)
        with serving(settings) as origin:
            stage = Stage(origin, db, settings)
            yield stage
            stage.close()
    finally:
        db.close()
