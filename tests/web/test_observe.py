"""What operators see: logs, metrics, health. A server of its own process, as in production."""

import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from arena.db import Database
from arena.migrations import migrate
from tests.pg import database
from tests.support import KEY, Citizen, eventually, open_round, round_file, serving, settings_for

PROMPT = "비밀스러운 김치찌개 이야기를 들려주세요"
COMMENT = "아무도모르는의견"


@dataclass
class Server:
    """`arena serve` in a process of its own; `log` grows by its lines on stderr."""

    origin: str
    log: list[str] = field(default_factory=list)

    def entries(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in list(self.log)]

    def logged(self, request_id: str) -> list[dict[str, Any]]:
        """The lines of one request, once its last is there."""

        def found() -> list[dict[str, Any]]:
            return [entry for entry in self.entries() if entry.get("request_id") == request_id]

        assert eventually(lambda: any(entry["event"] == "request" for entry in found()))
        return found()


@contextmanager
def process(database_url: str) -> Iterator[Server]:
    settings = {
        "ARENA_DATABASE_URL": database_url,
        "ARENA_SECRET_KEY": "k" * 40,
        "ARENA_LEDGER_KEY": KEY.secret(),
        "ARENA_ENDPOINT_ALLOW": "127.0.0.0/8",
    }
    running = subprocess.Popen(
        [sys.executable, "-m", "arena", "serve", "--port", "0"],
        env=os.environ | settings,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with running:
        assert running.stdout
        assert running.stderr
        server = Server(running.stdout.readline().split()[-1])
        reader = threading.Thread(target=server.log.extend, args=(running.stderr,))
        reader.start()
        try:
            assert httpx.get(server.origin + "/healthz").status_code == 200
            yield server
        finally:
            running.terminate()
            reader.join()


@pytest.fixture
def server(sqlite_url: str, teams: str) -> Iterator[Server]:
    db = Database(sqlite_url)
    open_round(db, round_file(teams))
    db.close()
    with process(sqlite_url) as found:
        yield found


def test_a_request_is_one_json_line_without_what_was_said_or_who_said_it(server: Server) -> None:
    minji = Citizen(server.origin)
    path = minji.ask(PROMPT)
    played = minji.read(path)
    voted = minji.vote(path, "a", reasons=["a:accurate"], comment=COMMENT)
    assert voted.status_code == 303
    minji.http.get("/nothing", params={"q": PROMPT})
    (entry,) = server.logged(voted.headers["x-request-id"])
    cookie = minji.http.cookies["arena_visitor"]
    minji.close()

    assert entry["event"] == "request"
    assert (entry["method"], entry["status"]) == ("POST", voted.status_code)
    assert entry["route"].endswith("vote")
    assert entry["ms"] >= 0
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT[\d:.]+Z", entry["timestamp"])
    everything = "".join(server.log)
    answers = [re.sub(r"<[^>]+>", "", side).strip()[:12] for side in (played.a, played.b)]
    for secret in (PROMPT, COMMENT, cookie, cookie.partition(".")[0], "127.0.0.1", path.rsplit("/", 1)[1], *answers):
        assert secret
        assert secret not in everything


@pytest.mark.parametrize("path", ["/how", "/api/v1/rounds", "/battles"])
def test_our_own_failure_is_a_guarded_answer_and_a_json_line_without_the_question(
    server: Server, sqlite_url: str, path: str
) -> None:
    minji = Citizen(server.origin)
    token = minji.csrf()
    _rename_tables(sqlite_url, "api_key", "admin_session", "turn")
    if path == "/battles":
        answer = minji.post(path, prompt=PROMPT, consent="participate", csrf=token)
    else:
        answer = minji.http.get(path, headers={"Authorization": "Bearer k", "Cookie": "arena_admin=x"})
    minji.close()

    assert answer.status_code == 500
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "Traceback" not in answer.text
    assert "no such table" not in answer.text
    if path.startswith("/api"):
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["status"] == 500
    else:
        assert answer.headers["x-request-id"] in answer.text

    entries = server.logged(answer.headers["x-request-id"])
    assert [entry["event"] for entry in entries] == ["unhandled", "request"]
    assert "no such table" in entries[0]["exception"]
    assert entries[1]["status"] == 500
    assert PROMPT not in "".join(server.log)


def test_a_failing_statement_does_not_tell_what_it_was_given(db: Database) -> None:
    with pytest.raises(DBAPIError) as failed, db.reading() as session:
        session.execute(text("INSERT INTO nowhere VALUES (:prompt)"), {"prompt": PROMPT})
    assert PROMPT not in str(failed.value)


def _rename_tables(database_url: str, *tables: str) -> None:
    db = Database(database_url)
    with db.engine.begin() as connection:
        for table in tables:
            connection.exec_driver_sql(f'ALTER TABLE "{table}" RENAME TO gone_{table}')
    db.close()


def test_metrics_are_in_prometheus_format_and_tell_no_entry(minji: Citizen) -> None:
    def value(name: str, **labels: str) -> float:
        families = text_string_to_metric_families(minji.http.get("/metrics").text)
        samples = [s for family in families for s in family.samples]
        return sum(s.value for s in samples if s.name == name and labels.items() <= s.labels.items())

    how = {"method": "GET", "route": "/how", "status": "200"}
    before = [value("arena_http_requests_total", **how), value("arena_votes_total"), value("arena_battles_total")]
    minji.http.get("/how")
    minji.battle()
    after = [value("arena_http_requests_total", **how), value("arena_votes_total"), value("arena_battles_total")]
    assert [b - a for a, b in zip(before, after, strict=True)] == [1, 1, 1]

    answer = minji.http.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=")
    families = {family.name: family for family in text_string_to_metric_families(answer.text)}
    assert families["arena_http_request_seconds"].type == "histogram"
    told = re.sub(r'(?m)^# .*$|route="[^"]*"', "", answer.text)  # routes are templates, such as /team/{token}
    assert not re.search(r"entry|team|model|voter", told)


def test_addresses_do_not_make_metrics_grow(minji: Citizen) -> None:
    for name in ("one", "two", "three"):
        minji.http.get(f"/made-up-{name}")
        minji.http.get(f"/rounds/{name}")
    metrics = minji.http.get("/metrics").text
    assert "made-up" not in metrics
    assert 'route="/rounds/{slug}"' in metrics


def test_a_page_and_the_api_are_counted_apart(minji: Citizen) -> None:
    minji.http.get("/rounds/stage-1")
    minji.http.get("/api/v1/rounds/stage-1")
    metrics = minji.http.get("/metrics").text
    assert re.search(r'route="/rounds/{slug}",status="200"', metrics)
    assert re.search(r'route="/api/v1/rounds/{slug}",status="401"', metrics)


def test_alive_and_ready_when_all_is_well(database_url: str, teams: str) -> None:
    with serving(settings_for(database_url)) as origin:
        assert httpx.get(origin + "/healthz").text == "ok"
        assert httpx.get(origin + "/readyz").json() == {"ready": True}


def test_not_ready_while_the_schema_is_behind(database_url: str) -> None:
    db = Database(database_url)
    migrate(db.engine, "base")
    with serving(settings_for(database_url, embedded_worker=False)) as origin:
        answer = httpx.get(origin + "/readyz")
        assert answer.status_code == 503
        assert answer.json()["ready"] is False
        assert "arena migrate" in answer.json()["why"]
        assert httpx.get(origin + "/healthz").status_code == 200

        migrate(db.engine)
        assert httpx.get(origin + "/readyz").status_code == 200
    db.close()


def test_not_ready_while_the_database_is_gone(postgres: str, postgres_template: str) -> None:
    with database(postgres, postgres_template) as url:
        running = serving(settings_for(url, embedded_worker=False))
        origin = running.__enter__()
        assert httpx.get(origin + "/readyz").status_code == 200
    try:
        answer = httpx.get(origin + "/readyz")
        assert (answer.status_code, answer.json()["ready"]) == (503, False)
        assert url not in answer.text
        assert httpx.get(origin + "/healthz").status_code == 200
    finally:
        running.__exit__(None, None, None)
