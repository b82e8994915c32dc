"""What an operator sees, and what the public may."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from arena.accounts.actions import create_admin
from arena.clock import now
from arena.demo.personas import PERSONAS
from tests.browser.conftest import Serve, Site, Visit
from tests.browser.teams import Teams
from tests.browser.visitor import Device, Language, Visitor
from tests.ratings.boards import keep
from tests.support import Citizen, round_file

EMAIL, AUDITOR, PASSWORD = "kim@example.org", "lee@example.org", "a long enough password"
TEAMS = [persona.name["ko"] for persona in PERSONAS.values()]
LEADERBOARD = "/rounds/stage-1/leaderboard"


@pytest.fixture(scope="module")
def site(serve: Serve, scripted_teams: Teams) -> Iterator[Site]:
    """A round with ratings that the rules hide, and an operator."""
    with serve(round_file(scripted_teams.origin)) as made:
        made.db.writing(lambda session: create_admin(session, EMAIL, "operator", PASSWORD, now()))
        made.db.writing(lambda session: create_admin(session, AUDITOR, "auditor", PASSWORD, now()))
        keep(made.db)
        yield made


def sign_in(visitor: Visitor, *, email: str = EMAIL, to: str = LEADERBOARD) -> None:
    visitor.go("/sign-in?next=" + to)
    visitor.page.locator("#email").fill(email)
    visitor.page.locator("#password").fill(PASSWORD)
    visitor.press(visitor.page.locator("main button"))
    expect(visitor.page).to_have_url(visitor.origin + to)


def test_the_public_sees_no_rating_while_the_rules_hide_them(visit: Visit) -> None:
    visitor = visit()

    visitor.go(LEADERBOARD)

    expect(visitor.page.get_by_text(visitor.says("The ratings are not shown yet"))).to_be_visible()
    expect(visitor.page.locator("svg.plot, table")).to_have_count(0)


def test_an_operator_sees_the_plot_the_table_and_the_live_indicator(visit: Visit, device: Device) -> None:
    visitor = visit(device)
    sign_in(visitor)

    expect(visitor.page.get_by_text(EMAIL)).to_be_visible()
    for team in TEAMS:
        expect(visitor.page.locator("svg.plot .plot-label").get_by_text(team)).to_be_visible()
        expect(visitor.page.locator(".plot-and-table table")).to_contain_text(team)
        expect(visitor.page.locator(".live")).to_contain_text(team)
    assert visitor.page.evaluate("document.documentElement.scrollWidth") <= device.width
    assert visitor.faults() == []

    visitor.press(visitor.page.get_by_role("button", name=visitor.says("Sign out")))
    expect(visitor.page).to_have_url(visitor.origin + "/")
    visitor.go(LEADERBOARD)
    expect(visitor.page.locator("svg.plot")).to_have_count(0)


@pytest.mark.parametrize("language", ["ko", "en"])
def test_an_operator_sees_how_the_endpoints_do(
    visit: Visit, site: Site, scripted_teams: Teams, device: Device, language: Language
) -> None:
    citizen = Citizen(site.origin)
    with scripted_teams.refusing("안 되는 질문"):
        assert citizen.read(citizen.ask("안 되는 질문")).outcome == "failed"
    assert citizen.read(citizen.ask("12 * 3")).outcome == "complete"
    citizen.close()
    visitor = visit(device, language)
    sign_in(visitor, to="/rounds/stage-1")

    visitor.press(visitor.page.get_by_role("link", name=visitor.says("How the endpoints do")))

    for team in TEAMS if language == "ko" else ():
        expect(visitor.page.locator("main table").first).to_contain_text(team)
    expect(visitor.page.locator("main table").first).to_contain_text(visitor.says("refused the question"))
    expect(visitor.page.get_by_text(visitor.says("What showing both together costs"))).to_be_visible()
    assert visitor.page.evaluate("document.documentElement.scrollWidth") <= device.width
    assert visitor.faults() == []


def test_an_auditor_reads_names_that_were_masked_as_inert_text(
    visit: Visit, site: Site, scripted_teams: Teams, device: Device
) -> None:
    citizen = Citizen(site.origin)
    with scripted_teams.saying("이름을 말해 줘", f"저는 {TEAMS[0]}이 만든 모델이에요. <b onclick=alert(1)>굵게</b>"):
        assert citizen.read(citizen.ask("이름을 말해 줘")).outcome == "complete"
    citizen.close()
    visitor = visit(device)
    sign_in(visitor, email=AUDITOR, to="/rounds/stage-1/leaks")

    expect(visitor.page.locator(".exact").get_by_text(f"저는 {TEAMS[0]}이").first).to_be_visible()
    expect(visitor.page.locator(".exact").get_by_text("저는 [모델]이").first).to_be_visible()
    expect(visitor.page.locator(".exact b")).to_have_count(0)
    assert visitor.page.evaluate("document.documentElement.scrollWidth") <= device.width
    assert visitor.faults() == []


def test_a_wrong_password_says_so_and_keeps_the_email(visit: Visit) -> None:
    visitor = visit()
    visitor.watch.expect("status of 422")
    visitor.go("/sign-in")
    visitor.page.locator("#email").fill(EMAIL)
    visitor.page.locator("#password").fill("not the password")

    visitor.page.locator("main button").click()

    expect(visitor.page.locator("#sign-in-problem")).to_be_visible()
    expect(visitor.page.locator("#email")).to_have_value(EMAIL)
    assert visitor.faults() == []
