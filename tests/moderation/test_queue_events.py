"""What an open page hears: new prompts, rows that others decided on or claimed, and the end of its session."""

import asyncio
import json
import threading
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta

import httpx
import pytest
from sqlalchemy.exc import DatabaseError
from sqlmodel import delete

from arena.accounts.tables import AdminSession
from arena.clock import now
from arena.db import Database
from arena.moderation.queue_watch import QueueWatch, Watcher
from tests.data import MINJI, opened, voter
from tests.moderation.reviews import DRUGS, claims, does, held, waiting
from tests.staff import BORA, JIWOO, hire, signed_in
from tests.support import Citizen, eventually, serving, settings_for

EVENTS = "/office/queue/events"


class Listener:
    """A page's event stream, heard in a thread until its end."""

    def __init__(self, person: Citizen, query: str = "") -> None:
        self.heard: list[tuple[str, str]] = []
        self.open, self.over = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._listen, args=(person, query))
        self._thread.start()
        assert self.open.wait(10)

    def _listen(self, person: Citizen, query: str) -> None:
        with suppress(httpx.HTTPError), person.http.stream("GET", EVENTS + query) as answer:
            assert answer.headers["content-type"].startswith("text/event-stream")
            event = ""
            for line in answer.iter_lines():
                name, _, value = line.partition(": ")
                if name == "retry":
                    self.open.set()
                elif name == "event":
                    event = value
                elif line.startswith("data"):
                    self.heard.append((event, value))
        self.over.set()

    def hears(self, event: str, data: str) -> bool:
        return eventually(lambda: (event, data) in self.heard)

    def changed(self) -> set[int]:
        return {number for event, data in self.heard if event == "changed" for number in json.loads(data)}

    def ends(self) -> bool:
        return self.over.wait(15)


@pytest.fixture
def jiwoo(db: Database, database_url: str) -> Iterator[Citizen]:
    hire(db)
    opened(db)
    voter(db, MINJI)
    with serving(settings_for(database_url)) as origin:
        person = signed_in(origin, "jiwoo")
        yield person
    person.close()


def test_new_prompts_of_the_list_are_counted_since_the_page_was_made(db: Database, jiwoo: Citizen) -> None:
    shown = held(db)
    missed = held(db)
    page = Listener(jiwoo, f"?state=held&since={shown}")
    assert page.hears("new", "1"), missed

    waiting(db)
    held(db)
    held(db)

    assert page.hears("new", "3") or page.hears("new", "2")
    assert eventually(lambda: page.heard[-1] == ("new", "3"))


def test_flagged_prompts_alone_are_news_for_the_list_of_flagged_ones(db: Database, jiwoo: Citizen) -> None:
    page = Listener(jiwoo, "?state=flagged")
    held(db)
    held(db, flags=[DRUGS])
    assert page.hears("new", "1")
    held(db, flags=[DRUGS])
    assert page.hears("new", "2")


def test_rows_that_others_decide_on_claim_or_give_back_are_named_and_ones_own_are_not(
    db: Database, jiwoo: Citizen
) -> None:
    own, decided, claimed, expired = held(db), held(db), held(db), held(db)
    claims(db, expired, BORA, now() - timedelta(minutes=2, seconds=57))
    page = Listener(jiwoo)

    def heard_more(*numbers: int) -> bool:
        return eventually(lambda: page.changed() == set(numbers))

    assert heard_more(expired), "a claim that ran out"
    does(db, "approve", own, by=JIWOO)
    does(db, "hide", decided, by=BORA)
    assert heard_more(expired, decided)
    claims(db, claimed, BORA)
    assert heard_more(expired, decided, claimed)
    page.heard.clear()
    does(db, "undo", decided, by=BORA)
    assert heard_more(decided)


def test_nobody_watches_for_a_page_whose_first_look_failed(db: Database) -> None:
    with db.engine.begin() as connection:
        connection.exec_driver_sql("alter table review rename to elsewhere")

    async def opens() -> set[str]:
        with pytest.raises(DatabaseError):
            await QueueWatch(db).join(Watcher(JIWOO, "", 1, "todo", set()), 0)
        await asyncio.sleep(0)
        return {task.get_name() for task in asyncio.all_tasks()}

    assert "queue-watch" not in asyncio.run(opens())


def test_the_stream_ends_with_the_session(db: Database, jiwoo: Citizen) -> None:
    page = Listener(jiwoo)
    db.writing(lambda session: session.execute(delete(AdminSession)))

    assert page.ends()
    assert page.heard == [("over", "")]
    assert jiwoo.http.get(EVENTS).status_code == 401


def test_open_streams_do_not_keep_a_server_from_ending(db: Database, database_url: str) -> None:
    hire(db)
    opened(db)
    with serving(settings_for(database_url)) as origin:
        person = signed_in(origin, "jiwoo")
        page = Listener(person)
    assert page.ends()
    person.close()


def test_two_processes_tell_the_same(db: Database, database_url: str) -> None:
    hire(db)
    opened(db)
    voter(db, MINJI)
    settings = settings_for(database_url)
    with serving(settings) as one, serving(settings) as other:
        jiwoo, bora = signed_in(one, "jiwoo"), signed_in(other, "bora")
        number = held(db)
        page = Listener(jiwoo)
        answer = bora.post("/office/queue/acts", review=number, act="approve")
        assert answer.status_code == 303
        assert page.hears("changed", f"[{number}]")
        bora.close()
    assert page.ends()
    jiwoo.close()
