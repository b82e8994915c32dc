"""The landing page: a question, consent once, suggestions."""

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Site, Visit
from tests.browser.visitor import DESKTOP, PHONE, Device

WEIGHT_LIMIT = 100_000


def test_the_cursor_is_in_the_question_field(visit: Visit, device: Device) -> None:
    visitor = visit(device)

    visitor.go()

    expect(visitor.page.locator("#prompt")).to_be_focused()
    expect(visitor.page.locator("#prompt")).to_be_in_viewport()
    expect(visitor.page.locator("#suggestions li")).to_have_count(4)


def test_consent_is_needed_once_and_neither_tick_is_set_beforehand(visit: Visit, device: Device) -> None:
    visitor = visit(device)
    visitor.watch.expect("status of 422")
    visitor.go()
    for tick in visitor.page.locator("[name=consent]").all():
        expect(tick).not_to_be_checked()
    visitor.page.locator("#prompt").fill("12 * 3")

    visitor.press(visitor.page.get_by_role("button", name=visitor.words("ask")))
    expect(visitor.page.locator("#ask-problem")).to_be_focused()
    expect(visitor.page.locator("#prompt")).to_have_value("12 * 3")

    visitor.agree()
    visitor.press(visitor.page.get_by_role("button", name=visitor.words("ask")))
    visitor.vote("a")
    visitor.go()
    expect(visitor.page.locator(".consent")).to_have_count(0)
    visitor.ask("12 * 4")
    visitor.can_vote()


def test_publication_is_a_choice_of_its_own_that_a_refusal_keeps(visit: Visit) -> None:
    visitor = visit()
    visitor.watch.expect("status of 422")
    visitor.go()
    visitor.page.locator("#prompt").fill("12 * 3")
    visitor.page.locator("[name=consent][value=publish]").check()

    visitor.page.get_by_role("button", name=visitor.words("ask")).click()

    expect(visitor.page.locator("#ask-problem")).to_be_visible()
    expect(visitor.page.locator("[name=consent][value=publish]")).to_be_checked()
    expect(visitor.page.locator("[name=consent][value=participate]")).not_to_be_checked()


def test_an_empty_question_is_asked_for_and_nothing_is_lost(visit: Visit) -> None:
    visitor = visit()
    visitor.watch.expect("status of 422")
    visitor.go()
    visitor.agree()

    visitor.page.get_by_role("button", name=visitor.words("ask")).click()

    expect(visitor.page.locator("#ask-problem")).to_contain_text(visitor.says("Please write a question first."))


def test_control_and_enter_send_the_question(visit: Visit) -> None:
    visitor = visit()
    visitor.go()
    visitor.agree()
    visitor.page.locator("#prompt").fill("12 * 3")

    visitor.page.locator("#prompt").press("Control+Enter")

    visitor.can_vote()


def test_shuffling_shows_others_each_time_and_keeps_the_question(visit: Visit, device: Device) -> None:
    visitor = visit(device)
    visitor.go()
    visitor.page.locator("#prompt").fill("아직 쓰는 중")
    items, seen = visitor.page.locator("#suggestions li"), []

    for _ in range(3):
        seen.append(items.all_inner_texts())
        visitor.press(visitor.page.locator("#shuffle"))
        expect(items).not_to_have_text(seen[-1])
        expect(items).to_have_count(4)

    assert len({tuple(texts) for texts in seen}) == 3
    expect(visitor.page.locator("#prompt")).to_have_value("아직 쓰는 중")
    assert visitor.watch.documents == [visitor.origin + "/"]


def test_a_suggestion_is_asked_by_one_press(visit: Visit, device: Device) -> None:
    visitor = visit(device)
    visitor.go()
    visitor.agree()
    first = visitor.page.locator("#suggestions button").first
    question = first.inner_text()

    visitor.press(first)

    expect(visitor.page.locator(".question p")).to_have_text(question)
    visitor.can_vote()


def test_a_double_press_asks_once(visit: Visit, site: Site) -> None:
    visitor = visit()
    visitor.go()
    visitor.agree()
    visitor.page.locator("#prompt").fill("12 * 3")
    posts: list[str] = []
    visitor.page.on("request", lambda request: posts.append(request.url) if request.method == "POST" else None)

    visitor.page.get_by_role("button", name=visitor.words("ask")).dblclick()
    visitor.can_vote()

    assert posts == [site.origin + "/battles"]


def test_the_landing_page_weighs_less_than_100_kb_over_the_wire(visit: Visit) -> None:
    visitor = visit()
    session = visitor.context.new_cdp_session(visitor.page)
    kinds: dict[str, str] = {}
    bytes_of: dict[str, float] = {}

    def noted(event: dict[str, Any]) -> None:
        kinds[event["requestId"]] = event["type"]

    def finished(event: dict[str, Any]) -> None:
        bytes_of[event["requestId"]] = event["encodedDataLength"]

    session.on("Network.responseReceived", noted)
    session.on("Network.loadingFinished", finished)
    session.send("Network.enable")
    visitor.page.goto(visitor.origin, wait_until="networkidle")

    weights = {request: size for request, size in bytes_of.items() if kinds[request] != "Font"}
    assert {"Document", "Stylesheet", "Script"} <= {kinds[request] for request in weights}
    assert sum(weights.values()) < WEIGHT_LIMIT


def test_without_an_open_round_the_page_says_so(visit: Visit, empty_site: Site, device: Device) -> None:
    visitor = visit(device, site=empty_site)

    visitor.go()

    expect(visitor.page.get_by_text(visitor.says("No round is open right now"))).to_be_visible()
    expect(visitor.page.locator("#ask")).to_have_count(0)


def test_the_language_changes_by_a_press_and_stays(visit: Visit) -> None:
    visitor = visit(DESKTOP, "ko")
    visitor.go("/how")

    visitor.page.get_by_role("button", name="English").click()

    expect(visitor.page.locator("html")).to_have_attribute("lang", "en")
    expect(visitor.page).to_have_url(visitor.origin + "/how")
    visitor.go("/")
    expect(visitor.page.get_by_role("button", name="Get two answers")).to_be_visible()


@pytest.mark.parametrize(("theme", "device_s"), [("dark", "light"), ("light", "dark")])
def test_the_brightness_changes_by_a_press_and_stays(visit: Visit, theme: str, device_s: str) -> None:
    visitor = visit(PHONE, color_scheme=device_s)
    visitor.go()
    before = background(visitor.page)

    visitor.page.locator(f"[name=theme][value={theme}]").tap()

    expect(visitor.page.locator("html")).to_have_attribute("data-theme", theme)
    visitor.page.reload()
    assert background(visitor.page) != before


def background(page: Page) -> str:
    colour: str = page.evaluate("getComputedStyle(document.body).backgroundColor")
    return colour


@pytest.mark.parametrize("path", ["/", "/how", "/privacy", "/rounds", "/rounds/stage-1", "/rounds/stage-1/rules"])
def test_nothing_is_wider_than_a_phone(visit: Visit, path: str) -> None:
    visitor = visit(PHONE)

    visitor.go(path)

    assert visitor.page.evaluate("document.documentElement.scrollWidth") <= PHONE.width
