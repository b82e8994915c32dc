"""The office as its people see it: every page of their menus, on a phone, a desk and a wall, by keyboard too."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import expect
from sqlmodel import Session

from arena.accounts.trail import record
from arena.clock import now
from arena.db import Database
from arena.office.team_links import make_link
from arena.rounds.tables import Proposal, SuggestionDraft
from arena.screening.tables import Review
from arena.web.office import menu
from tests.browser.conftest import Serve, Site, Visit
from tests.browser.teams import Teams
from tests.browser.visitor import DESKTOP, PHONE, Device, Language, Visitor
from tests.data import MINJI, voted, voter
from tests.staff import BORA, HANA, JIWOO, PASSWORD, SORA, hire
from tests.support import round_file

WALL = Device("wall", 1920, 1080, touch=False)
ROLES = {"sora": "operator", "jiwoo": "moderator", "doyun": "auditor"}
BEYOND = {
    "sora": ("/office/rounds/stage-1/teams", "/office/trail?what=prompts&since=2026-01-01", "/account"),
    "jiwoo": ("/account",),
    "doyun": ("/office/trail?subject=nowhere", "/account"),
}
TABBABLE = "a[href], button:not(:disabled), input:not([type=hidden]), select, textarea, summary, [tabindex='0']"
LONG = "아주 긴 질문이에요. " * 20 + "https://example.org/" + "a" * 120


def furnish(db: Database) -> None:
    """Votes, what waits for people, and acts of many kinds."""
    hire(db)
    voter(db, MINJI)
    for _ in range(3):
        voted(db, MINJI, at=now())

    def work(session: Session) -> None:
        usual: dict[str, Any] = {"round_id": 1, "locale": "ko"}
        asked: dict[str, Any] = {"voter_id": MINJI, "masked": {}, "flags": [], "ruleset": 0, "created_at": now()}
        for state in ("held", "waiting", "escalated"):
            session.add(Review(**usual, **asked, text=LONG, state=state, flagged=state == "waiting"))
        session.add(SuggestionDraft(**usual, topic="work", text="질문", proposed_by=BORA, proposed_at=now()))
        for by in (SORA, HANA):
            pause = {"entry": "e1"}
            session.add(
                Proposal(round_id=1, kind="pause", payload=pause, reason="mistake", proposed_by=by, proposed_at=now())
            )
        before, after = {"state": "held", "text": LONG}, {"state": "hidden", "text": None}
        record(session, JIWOO, "prompt.hide", "prompt-1", "done", now(), detail={"before": before, "after": after})
        record(
            session, HANA, "change.propose", "stage-1", "refused", now(), why="not_allowed", detail={"kind": "join"}
        )
        record(session, "command line", "round.open", "stage-1", "done", now(), detail={})

    db.writing(work)


@pytest.fixture(scope="module")
def site(serve: Serve, scripted_teams: Teams) -> Iterator[Site]:
    with serve(round_file(scripted_teams.origin, may_change=["address", "pause", "join"])) as made:
        furnish(made.db)
        yield made


def sign_in(visitor: Visitor, name: str) -> None:
    visitor.go("/sign-in?next=/office")
    visitor.page.locator("#email").fill(f"{name}@example.org")
    visitor.page.locator("#password").fill(PASSWORD)
    visitor.page.locator("main button[type=submit]").first.click()
    expect(visitor.page).to_have_url(visitor.origin + "/office")


def pages(name: str) -> list[str]:
    return [place.path for place in menu(ROLES[name])] + list(BEYOND[name])


def opens(visitor: Visitor, path: str) -> None:
    answer = visitor.page.goto(visitor.origin + path)
    assert answer, path
    assert answer.status == 200, path


def fits(visitor: Visitor) -> bool:
    found: bool = visitor.page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    return found


@pytest.mark.parametrize("device", [PHONE, DESKTOP, WALL], ids=lambda device: device.name)
@pytest.mark.parametrize("language", ["ko", "en"])
@pytest.mark.parametrize("name", ROLES)
def test_every_page_of_the_menu_is_without_faults(
    visit: Visit, name: str, language: Language, device: Device
) -> None:
    visitor = visit(device, language)
    sign_in(visitor, name)
    for path in pages(name):
        opens(visitor, path)
        assert fits(visitor), path
        assert visitor.faults() == [], path


@pytest.mark.parametrize("name", ROLES)
def test_the_keyboard_reaches_everything_and_may_skip_the_menu(visit: Visit, name: str) -> None:
    visitor = visit()
    sign_in(visitor, name)
    for path in pages(name):
        opens(visitor, path)
        visitor.page.keyboard.press("Tab")
        visitor.page.keyboard.press("Enter")
        assert visitor.page.evaluate("document.activeElement.id") == "main", path

        opens(visitor, path)
        assert unreached(visitor) == [], path


def unreached(visitor: Visitor) -> list[str]:
    """What can be used on the page and gets no focus while somebody presses Tab from its beginning to its end."""
    visitor.page.evaluate(
        "() => { window.reached = new Set(); addEventListener('focusin', (event) => reached.add(event.target)); }"
    )
    for _ in range(visitor.page.locator(TABBABLE).count() + 2):
        visitor.page.keyboard.press("Tab")
    found: list[str] = visitor.page.evaluate(
        """(tabbable) => [...document.querySelectorAll(tabbable)]
          .filter((it) => it.checkVisibility({visibilityProperty: true}) && it.tabIndex >= 0)
          .filter((it) => it.type !== 'radio' && !reached.has(it))
          .map((it) => it.outerHTML.slice(0, 100))""",
        TABBABLE,
    )
    return found


def test_the_menu_marks_where_one_is(visit: Visit) -> None:
    visitor = visit()
    sign_in(visitor, "sora")
    for path in pages("sora"):
        opens(visitor, path)
        marked = visitor.page.locator(".office-menu [aria-current]")
        if path.startswith("/office"):
            expect(marked).to_have_count(1)


def test_the_trail_is_searched_and_what_changed_is_unfolded_without_scripts(visit: Visit) -> None:
    visitor = visit(java_script_enabled=False)
    sign_in(visitor, "sora")
    visitor.go("/office/trail")
    visitor.page.locator("#trail-what").select_option("prompt.hide")
    visitor.page.get_by_role("button", name=visitor.says("Search"), exact=True).click()
    expect(visitor.page).to_have_url(re.compile("what=prompt.hide"))
    expect(visitor.page.locator(".trail > li")).to_have_count(1)
    visitor.page.locator(".trail summary").click()
    expect(visitor.page.locator(".trail ins, .trail del").first).to_be_visible()


def test_a_table_of_the_trail_is_saved(visit: Visit) -> None:
    visitor = visit()
    sign_in(visitor, "doyun")
    visitor.go("/office/trail?what=prompts")
    with visitor.page.expect_download() as saved:
        visitor.page.get_by_role("button", name=visitor.says("Save as a table (CSV)")).click()
    text = saved.value.path().read_text("utf-8")
    assert text.startswith("\ufeff")
    assert "prompt.hide" in text
    assert "change.propose" not in text


@pytest.mark.parametrize("device", [PHONE, DESKTOP, WALL], ids=lambda device: device.name)
@pytest.mark.parametrize("language", ["ko", "en"])
def test_a_team_reads_its_page_by_the_link_that_an_operator_made(
    visit: Visit, device: Device, language: Language
) -> None:
    operator, team = visit(device, language), visit(device, language)
    sign_in(operator, "sora")
    operator.go("/office/rounds/stage-1/teams")
    operator.page.get_by_role("button", name=operator.says("Make a link")).first.click()
    address = operator.page.locator(".address code").inner_text()
    assert fits(operator)
    assert operator.faults() == []

    team.page.goto(address)
    expect(team.page.get_by_role("heading", name=team.says("Are you treated like the others?"))).to_be_visible()
    assert fits(team)
    assert team.faults() == []


def test_the_language_is_changed_on_a_teams_page(visit: Visit, site: Site) -> None:
    token = site.db.writing(lambda session: make_link(session, "stage-1", "e2", SORA, now()))
    team = visit()
    team.go(f"/team/{token}")
    team.page.get_by_role("button", name="English").click()
    expect(team.page.get_by_role("heading", name="Are you treated like the others?")).to_be_visible()
    assert team.page.url.endswith(token)
