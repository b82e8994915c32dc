"""An operator runs a round on the office's pages, from the form to the closing, with and without scripts."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.battles.stage import FIRST, SECOND
from tests.browser.conftest import Serve, Site, Visit
from tests.browser.teams import Teams
from tests.browser.visitor import Device, Language, Visitor
from tests.staff import PASSWORD, hire
from tests.support import Citizen, round_file


@pytest.fixture
def site(serve: Serve) -> Iterator[Site]:
    """An office before its first round."""
    with serve() as made:
        hire(made.db)
        yield made


def sign_in(visitor: Visitor) -> None:
    visitor.go("/sign-in?next=/office/rounds")
    visitor.page.locator("#email").fill("sora@example.org")
    visitor.page.locator("#password").fill(PASSWORD)
    visitor.page.locator("main button").click()
    expect(visitor.page).to_have_url(visitor.origin + "/office/rounds")


def looks_well(visitor: Visitor, where: str) -> None:
    """Nothing is cut off at the side, and axe finds nothing."""
    widest = visitor.page.evaluate("document.documentElement.scrollWidth")
    assert (widest <= visitor.device.width, visitor.faults()) == (True, []), where


def button(visitor: Visitor, text: str) -> None:
    visitor.page.locator("main").get_by_role("button", name=visitor.says(text), exact=True).first.click()


def link(visitor: Visitor, text: str) -> None:
    visitor.page.locator("main").get_by_role("link", name=visitor.says(text), exact=True).first.click()


def fill_team(visitor: Visitor, number: int, ko: str, en: str, url: str) -> None:
    at = f"#f-entries-{number}"
    for path, value in (
        ("team-ko", ko), ("team-en", en), ("model", f"model-{number}"), ("base_url", url), ("aliases", f"{ko}\n{en}"),
    ):  # fmt: skip
        visitor.page.locator(f"{at}-{path}").fill(value)


def fill(visitor: Visitor, teams: Teams) -> None:
    page = visitor.page
    page.locator("#f-slug").fill("stage-1")
    page.locator("#f-title-ko").fill("1차 단계평가")
    page.locator("#f-title-en").fill("Stage 1")
    fill_team(visitor, 0, "가온", "Gaon", f"{teams.origin}/{FIRST}/v1")
    fill_team(visitor, 1, "나래", "Narae", f"{teams.origin}/{SECOND}/v1")


@pytest.mark.parametrize("language", ["ko", "en"])
def test_an_operator_runs_a_round_from_the_form_to_its_closing(
    visit: Visit, site: Site, scripted_teams: Teams, device: Device, language: Language
) -> None:
    visitor = visit(device, language, site=site)
    visitor.watch.expect("status of 422")
    page = visitor.page
    sign_in(visitor)
    looks_well(visitor, "no round yet")
    link(visitor, "Make a round")
    expect(page.locator("#f-slug")).to_be_visible()
    looks_well(visitor, "an empty form")

    fill(visitor, scripted_teams)
    page.locator("#f-rules-max_turns").fill("many")
    button(visitor, "Add a team")
    expect(page.locator("#f-entries-2-team-ko")).to_be_focused()
    page.locator("#f-entries-2-team-ko").press("Enter")
    expect(page.locator("#f-rules-max_turns-fault")).to_be_visible()
    expect(page.locator("#f-rules-max_turns")).to_have_value("many")
    looks_well(visitor, "a form with faults")
    button(visitor, visitor.says("Remove team %(n)s") % {"n": 3})
    page.locator("#f-rules-max_turns").fill("5")
    page.locator(".save-bar button").click()

    expect(page).to_have_url(visitor.origin + "/office/rounds/stage-1")
    looks_well(visitor, "a draft")
    page.locator(".entry-row a").first.click()
    expect(page.locator("#question")).to_be_visible()
    looks_well(visitor, "before a test")
    button(visitor, "Ask it")
    expect(page.locator(".trial")).to_have_count(2)
    looks_well(visitor, "a test")

    visitor.go("/office/rounds/stage-1/preview")
    looks_well(visitor, "the preview")
    visitor.go("/office/rounds/stage-1/open")
    looks_well(visitor, "before opening")
    page.locator("#confirm").fill("stage")
    button(visitor, "Open the round now")
    expect(page.locator("#problem-words")).to_be_visible()
    looks_well(visitor, "a wrong name")
    page.locator("#confirm").fill("stage-1")
    button(visitor, "Open the round now")

    expect(page.locator("#numbers")).to_be_visible()
    looks_well(visitor, "an empty desk")
    citizen = Citizen(site.origin)
    citizen.battle()
    citizen.close()
    visitor.go("/office/rounds/stage-1")
    looks_well(visitor, "a desk")
    expect(page.locator(".counts dd").first).to_have_text("1")

    link(visitor, "Close the round")
    expect(page.locator("#confirm")).to_be_visible()
    looks_well(visitor, "before closing")
    page.locator("#confirm").fill("stage-1")
    page.locator("#why").fill("Enough votes")
    button(visitor, "Close the round now")
    expect(page.locator(".state").get_by_text(visitor.says("Closed"))).to_be_visible()
    visitor.go("/office/rounds")
    looks_well(visitor, "all rounds")


def test_the_desks_numbers_are_read_again_and_the_focus_stays(
    visit: Visit, serve: Serve, scripted_teams: Teams
) -> None:
    with serve(round_file(scripted_teams.origin)) as made:
        hire(made.db)
        visitor = visit(site=made)
        page = visitor.page
        sign_in(visitor)
        visitor.go("/office/rounds/stage-1")
        expect(page.locator(".counts dd").first).to_have_text("0")
        page.locator("#numbers .as-of a").focus()
        citizen = Citizen(made.origin)
        citizen.battle()
        citizen.close()
        page.locator("#numbers").dispatch_event("refresh")
        expect(page.locator(".counts dd").first).to_have_text("1")
        expect(page.locator("#numbers .as-of a")).to_be_focused()
        visitor.go("/office/rounds")


def test_a_fingerprint_is_copied(visit: Visit, serve: Serve, scripted_teams: Teams) -> None:
    with serve(round_file(scripted_teams.origin)) as made:
        hire(made.db)
        visitor = visit(site=made, permissions=["clipboard-read", "clipboard-write"])
        sign_in(visitor)
        visitor.go("/office/rounds/stage-1/preview")
        button(visitor, "Copy the fingerprint")
        expect(visitor.page.locator("#announce")).to_have_text(visitor.says("Copied"))
        copied = visitor.page.evaluate("navigator.clipboard.readText()")
        assert copied == visitor.page.locator("#rules-hash").inner_text()
        assert len(copied) == 64


def test_a_draft_is_made_and_opened_without_scripts(visit: Visit, site: Site, scripted_teams: Teams) -> None:
    visitor = visit(site=site, java_script_enabled=False)
    page = visitor.page
    sign_in(visitor)
    link(visitor, "Make a round")
    fill(visitor, scripted_teams)
    button(visitor, "Add a team")
    button(visitor, visitor.says("Remove team %(n)s") % {"n": 3})
    page.locator(".save-bar button").click()
    link(visitor, "Open the round")
    page.locator("#confirm").fill("stage-1")
    button(visitor, "Open the round now")

    expect(page.locator("#numbers")).to_be_visible()
