"""Links of teams and what they open: made and ended by operators, a team's own figures, nothing of anybody else."""

import json
import re
import secrets
from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from typing import cast

import httpx
import pytest
from sqlmodel import Session, select

from arena.accounts.actions import token_hash
from arena.accounts.tables import Act
from arena.clock import now
from arena.db import Database
from arena.office.team_page import STEP
from arena.rounds.actions import create_round
from arena.teams.tables import Outage, TeamLink
from tests.data import (
    MINJI,
    NOWHERE,
    closes,
    opened,
    voted,
    voter,
)
from tests.rounds.offices import acts, by_code
from tests.staff import HANA, SORA, hire, signed_in
from tests.support import Citizen, round_file, serving, settings_for

CODES = ("e1", "e2", "e3")
LINKS = "/office/rounds/stage-1/teams"


@pytest.fixture
def office(db: Database) -> Database:
    """An open round of three teams, one of which is out of service, and the office's people."""
    opened(db, teams=3, may_change=["pause"])
    hire(db)
    voter(db, MINJI)
    return db


@pytest.fixture
def sora(office: Database, database_url: str) -> Iterator[Citizen]:
    with serving(settings_for(database_url)) as origin:
        person = signed_in(origin, "sora")
        yield person
        person.close()


@pytest.fixture
def team(sora: Citizen) -> Iterator[Citizen]:
    """Somebody of a team, who is not signed in."""
    person = Citizen(sora.origin, language="en")
    yield person
    person.close()


def makes(sora: Citizen, code: str = "e1") -> str:
    """The path of a new link."""
    answer = sora.post(f"{LINKS}/{code}/link")
    assert answer.status_code == 200
    (address,) = re.findall(r"<code>([^<]+/team/[^<]+)</code>", answer.text)
    assert address.startswith(sora.origin)
    return cast(str, address).removeprefix(sora.origin)


def _add(session: Session, row: Outage) -> None:
    session.add(row)


def test_a_link_is_shown_once_and_stored_as_its_hash(office: Database, sora: Citizen, team: Citizen) -> None:
    path = makes(sora)
    token = path.removeprefix("/team/")
    assert token not in sora.http.get(LINKS).text
    with office.reading() as session:
        (link,) = session.exec(select(TeamLink))
        trail = json.dumps([(act.subject, act.why, act.detail) for act in session.exec(select(Act))])
    assert link.token_hash == token_hash(token)
    assert (link.made_by, link.ended_at) == (SORA, None)
    assert token not in trail
    assert acts(office)[-1] == (SORA, "team_link.make", "stage-1", "done", "")
    assert team.http.get(path).status_code == 200


def test_a_link_that_was_ended_is_as_unknown_as_any_other(office: Database, sora: Citizen, team: Citizen) -> None:
    path, kept = makes(sora), makes(sora)
    (newest, first) = re.findall(r'action="([^"]+/end)"', sora.http.get(LINKS).text)
    assert sora.post(first).status_code == 303
    ended, unknown = team.http.get(path), team.http.get("/team/" + 43 * "A")

    def without_id(answer: httpx.Response) -> str:
        return re.sub(r"[0-9a-f]{16}|/team/[\w-]{43}|value=\"[^\"]*\"", "", answer.text)

    assert ended.status_code == unknown.status_code == team.http.get("/team/short").status_code == 404
    assert without_id(ended) == without_id(unknown)
    assert team.http.get(kept).status_code == 200
    assert sora.post(first).status_code == 409
    assert sora.post(newest).status_code == 303
    assert team.http.get(kept).status_code == 404
    assert [act[1:] for act in acts(office) if act[1] == "team_link.end"] == [
        ("team_link.end", "stage-1", "done", ""),
        ("team_link.end", "stage-1", "refused", "ended"),
        ("team_link.end", "stage-1", "done", ""),
    ]


def test_the_last_three_links_of_a_team_are_listed_with_who_made_them(office: Database, sora: Citizen) -> None:
    hana = signed_in(sora.origin, "hana")
    for person in (sora, hana, hana, hana):
        makes(person)
    page = hana.http.get(LINKS).text
    assert re.findall(r"Made by (\S+) on", page) == [HANA, HANA, HANA]
    hana.close()


def test_only_operators_make_links_and_only_for_entries_of_an_opened_round(office: Database, sora: Citizen) -> None:
    draft = round_file(NOWHERE, slug="stage-2")
    office.writing(lambda session: create_round(session, draft, allow=["127.0.0.0/8"], now=now()))
    jiwoo, stranger = signed_in(sora.origin, "jiwoo"), Citizen(sora.origin)
    assert jiwoo.http.get(LINKS).status_code == jiwoo.post(f"{LINKS}/e1/link").status_code == 403
    assert stranger.http.get(LINKS).status_code == stranger.post(f"{LINKS}/e1/link").status_code == 401
    assert sora.post(f"{LINKS}/e1/link", csrf="forged").status_code == 403
    assert sora.post(f"{LINKS}/e9/link").status_code == 404
    assert sora.http.get("/office/rounds/stage-9/teams").status_code == 404
    assert sora.post("/office/rounds/stage-2/teams/e1/link").status_code == 409
    assert "from the opening of the round on" in sora.http.get("/office/rounds/stage-2/teams").text
    assert sora.post(f"{LINKS}/links/99/end").status_code == 404
    with office.reading() as session:
        assert session.exec(select(TeamLink)).all() == []
    jiwoo.close()
    stranger.close()


def test_the_page_is_kept_from_search_engines_and_its_address_from_other_sites(sora: Citizen, team: Citizen) -> None:
    answer = team.http.get(makes(sora))
    assert answer.headers.get_list("X-Robots-Tag") == ["noindex"]
    assert answer.headers.get_list("Referrer-Policy") == ["no-referrer"]
    assert answer.headers["Cache-Control"] == "no-store"
    assert team.http.get("/").headers.get_list("Referrer-Policy") == ["same-origin"]


def test_the_language_can_be_chosen_on_a_page_that_sends_no_referrer(sora: Citizen, team: Citizen) -> None:
    path = makes(sora)
    browsers = {"Origin": "null", "Sec-Fetch-Site": "same-origin"}
    assert team.post("/preferences", headers=browsers, locale="ko", next=path).headers["location"] == path
    for site in ("cross-site", "same-site", "none"):
        foreign = {"Origin": "null", "Sec-Fetch-Site": site}
        assert team.post("/preferences", headers=foreign, locale="ko", next=path).status_code == 403
    assert team.post("/preferences", headers={"Origin": "null"}, locale="ko", next=path).status_code == 403


def test_the_token_is_in_no_log(sora: Citizen, team: Citizen, capfd: pytest.CaptureFixture[str]) -> None:
    path = makes(sora)
    team.http.get(path)
    team.http.get("/team/" + 43 * "B")
    out, err = capfd.readouterr()
    assert "/team/{token}" in out + err
    assert path.removeprefix("/team/") not in out + err
    assert "BBBBB" not in out + err


def test_the_page_says_as_of_when_it_is(office: Database, sora: Citizen, team: Citizen) -> None:
    page = team.http.get(makes(sora)).text
    assert re.search(r"as of [^<]*?\d{1,2}:00", page)
    assert f"by {STEP} comparisons at a time" in page
    assert f"once citizens have voted {STEP} times" in page


def test_the_page_names_no_other_team_no_address_and_no_vote(office: Database, sora: Citizen, team: Citizen) -> None:
    for choice in ("a", "b", "tie", "both_bad"):
        for _ in range(STEP // 4):
            voted(office, voter(office, secrets.token_hex(4)), choice, now() - timedelta(hours=1))
    for code in ("e1", "e2"):
        began = now() - timedelta(days=1)
        entry_id = by_code(office, code).id or 0
        row = Outage(entry_id=entry_id, began_at=began, ending="too_slow", check_at=began)
        office.writing(partial(_add, row=row))
    page = team.http.get(makes(sora, "e1")).text

    entries = round_file(NOWHERE, teams=3).entries
    assert entries[0].team.en in page
    for other in entries[1:]:
        for word in (other.team.ko, other.team.en, other.model, other.base_url, *other.aliases):
            assert word not in page
    assert NOWHERE not in page
    assert not re.search(r"\be[23]\b", page)
    assert page.count("took too long") == 1
    assert "not even for your own entry" in page
    assert "/leaderboard" not in page


def test_after_the_closing_the_page_leads_to_the_ratings(office: Database, sora: Citizen, team: Citizen) -> None:
    path = makes(sora)
    assert 'href="/rounds/stage-1/ledger"' in team.http.get(path).text
    closes(office)
    page = team.http.get(path).text
    assert 'href="/rounds/stage-1/leaderboard"' in page
    assert "Closed" in page
