"""Whatever happens to the page or the line, the battle is still there."""

import re

from playwright.sync_api import expect

from tests.browser.cable import cable_to
from tests.browser.conftest import Site, Visit
from tests.browser.teams import Teams
from tests.browser.visitor import PHONE, Device
from tests.support import Citizen

PROMPT = "김치찌개는 어떻게 끓이나요?"


def test_reloading_in_mid_stream_keeps_the_pair_and_the_answers_go_on(
    visit: Visit, scripted_teams: Teams, device: Device
) -> None:
    visitor = visit(device)
    visitor.go()
    asked = scripted_teams.asked[PROMPT]
    with scripted_teams.holding(PROMPT) as gate:
        visitor.ask(PROMPT)
        visitor.sees_first_parts()
        path, before, pair = visitor.battle_path(), visitor.texts(), visitor.pair()

        visitor.page.reload()
        visitor.sees_first_parts()
        assert (visitor.battle_path(), visitor.texts()) == (path, before)
        visitor.sees_no_team()

        gate.open()
        visitor.sees_whole_answers()
    assert visitor.pair() == pair
    assert scripted_teams.asked[PROMPT] == asked + 2, "nobody is asked twice because a page was reloaded"


def test_back_and_forward_find_the_battle_again(visit: Visit, scripted_teams: Teams, device: Device) -> None:
    visitor = visit(device)
    visitor.go()
    with scripted_teams.holding(PROMPT) as gate:
        visitor.ask(PROMPT)
        visitor.sees_first_parts()
        path, before = visitor.battle_path(), visitor.texts()

        visitor.page.go_back()
        expect(visitor.page.locator("#prompt")).to_be_visible()
        expect(visitor.page.locator(".open-battle a")).to_have_attribute("href", path)
        visitor.page.go_forward()
        visitor.sees_first_parts()
        assert (visitor.battle_path(), visitor.texts()) == (path, before)

        gate.open()
        visitor.sees_whole_answers()


def test_another_page_and_back_in_mid_stream_goes_on(visit: Visit, scripted_teams: Teams) -> None:
    visitor = visit()
    visitor.go()
    with scripted_teams.holding(PROMPT) as gate:
        visitor.ask(PROMPT)
        visitor.sees_first_parts()

        visitor.page.locator(".site-nav a[href='/how']").click()
        expect(visitor.page).to_have_url(re.compile("/how$"))
        visitor.page.go_back()
        visitor.sees_first_parts()

        gate.open()
        visitor.sees_whole_answers()


def test_an_open_battle_is_offered_on_the_landing_page(visit: Visit) -> None:
    visitor = visit()
    visitor.go()
    visitor.ask("12 * 3")
    visitor.can_vote()
    path = visitor.battle_path()

    visitor.go()
    visitor.page.locator(".open-battle a").click()

    assert visitor.battle_path() == path
    visitor.vote("a")


def test_a_second_tab_shows_the_same_and_goes_along(visit: Visit, scripted_teams: Teams) -> None:
    visitor = visit()
    visitor.go()
    with scripted_teams.holding(PROMPT) as gate:
        visitor.ask(PROMPT)
        visitor.sees_first_parts()
        other = visitor.second_tab()
        other.sees_first_parts()
        assert other.texts() == visitor.texts()

        gate.open()
        visitor.sees_whole_answers()
        other.sees_whole_answers()
    assert other.texts() == visitor.texts()


def test_a_vote_in_one_tab_is_final_in_the_other(visit: Visit) -> None:
    visitor = visit()
    visitor.go()
    visitor.ask("12 * 3")
    visitor.can_vote()
    other = visitor.second_tab()
    other.can_vote()
    visitor.vote("a")
    visitor.watch.expect("status of 409")

    other.choice("b").click()
    expect(other.page.locator("#problem")).to_contain_text(
        other.says("You have already voted on this comparison, and a vote is final.")
    )
    assert other.texts() == visitor.texts()

    other.choice("a").click()
    other.sees_thanks()
    expect(other.page.locator(".receipt")).to_have_text(visitor.page.locator(".receipt").inner_text())


def test_a_lost_connection_comes_back_by_itself_also_when_the_answers_ended_meanwhile(
    visit: Visit, site: Site, scripted_teams: Teams
) -> None:
    with cable_to(site.origin) as cable, scripted_teams.holding(PROMPT) as gate:
        visitor = visit(PHONE, origin=cable.origin)
        visitor.watch.expect("net::ERR_")
        visitor.go()
        visitor.ask(PROMPT)
        visitor.sees_first_parts()
        before = visitor.texts()

        with visitor.page.expect_event("requestfailed"):
            cable.cut()
        gate.open()
        with visitor.page.expect_event("requestfailed"):  # the browser's own first try to come back
            pass
        assert visitor.texts() == before
        expect(visitor.page.locator("#problem")).to_be_empty()
        cable.mend()

        visitor.sees_whole_answers()
        visitor.vote("a")


def test_a_vote_that_could_not_be_sent_says_so_and_is_sent_by_the_next_press(visit: Visit) -> None:
    visitor = visit()
    visitor.watch.expect("net::ERR_INTERNET_DISCONNECTED|Failed to fetch")
    visitor.go()
    visitor.ask("12 * 3")
    visitor.can_vote()
    before = visitor.texts()

    visitor.context.set_offline(True)
    visitor.choice("a").click()
    expect(visitor.page.locator("#problem .notice")).to_be_visible()
    assert visitor.texts() == before
    visitor.context.set_offline(False)
    visitor.choice("a").click()

    visitor.sees_thanks()
    expect(visitor.page.locator("#problem")).to_be_empty()


def test_a_question_that_could_not_be_sent_is_kept(visit: Visit) -> None:
    visitor = visit()
    visitor.watch.expect("net::ERR_INTERNET_DISCONNECTED|Failed to fetch")
    visitor.go()
    visitor.agree()
    visitor.page.locator("#prompt").fill("12 * 3")

    visitor.context.set_offline(True)
    visitor.page.get_by_role("button", name=visitor.words("ask")).click()
    expect(visitor.page.locator("#problem .notice")).to_be_visible()
    expect(visitor.page.locator("#prompt")).to_have_value("12 * 3")
    visitor.context.set_offline(False)
    visitor.page.get_by_role("button", name=visitor.words("ask")).click()

    visitor.can_vote()


def test_a_new_question_ends_the_old_battle_and_its_page_says_so(visit: Visit) -> None:
    visitor = visit()
    visitor.go()
    visitor.ask("12 * 3")
    visitor.can_vote()
    old = visitor.battle_path()
    visitor.go()
    visitor.ask("12 * 4")
    visitor.can_vote()

    visitor.go(old)

    expect(visitor.page.get_by_text(visitor.says("This comparison has ended"))).to_be_visible()
    expect(visitor.page.locator("#vote")).to_have_count(0)


def test_a_battle_of_someone_else_is_not_there(visit: Visit, citizen: Citizen) -> None:
    path = citizen.battle(prompt="12 * 3")
    visitor = visit()
    visitor.watch.expect("status of 404")

    visitor.go(path)

    expect(visitor.page.locator("h1")).to_contain_text(visitor.says("There is nothing here"))
