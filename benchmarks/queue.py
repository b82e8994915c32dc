"""The review queue with 100,000 prompts waiting, on SQLite: the server's own milliseconds, over HTTP.

Run as `python -m benchmarks.queue`.
"""

import random
import statistics
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote

import structlog
from sqlalchemy import insert
from sqlmodel import Session, select

from arena.accounts.actions import record_consent
from arena.clock import now
from arena.db import Database, open_engine
from arena.migrations import migrate
from arena.moderation.queue_watch import first_look, look_again
from arena.rounds.tables import Round
from arena.screening.tables import Review
from benchmarks.load import percentile
from tests.staff import hire, signed_in
from tests.support import Citizen, open_round, round_file, serving, settings_for

PROMPTS = 100_000
REPEATS = 30
PAGE = "/office/queue"
WORDS = ("김치찌개", "두부", "서울", "부산", "날씨", "여행", "수학", "문제", "번역", "요리", "영화", "음악", "코드")
FLAGS = ("drugs", "hate", "violence", "spam")


def fill(session: Session) -> None:
    """A tenth is held, a fifth flagged; one in 20,000 holds the word that is searched for."""
    lots = random.Random(7)
    round_id = session.exec(select(Round.id)).one()
    start = now() - timedelta(seconds=PROMPTS)
    record_consent(session, "somebody", "1", publish=True, now=start)

    def row(number: int) -> dict[str, Any]:
        flagged = lots.random() < 0.2
        rare = " 바늘" if number % 20_000 == 19_999 else ""
        return {
            "round_id": round_id,
            "voter_id": "somebody",
            "locale": "en" if lots.random() < 0.1 else "ko",
            "text": " ".join(lots.choices(WORDS, k=lots.randint(4, 40))) + rare,
            "masked": {},
            "flags": [{"source": "rule", "code": lots.choice(FLAGS), "level": "log"}] if flagged else [],
            "flagged": flagged,
            "ruleset": 1,
            "state": "held" if lots.random() < 0.1 else "waiting",
            "created_at": start + timedelta(seconds=number),
        }

    for begin in range(0, PROMPTS, 5000):
        session.execute(insert(Review), [row(number) for number in range(begin, begin + 5000)])


@contextmanager
def queue() -> Iterator[tuple[Citizen, Database]]:
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{Path(folder) / 'arena.db'}"
        engine = open_engine(url)
        migrate(engine)
        engine.dispose()
        db = Database(url)
        hire(db)
        open_round(db, round_file("http://127.0.0.1:9"))
        db.writing(fill)
        with serving(settings_for(url)) as origin:
            moderator = signed_in(origin, "jiwoo")
            yield moderator, db
            moderator.close()
        db.close()


def took(ask: Callable[[], object], route: str = PAGE) -> list[float]:
    """The server's own ms for each of REPEATS requests, from its log."""
    ask()
    with structlog.testing.capture_logs() as logs:
        for _ in range(REPEATS):
            ask()
    return [entry["ms"] for entry in logs if entry.get("route") == route]


def say(what: str, ms: list[float]) -> None:
    print(f"{what:<58} p50 {statistics.median(ms):6.1f} ms   p99 {percentile(ms, 0.99):6.1f} ms", flush=True)


def pages(moderator: Citizen) -> None:
    for what, query in (
        ("first page", ""),
        ("newest first", "?order=newest"),
        ("flagged", "?state=flagged"),
        ("all", "?state=all"),
        ("deep in the queue", "?after=2.90000"),
        ("English", "?language=en"),
        ("flagged as hate", "?flag=hate"),
        ("search, frequent word", f"?q={quote('두부')}"),
        ("search, five in 100,000", f"?q={quote('바늘')}"),
        ("search, nothing found", f"?q={quote('없는낱말')}"),
        ("search of all, newest first, nothing found", f"?state=all&order=newest&q={quote('없는낱말')}"),
    ):
        say(what, took(partial(moderator.http.get, PAGE + query)))


def approvals(moderator: Citizen) -> None:
    """Each approves a prompt and claims the next."""
    with structlog.testing.capture_logs() as logs:
        csrf = moderator.csrf()
        for number in range(1, 101):
            form = {"csrf": csrf, "review": number, "act": "approve", "then": number + 1}
            headers = {"Origin": moderator.origin, "HX-Request": "true"}
            moderator.http.post(f"{PAGE}/acts", data=form, headers=headers).raise_for_status()
    say("an act, and the claim of the next", [each["ms"] for each in logs if each.get("route") == f"{PAGE}/acts"])


def looks(db: Database) -> None:
    ms = []
    with db.reading() as session:
        seen = first_look(session, now())
        for _ in range(REPEATS):
            began = now()
            look_again(session, seen, now())
            ms.append((now() - began).total_seconds() * 1000)
    say("a look for all readers of a process", ms)


if __name__ == "__main__":
    with queue() as (jiwoo, database):
        print(f"{PROMPTS:,} prompts to do, SQLite, {REPEATS} requests each")
        pages(jiwoo)
        approvals(jiwoo)
        looks(database)
