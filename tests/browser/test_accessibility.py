"""axe finds nothing wrong with any page in any state, light or dark, narrow or wide."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Serve, Site, Visit
from tests.browser.teams import Teams
from tests.browser.visitor import Device
from tests.support import Citizen, round_file

PROMPT = "김치찌개는 어떻게 끓이나요?"


@pytest.fixture(scope="module")
def shown_site(serve: Serve, scripted_teams: Teams) -> Iterator[Site]:
    """A round that shows names after each vote, and its ratings; each of the teams has won and lost."""
    with serve(round_file(scripted_teams.origin, teams=3, pacing="raw", reveal="after_vote")) as made:
        citizen = Citizen(made.origin)
        for _ in range(6):
            citizen.battle("a", "12 * 3")
        citizen.close()
        yield made


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/how",
        "/privacy",
        "/rounds",
        "/rounds/stage-1",
        "/rounds/stage-1/rules",
        "/rounds/stage-1/ledger",
        "/rounds/stage-1/leaderboard",
        "/sign-in",
    ],
)
def test_public_pages(visit: Visit, device: Device, path: str) -> None:
    visitor = visit(device)
    visitor.go(path)
    for details in visitor.page.locator("main details").all():
        details.evaluate("(it) => { it.open = true; }")

    assert visitor.faults() == []


def test_the_english_landing_page(visit: Visit, device: Device) -> None:
    visitor = visit(device, "en")
    visitor.go()

    assert visitor.faults() == []


def test_a_page_that_is_not_there(visit: Visit, device: Device) -> None:
    visitor = visit(device)
    visitor.watch.expect("status of 404")
    visitor.go("/nothing-here")

    assert visitor.faults() == []


def test_no_open_round(visit: Visit, empty_site: Site, device: Device) -> None:
    visitor = visit(device, site=empty_site)
    for path in ("/", "/rounds"):
        visitor.go(path)
        assert visitor.faults() == []


def test_a_refused_question(visit: Visit, device: Device) -> None:
    visitor = visit(device)
    visitor.watch.expect("status of 422")
    visitor.go()
    visitor.page.get_by_role("button", name=visitor.words("ask")).click()
    expect(visitor.page.locator("#ask-problem")).to_be_visible()

    assert visitor.faults() == []


def test_a_battle_in_every_state(visit: Visit, scripted_teams: Teams, device: Device) -> None:
    visitor = visit(device)
    visitor.go()
    with scripted_teams.holding(PROMPT) as gate:
        visitor.ask(PROMPT)
        visitor.sees_first_parts()
        assert visitor.faults() == [], "streaming"

        visitor.press(visitor.page.locator("#stop button"))
        expect(visitor.page.locator("#resume")).to_be_visible()
        assert visitor.faults() == [], "stopped"

        gate.open()
        visitor.press(visitor.page.locator("#resume button"))
        visitor.sees_whole_answers()
        assert visitor.faults() == [], "votable"

    visitor.press(visitor.page.locator("#follow-up summary"))
    assert visitor.faults() == [], "follow-up question open"
    visitor.vote("a")
    assert visitor.faults() == [], "voted"
    visitor.press(visitor.page.get_by_role("link", name=visitor.says("See the receipt")))
    expect(visitor.page.locator("#receipt")).to_be_visible()
    assert visitor.faults() == [], "receipt"


def test_erasing_and_what_is_left(visit: Visit, device: Device) -> None:
    visitor = visit(device)
    visitor.go()
    visitor.ask("12 * 3")
    visitor.can_vote()
    visitor.vote("a")
    battle = visitor.battle_path()
    visitor.press(visitor.page.get_by_role("link", name=visitor.says("Erase the words of this conversation")))
    expect(visitor.page.get_by_role("button", name=visitor.says("Erase the words for good"))).to_be_visible()
    assert visitor.faults() == [], "one conversation to be erased"

    visitor.go("/privacy")
    visitor.press(visitor.page.get_by_role("link", name=visitor.says("Erase what I wrote")))
    expect(visitor.page.get_by_role("button", name=visitor.says("Erase the words for good"))).to_be_visible()
    assert visitor.faults() == [], "all to be erased"
    visitor.press(visitor.page.get_by_role("button", name=visitor.says("Erase the words for good")))
    expect(visitor.page.locator("main .notice")).to_be_visible()
    assert visitor.faults() == [], "erased"
    visitor.go(battle)
    expect(
        visitor.page.get_by_role("heading", name=visitor.says("The words of this conversation were erased"))
    ).to_be_visible()
    assert visitor.faults() == [], "erased battle"


def test_a_battle_that_failed_and_one_that_was_left(visit: Visit, scripted_teams: Teams, device: Device) -> None:
    visitor = visit(device)
    visitor.go()
    with scripted_teams.refusing("안 되는 질문"):
        visitor.ask("안 되는 질문")
        expect(visitor.page.get_by_role("button", name=visitor.says("Ask again"))).to_be_visible()
        assert visitor.faults() == [], "void"

    visitor.go()
    visitor.ask("12 * 3")
    visitor.can_vote()
    left = visitor.battle_path()
    visitor.go()
    assert visitor.faults() == [], "landing page with an open battle"
    visitor.ask("12 * 4")
    visitor.can_vote()
    visitor.go(left)
    assert visitor.faults() == [], "expired"


def test_a_lost_connections_message(visit: Visit, device: Device) -> None:
    visitor = visit(device)
    visitor.watch.expect("net::ERR_INTERNET_DISCONNECTED|Failed to fetch")
    visitor.go()
    visitor.ask("12 * 3")
    visitor.can_vote()
    visitor.read_both()
    visitor.context.set_offline(True)
    visitor.press(visitor.choice("a"))
    expect(visitor.page.locator("#problem .notice")).to_be_visible()

    assert visitor.faults() == []


def test_names_after_the_vote_and_the_ratings(visit: Visit, shown_site: Site, device: Device) -> None:
    visitor = visit(device, site=shown_site)
    visitor.go()
    visitor.ask("12 * 3")
    visitor.can_vote()
    visitor.sees_no_team()
    visitor.vote("a")
    expect(visitor.page.locator(".reveal dd")).to_have_count(2)
    assert visitor.faults() == [], "names shown"

    visitor.page.locator("#comment").fill("좋았어요")
    visitor.press(visitor.page.locator("#feedback button"))
    expect(visitor.page.locator(".feedback-given")).to_be_visible()
    assert visitor.faults() == [], "reasons given"

    visitor.go("/rounds/stage-1/leaderboard")
    expect(visitor.page.locator("table.duels")).to_be_visible()
    assert visitor.faults() == [], "ratings"
