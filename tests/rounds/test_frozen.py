"""What a round's opening freezes: nobody changes it by command, over HTTP or by SQL, and who tries is on record."""

import re
import sys
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, select
from starlette.routing import Mount, Route

from arena.accounts.trail import on_record
from arena.app import create_app
from arena.cli import main
from arena.clock import now
from arena.db import Database
from arena.errors import RefusedError
from arena.proofs.leaves import timestamp
from arena.rounds.actions import create_round, revise_round, start_round
from arena.rounds.queries import find_round
from arena.rounds.rules import RoundFile, parse_round_file
from arena.rounds.tables import Round
from arena.teams.queries import entries_of
from tests.data import NOWHERE, closes, in_parallel, opened
from tests.rounds.offices import ALLOW, acts, runs_sql, told
from tests.support import KEY, round_file, serving, settings_for

EXAMPLE = Path(__file__).parents[2] / "docs" / "round.example.toml"
Command = Callable[..., tuple[int, str, str]]


@pytest.fixture
def arena(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Command:
    """Runs `arena round ...` on the database; its exit code, and what it wrote to both streams."""
    monkeypatch.chdir(tmp_path)
    settings = {"DATABASE_URL": database_url, "ENDPOINT_ALLOW": "127.0.0.0/8", "LEDGER_KEY": KEY.secret()}
    for name, value in settings.items():
        monkeypatch.setenv(f"ARENA_{name}", value)

    def run(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["arena", "round", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        written = capsys.readouterr()
        return int(ended.value.code or 0), written.out, written.err

    return run


@pytest.fixture
def revised(tmp_path: Path) -> Path:
    """The example with other rules, another title, a time and one team less."""
    content = (
        EXAMPLE.read_text("utf-8").replace("max_turns = 5 ", "max_turns = 4 ").replace('"Stage 1"', '"Stage One"')
    )
    content = content.replace("# closes_at = 2026-12-15", "closes_at = 2027-01-15")
    file = tmp_path / "revised.toml"
    file.write_text(content.rpartition("[[entries]]")[0], "utf-8")
    return file


def found(db: Database) -> Round:
    with db.reading() as session:
        round_ = find_round(session, "stage-1")
    assert round_ is not None
    return round_


def frozen(db: Database) -> tuple[Any, ...]:
    """All that an opening freezes."""
    round_ = found(db)
    with db.reading() as session:
        kept = [tuple(row) for row in session.execute(text("select * from entry order by id"))]
    return round_.rules, round_.rules_hash, round_.seed, round_.seed_commitment, round_.title_en, kept


def test_a_draft_is_replaced_by_its_revised_file_and_keeps_its_seed(
    arena: Command, db: Database, revised: Path
) -> None:
    arena("create", str(EXAMPLE))
    before = found(db)
    code, out, err = arena("revise", str(revised))
    assert (code, err) == (0, "")
    after = found(db)
    assert after.rules_hash in out
    assert after.rules_hash != before.rules_hash
    assert '"max_turns":4' in after.rules
    assert (after.title_en, after.state, after.seed) == ("Stage One", "draft", before.seed)
    assert after.closes_at is not None
    with db.reading() as session:
        assert [entry.code for entry in entries_of(session, after.id or 0)] == ["e1", "e2", "e3", "e4"]
    assert arena("open", "stage-1")[0] == 0
    (opening,) = told(db, "round.opened")
    assert opening["rules_hash"] == after.rules_hash
    assert opening["closes_at"] == timestamp(after.closes_at)
    assert len(opening["entries"]) == 4


@pytest.mark.parametrize("state", ["open", "closed"])
@pytest.mark.parametrize("command", ["revise", "create"])
def test_an_opened_round_is_not_revised_and_not_made_again(
    arena: Command, db: Database, revised: Path, state: str, command: str
) -> None:
    for step in (("create", str(EXAMPLE)), ("open", "stage-1"), ("close", "stage-1"))[: 2 if state == "open" else 3]:
        assert arena(*step)[0] == 0
    before = frozen(db)
    code, out, err = arena(command, str(revised))
    assert (code, out) == (2, "")
    assert re.fullmatch(rf"arena: [^\n]*'stage-1'[^\n]* is {state}[^\n]*\n", err)
    if command == "revise":
        assert "its rules were frozen at 20" in err
        assert found(db).rules_hash in err
    assert frozen(db) == before
    who, what, subject, outcome, why = acts(db)[-1]
    assert (who, what, subject, outcome) == ("command line", f"round.{command}", "stage-1", "refused")
    assert f"arena: {why}\n" == err


def test_a_round_that_is_not_there_is_not_revised(arena: Command, db: Database) -> None:
    code, _, err = arena("revise", str(EXAMPLE))
    assert (code, err) == (2, "arena: there is no round 'stage-1'\n")
    assert acts(db)[0][3] == "refused"


def test_opening_and_closing_are_on_record_whether_done_or_refused(arena: Command, db: Database) -> None:
    arena("create", str(EXAMPLE))
    for verb in ("close", "open", "open", "close", "close"):
        arena(verb, "stage-1")
    assert [(what, outcome) for _, what, _, outcome, _ in acts(db)] == [
        ("round.create", "done"),
        ("round.close", "refused"),
        ("round.open", "done"),
        ("round.open", "refused"),
        ("round.close", "done"),
        ("round.close", "refused"),
    ]
    assert {who for who, *_ in acts(db)} == {"command line"}


def test_a_revision_with_an_address_that_is_not_admitted_changes_nothing(db: Database) -> None:
    file = round_file(NOWHERE)
    db.writing(lambda session: create_round(session, file, allow=ALLOW, now=now()))
    before = frozen(db)
    with pytest.raises(RefusedError, match=r"^entries\.0\.base_url: "):
        db.writing(lambda session: revise_round(session, round_file("http://10.0.0.1", max_turns=9), allow=ALLOW))
    assert frozen(db) == before


def test_of_a_revision_and_an_opening_at_once_the_ledger_tells_what_is_frozen(db: Database) -> None:
    file = round_file(NOWHERE)
    db.writing(lambda session: create_round(session, file, allow=ALLOW, now=now()))
    other: RoundFile = round_file(NOWHERE, teams=3, max_turns=9)
    revise = partial(db.writing, lambda session: revise_round(session, other, allow=ALLOW))
    start = partial(db.writing, lambda session: start_round(session, "stage-1", KEY, now()))
    revised, opened_ = in_parallel([revise, start])
    assert not isinstance(opened_, Exception)
    assert isinstance(revised, Round | RefusedError)
    (opening,) = told(db, "round.opened")
    assert opening["rules_hash"] == found(db).rules_hash
    assert len(opening["entries"]) == (3 if isinstance(revised, Round) else 5)
    with db.reading() as session:
        assert len(entries_of(session, found(db).id or 0)) == len(opening["entries"])


def change_rules(session: Session) -> None:
    session.exec(select(Round)).one().rules = "{}"


def change_title_of_a_model(session: Session) -> None:
    session.execute(text("update entry set model = 'another' where code = 'e1'"))


def change_seed(session: Session) -> None:
    session.execute(text("update round set seed = 'x'"))


def drop_an_entry(session: Session) -> None:
    session.execute(text("delete from entry where code = 'e5'"))


def move_an_entry_to_another_team(session: Session) -> None:
    session.execute(text("update entry set team_id = 1 where code = 'e2'"))


ATTEMPTS = [change_rules, change_title_of_a_model, change_seed, drop_an_entry, move_an_entry_to_another_team]


@pytest.mark.parametrize("state", ["open", "closed"])
@pytest.mark.parametrize("attempt", ATTEMPTS, ids=lambda attempt: attempt.__name__)
def test_sql_through_our_own_session_changes_nothing_that_is_frozen_and_is_on_record(
    db: Database, state: str, attempt: Callable[[Session], None]
) -> None:
    opened(db)
    if state == "closed":
        closes(db)
    before = frozen(db)
    refused = pytest.raises(RefusedError, match=r"^stage-1: [^\n]*what was written stays\)$")
    with refused, on_record(db, "operator-1", "round.edit", "stage-1"):
        db.writing(attempt)
    assert frozen(db) == before
    ((who, what, subject, outcome, why),) = acts(db)
    assert (who, what, subject, outcome) == ("operator-1", "round.edit", "stage-1", "refused")
    assert "what was written stays" in why


def test_what_is_no_refusal_goes_on_unnoted(db: Database) -> None:
    with pytest.raises(ZeroDivisionError), on_record(db, "operator-1", "round.edit", "stage-1"):
        raise ZeroDivisionError
    assert acts(db) == []


def test_the_trail_itself_stays_as_it_was_written(db: Database) -> None:
    with on_record(db, "operator-1", "round.edit", "stage-1"):
        pass
    for statement in ("update act set outcome = 'refused'", "delete from act"):
        with pytest.raises(IntegrityError, match="what was written stays"):
            runs_sql(db, statement)
    assert acts(db) == [("operator-1", "round.edit", "stage-1", "done", "")]


def writing_routes(routes: Iterable[Any]) -> Iterator[str]:
    """The paths of all routes, in routers too, that take more than GET."""
    for route in routes:
        yield from writing_routes(route.original_router.routes if hasattr(route, "original_router") else ())
        if isinstance(route, Route) and not (route.methods or set()) <= {"GET", "HEAD"}:
            yield route.path


def test_the_api_only_reads(sqlite_url: str) -> None:
    app = create_app(settings_for(sqlite_url))
    (api,) = [route.app for route in app.routes if isinstance(route, Mount) and route.path == "/api/v1"]
    assert isinstance(api, FastAPI)
    assert list(writing_routes(api.routes)) == []
    paths = api.openapi()["paths"]
    assert len(paths) > 3
    assert {method for operations in paths.values() for method in operations} == {"get"}
    with serving(settings_for(sqlite_url)) as origin:
        ask = partial(httpx.request, url=origin + "/api/v1/rounds/stage-1", headers={"Origin": origin})
        answers = [ask(verb) for verb in ("POST", "PUT", "PATCH", "DELETE")]
    assert all(answer.status_code in (404, 405) for answer in answers)


def test_all_that_is_sent_about_a_round_over_http_are_changes_by_two(sqlite_url: str) -> None:
    app = create_app(settings_for(sqlite_url))
    page = "/rounds/{slug}/changes"
    about_rounds = [path for path in writing_routes(app.routes) if path.startswith("/rounds")]
    assert sorted(about_rounds) == [page, page + "/{proposal}/approve", page + "/{proposal}/withdraw"]


def test_the_example_names_what_may_change(tmp_path: Path) -> None:
    assert parse_round_file(EXAMPLE.read_text("utf-8")).rules.may_change == ()
    named = EXAMPLE.read_text("utf-8").replace("# may_change", "may_change")
    assert parse_round_file(named).rules.may_change == ("address", "pause", "join")
