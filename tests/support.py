"""What many tests need: a round, a running arena, a citizen with a browser's habits."""

import json
import re
import secrets
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import httpx
import uvicorn
from pydantic import SecretStr

from arena.app import create_app
from arena.clock import now
from arena.db import Database
from arena.demo.personas import PERSONAS
from arena.proofs.notes import SigningKey
from arena.rounds.actions import create_round, start_round
from arena.rounds.rules import RoundFile
from arena.rounds.tables import Round
from arena.serving import configuration, listen
from arena.settings import Settings

KEY = SigningKey("arena.example", bytes(range(32)))
"""Signs the ledgers of tests."""

RULES: dict[str, Any] = {
    "choices": ["a", "b", "tie", "both_bad"],
    "max_turns": 3,
    "max_battles_per_voter": 30,
    "rated_votes_per_voter": 30,
    "reveal": "after_close",
    "who": "open",
    "answer": {"max_tokens": 512, "temperature": 0.7, "system_prompt": ""},
    "deadlines": {"first_token_s": 5, "idle_s": 5, "total_s": 20},
    "pacing": "together",
    "identity_leak": "exclude",
    "score": {"points": 25, "formula": "anchored", "anchors": [0.35, 0.65], "min_votes_per_entry": 100},
}


def round_file(origin: str, *, slug: str = "stage-1", teams: int = 5, **rules: Any) -> RoundFile:
    """A round of the demo teams behind `origin`; `rules` replace those of RULES."""
    return RoundFile.model_validate(
        {
            "slug": slug,
            "title": {"ko": "1차 단계평가", "en": "Stage 1"},
            "rules": RULES | rules,
            "entries": [
                {
                    "team": dict(persona.name),
                    "model": persona.model,
                    "base_url": f"{origin}/{persona.code}/v1",
                    "aliases": list(persona.aliases),
                }
                for persona in list(PERSONAS.values())[:teams]
            ],
        }
    )


def open_round(db: Database, file: RoundFile) -> Round:
    """The round of a round file, created and opened."""
    db.writing(lambda session: create_round(session, file, allow=["127.0.0.0/8"], now=now()))
    return db.writing(lambda session: start_round(session, file.slug, KEY, now()))


@cache
def _files() -> "tempfile.TemporaryDirectory[str]":
    """Gone when this process ends."""
    return tempfile.TemporaryDirectory(prefix="arena-tests-")


def settings_for(database_url: str, **values: Any) -> Settings:
    """Settings with a data folder of their own and sign-in by password alone, unless told."""
    values.setdefault("second_factor", False)
    values.setdefault("data_dir", Path(tempfile.mkdtemp(dir=_files().name)))
    return Settings(
        database_url=database_url,
        secret_key=SecretStr(secrets.token_urlsafe(48)),
        ledger_key=SecretStr(KEY.secret()),
        endpoint_allow=["127.0.0.0/8"],
        **values,
    )


@contextmanager
def serving(settings: Settings) -> Iterator[str]:
    """The arena on a free port in a thread of this process; yields its origin."""
    listener = listen("127.0.0.1", 0)
    server = uvicorn.Server(configuration(create_app(settings), settings))
    thread = threading.Thread(target=server.run, args=([listener],), name="arena")
    thread.start()
    origin = f"http://127.0.0.1:{listener.getsockname()[1]}"
    try:
        httpx.get(origin + "/healthz", timeout=10)
        yield origin
    finally:
        server.should_exit = True
        thread.join()
        listener.close()


def eventually(condition: Callable[[], bool], within_s: float = 10) -> bool:
    """Whether `condition` comes true within the time; looks every few milliseconds."""
    end = time.monotonic() + within_s
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.005)
    return True


@dataclass
class Stream:
    """An event stream, played back as a browser would: the HTML of both sides and how it ended."""

    a: str = ""
    b: str = ""
    outcome: str | None = None
    frames: int = 0
    _tails: list[str] = field(default_factory=lambda: ["", ""])
    _done: list[str] = field(default_factory=lambda: ["", ""])

    def take(self, event: str, data: str) -> None:
        if event == "done":
            self.outcome = data
        elif event == "state":
            state = json.loads(data)
            self._done = [state["a"][0], state["b"][0]]
            self._tails = [state["a"][1], state["b"][1]]
        else:
            self.frames += 1
            for side, steps in enumerate(json.loads(data)):
                for step in [steps] if isinstance(steps, str) else steps:
                    self._step(side, step)
        self.a, self.b = (done + tail for done, tail in zip(self._done, self._tails, strict=True))

    def _step(self, side: int, step: Any) -> None:
        if step == 0:
            self._done[side] += self._tails[side]
            self._tails[side] = ""
        elif isinstance(step, str):
            self._tails[side] += step
        else:
            units = self._tails[side].encode("utf-16-le")
            self._tails[side] = units[: len(units) - 2 * step[0]].decode("utf-16-le") + step[1]


class Citizen:
    """A browser without a screen: keeps cookies, sends forms with their token, reads streams."""

    def __init__(self, origin: str, *, language: str = "ko") -> None:
        self.origin = origin
        self.http = httpx.Client(base_url=origin, headers={"Accept-Language": language}, timeout=30)

    def csrf(self) -> str:
        """The token of the landing page's form."""
        found = re.search(r'name="csrf" value="([^"]+)"', self.http.get("/").text)
        assert found
        return found[1]

    def post(self, path: str, *, headers: dict[str, str] | None = None, **form: Any) -> httpx.Response:
        """Sends a form as a browser does: own origin, own token, unless `headers` or `form` say otherwise."""
        form.setdefault("csrf", self.csrf())
        return self.http.post(path, data=form, headers={"Origin": self.origin} | (headers or {}))

    def ask(self, prompt: str = "김치찌개 끓이는 법을 알려 주세요") -> str:
        """Starts a battle, with consent; returns its path."""
        answer = self.post("/battles", prompt=prompt, consent=["participate"])
        assert answer.status_code == 303, answer.text
        return answer.headers["location"]

    def read(self, battle: str, turn: int = 1) -> Stream:
        """Reads a turn's stream to its end."""
        played, event = Stream(), "message"
        with self.http.stream("GET", f"{battle}/turns/{turn}/stream") as answer:
            assert answer.status_code == 200
            for line in answer.iter_lines():
                if line.startswith("event:"):
                    event = line.removeprefix("event:")
                elif line.startswith("data:"):
                    played.take(event, line.removeprefix("data:"))
                elif not line:
                    event = "message"
        return played

    def vote(self, battle: str, choice: str = "a", **form: Any) -> httpx.Response:
        return self.post(f"{battle}/vote", choice=choice, **form)

    def battle(self, choice: str = "a", prompt: str = "김치찌개 끓이는 법을 알려 주세요") -> str:
        """A whole battle, from the question to the vote; returns its path."""
        path = self.ask(prompt)
        assert self.read(path).outcome == "complete"
        assert self.vote(path, choice).status_code == 303
        return path

    def close(self) -> None:
        self.http.close()
