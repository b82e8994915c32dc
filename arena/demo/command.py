"""`arena demo`: a fresh database, an open demo round, its teams' endpoints, and the server; all in one process."""

import secrets
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import uvicorn
from pydantic import SecretStr

from arena.accounts.actions import SCOPES, create_admin, create_key
from arena.app import create_app
from arena.clock import now
from arena.db import Database
from arena.demo.endpoints import demo_app, serve_in_thread
from arena.demo.personas import PERSONAS
from arena.demo.real import RealModelsError, real_models
from arena.errors import RefusedError
from arena.migrations import migrate
from arena.proofs.notes import SigningKey
from arena.rounds.actions import create_round, start_round
from arena.rounds.rules import RoundFile
from arena.serving import configuration, listen
from arena.settings import Settings
from arena.web.observe import configure_logging

HOST = "127.0.0.1"
PEOPLE = (
    ("sora", "operator"),
    ("hana", "operator"),
    ("jiwoo", "moderator"),
    ("bora", "moderator"),
    ("doyun", "auditor"),
)
"""Two operators, as some things need two."""
MODELS_PYTHON = Path(".venv-models/bin/python")

Entries = list[dict[str, Any]]


class Login(NamedTuple):
    role: str
    email: str
    password: str


def run_demo(port: int, folder: Path | None, *, real: bool) -> None:
    """Serves until Ctrl-C or SIGTERM, then tidies up.

    Raises RefusedError when the port is taken or the folder holds an arena already. Call it in the main thread.
    """
    signal.signal(signal.SIGTERM, _leave)
    with ExitStack() as stack:
        listener = stack.enter_context(listen(HOST, port))
        place = folder or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="arena-demo-")))
        settings = Settings(
            database_url=_fresh_database(place),
            data_dir=place,
            secret_key=SecretStr(secrets.token_urlsafe(48)),
            ledger_key=SecretStr(SigningKey.generate("demo.blind-arena").secret()),
            endpoint_allow=["127.0.0.0/8"],
            second_factor=False,
        )
        entries = stack.enter_context(_real_entries(_say) if real else _built_in_entries())
        people, key = _prepare(settings, entries, real=real)
        server = uvicorn.Server(configuration(create_app(settings, demo=True), settings))
        _greet(f"http://{HOST}:{listener.getsockname()[1]}", people, key)
        configure_logging()
        server.run([listener])


def _leave(number: int, _frame: object) -> None:
    sys.exit(128 + number)


def _fresh_database(folder: Path) -> str:
    file = folder / "arena.db"
    if file.exists():
        raise RefusedError(f"{file} exists already; a demo starts fresh: choose another --dir, or remove the file")
    return f"sqlite:///{file}"


@contextmanager
def _built_in_entries() -> Iterator[Entries]:
    with serve_in_thread(demo_app()) as origin:
        yield [
            {
                "team": dict(persona.name),
                "model": persona.model,
                "base_url": f"{origin}/{persona.code}/v1",
                "aliases": list(persona.aliases),
            }
            for persona in PERSONAS.values()
        ]


@contextmanager
def _real_entries(say: Callable[[str], None]) -> Iterator[Entries]:
    try:
        with real_models(MODELS_PYTHON, say) as models:
            yield [
                {
                    "team": {"ko": model.name, "en": model.name},
                    "model": model.model,
                    "base_url": model.base_url,
                    "aliases": list(model.aliases),
                }
                for model in models
            ]
    except RealModelsError as error:
        raise RefusedError(str(error)) from None


def demo_round(entries: Entries, *, real: bool) -> RoundFile:
    """The demo's round. Names are shown after each vote, so that a visitor sees what a vote was about."""
    return RoundFile.model_validate(
        {
            "slug": "demo",
            "title": {"ko": "시연 회차", "en": "Demo round"},
            "rules": {
                "choices": ["a", "b", "tie", "both_bad"],
                "max_turns": 3 if real else 5,
                "max_battles_per_voter": 1000,
                "rated_votes_per_voter": 1000,
                "reveal": "after_vote",
                "who": "open",
                "answer": {"max_tokens": 256 if real else 1024, "temperature": 0.7, "system_prompt": ""},
                "deadlines": {"first_token_s": 30, "idle_s": 20, "total_s": 180},
                "pacing": "together",
                "identity_leak": "exclude",
                "may_change": ["address", "pause", "join"],
                "score": {
                    "points": 25,
                    "formula": "anchored",
                    "anchors": [0.35, 0.65],
                    "min_votes_per_entry": 100,
                },
            },
            "entries": entries,
        }
    )


def _prepare(settings: Settings, entries: Entries, *, real: bool) -> tuple[list[Login], str]:
    """Fills the fresh database; returns the office's people and an API key."""
    people = [Login(role, f"{name}@demo.example", secrets.token_urlsafe(12)) for name, role in PEOPLE]
    file = demo_round(entries, real=real)
    db = Database(settings.database)
    try:
        migrate(db.engine)
        locales = ("en",) if real else ("ko", "en")
        db.writing(
            lambda s: create_round(
                s, file, allow=settings.endpoint_allow, now=now(), demo=True, suggestion_locales=locales
            )
        )
        db.writing(lambda s: start_round(s, file.slug, settings.signing_key, now()))
        for login in people:
            db.writing(partial(create_admin, email=login.email, role=login.role, password=login.password, now=now()))
        key = db.writing(lambda s: create_key(s, "demo", SCOPES, now()))
    finally:
        db.close()
    return people, key


def _say(line: str) -> None:
    print(line, flush=True)


def _greet(address: str, people: Sequence[Login], key: str) -> None:
    logins = "\n".join(f"    {login.role:<9}  {login.email:<18}  {login.password}" for login in people)
    _say(
        f"\n  Blind Arena, demo round:  {address}\n"
        f"  The office:               {address}/sign-in\n"
        f"{logins}\n"
        f"  API key:                  {key}\n"
        f"                            curl -H 'Authorization: Bearer {key}' {address}/api/v1/rounds/demo/ratings\n"
        "  Ctrl-C ends it.\n"
    )
