"""How long the server takes for a round's desk with many battles, on SQLite: whole, and its numbers alone.

.venv/bin/python -m benchmarks.desk [BATTLES]
"""

import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from pathlib import Path

from sqlmodel import Session

from arena.accounts.tables import Voter
from arena.battles.tables import Answer, Battle, RawAnswer, Turn, VoteCell
from arena.clock import now
from arena.db import Database, Row, open_engine
from arena.migrations import migrate
from arena.office.round_desk import desk_page
from arena.rounds.actions import create_round, start_round
from arena.teams.queries import entries_of
from arena.web.pages import Frame
from arena.web.rendering import Renderer
from tests.support import KEY, round_file

BATTLES = 100_000
DAYS = 14
TEAMS = 5
RUNS = 15
LEAKS = 0.03
"""The share of answers in which a name was masked."""


def fill(db: Database, battles: int) -> None:
    """A round of five teams and one turn a battle, over two weeks, with answers of 800 characters."""
    chance, begun = random.Random(1), now() - timedelta(days=DAYS)
    file = round_file("http://127.0.0.1:9", teams=TEAMS)
    db.writing(lambda session: create_round(session, file, allow=["127.0.0.0/8"], now=begun))
    db.writing(lambda session: start_round(session, file.slug, KEY, begun))
    with db.reading() as session:
        ids = [entry.id for entry in entries_of(session, 1)]
    for first in range(0, battles, 5000):
        numbers = range(first, min(first + 5000, battles))
        db.writing(partial(_insert, numbers=numbers, battles=battles, ids=ids, chance=chance))
    cells = [
        VoteCell(round_id=1, entry_a=a, entry_b=b, a=900, b=800, tie=200, both_bad=100, voters=500, together={})
        for a in ids
        for b in ids
        if a != b
    ]
    db.writing(lambda session: session.add_all(cells))


def _insert(session: Session, numbers: range, battles: int, ids: list[int], chance: random.Random) -> None:
    start = now() - timedelta(days=DAYS)
    rows: dict[type[Row], list[dict[str, object]]] = {each: [] for each in (Voter, Battle, Turn, Answer, RawAnswer)}
    for number in numbers:
        at = start + timedelta(days=DAYS) * number / battles
        name, (a, b) = f"{number:032x}", chance.sample(ids, 2)
        state = chance.choices(("voted", "expired", "void"), (88, 9, 3))[0]
        rows[Voter].append({"id": name, "created_at": at})
        rows[Battle].append({
            "id": name, "round_id": 1, "voter_id": name, "epoch": 1, "k": 0, "entry_a": a, "entry_b": b,
            "state": state, "locale": "ko", "created_at": at, "identity_probe": number % 50 == 0, "said": "0" * 64,
            "salt": "0" * 64,
        })  # fmt: skip
        rows[Turn].append({
            "id": number + 1, "battle_id": name, "number": 1, "prompt": "질문" * 30, "attempt": 1, "alive_at": at,
            "created_at": at, "state": "failed" if state == "void" else "complete",
        })  # fmt: skip
        for side in (0, 1):
            leaks = chance.random() < LEAKS
            answer = 2 * number + side + 1
            rows[Answer].append({
                "id": answer, "turn_id": number + 1, "side": "ab"[side], "text": "가" * 800,
                "ending": "idle" if state == "void" and side else "complete", "names": int(leaks), "characters": 800,
                "first_token_ms": chance.randint(200, 3000), "total_ms": chance.randint(4000, 20000),
            })  # fmt: skip
            if leaks:
                rows[RawAnswer].append({"answer_id": answer, "text": "가" * 800})
    for table, found in rows.items():
        if found:
            session.execute(Row.metadata.tables[str(table.__tablename__)].insert(), found)


def timed(work: Callable[[], object]) -> str:
    """The median and the slowest of some runs; the first, which fills caches, aside and told."""
    took = []
    for _ in range(RUNS + 1):
        began = time.perf_counter()
        work()
        took.append((time.perf_counter() - began) * 1000)
    first, *rest = took
    return f"median {statistics.median(rest):.0f} ms, slowest {max(rest):.0f} ms, first {first:.0f} ms"


def main() -> None:
    battles = int(sys.argv[1]) if len(sys.argv) > 1 else BATTLES
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{Path(folder) / 'arena.db'}"
        engine = open_engine(url)
        migrate(engine)
        engine.dispose()
        db, renderer = Database(url), Renderer()
        fill(db, battles)
        frame = Frame(locale="ko", theme="auto", path="/", csrf="", demo=False, admin=None)

        def desk(*, whole: bool) -> str:
            with db.reading() as session:
                page = desk_page(session, "stage-1", "ko", now(), whole=whole)
            return renderer.html("office/round_desk.html" if whole else "office/_round_numbers.html", page, frame)

        print(f"{battles} battles, whole desk: {timed(lambda: desk(whole=True))}")
        print(f"{battles} battles, numbers alone: {timed(lambda: desk(whole=False))}")
        db.close()


if __name__ == "__main__":
    main()
