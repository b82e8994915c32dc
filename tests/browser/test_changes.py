"""Two operators change an open round on its page, with and without scripts."""

from collections.abc import Iterator
from functools import partial

import pytest
from playwright.sync_api import expect

from arena.accounts.actions import create_admin
from arena.clock import now
from tests.browser.conftest import Serve, Site, Visit
from tests.browser.teams import Teams
from tests.browser.visitor import Device, Language, Visitor
from tests.support import round_file

PASSWORD = "a long enough password"
PAGE = "/rounds/stage-1/changes"


@pytest.fixture(scope="module")
def site(serve: Serve, scripted_teams: Teams) -> Iterator[Site]:
    """A round that may be changed, and two operators."""
    with serve(round_file(scripted_teams.origin, may_change=["address", "pause", "join"])) as made:
        for name in ("sora", "hana"):
            email = f"{name}@example.org"
            made.db.writing(partial(create_admin, email=email, role="operator", password=PASSWORD, now=now()))
        yield made


def sign_in(visitor: Visitor, name: str) -> None:
    visitor.go("/sign-in?next=" + PAGE)
    visitor.page.locator("#email").fill(f"{name}@example.org")
    visitor.page.locator("#password").fill(PASSWORD)
    visitor.page.locator("main button").click()
    expect(visitor.page).to_have_url(visitor.origin + PAGE)


def open_form(visitor: Visitor, kind: str) -> None:
    visitor.page.locator(f"details:has(#{kind}-reason) summary").click()


def fits(visitor: Visitor) -> bool:
    found: bool = visitor.page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    return found and visitor.faults() == []


@pytest.mark.parametrize("language", ["ko", "en"])
def test_one_operator_proposes_and_another_approves(visit: Visit, device: Device, language: Language) -> None:
    sora, hana = visit(device, language), visit(device, language)
    sign_in(sora, "sora")
    assert fits(sora), "nothing waiting"
    for details in sora.page.locator("main details").all():
        details.evaluate("(it) => { it.open = true; }")
    assert fits(sora), "all forms open"

    sora.page.locator("#pause-reason").select_option("endpoint_failing")
    sora.page.locator("form:has(#pause-reason) button").click()
    expect(
        sora.page.get_by_text(sora.says("You proposed this, so another operator has to approve it."))
    ).to_be_visible()
    assert fits(sora), "waiting, as the one who proposed"

    sign_in(hana, "hana")
    assert fits(hana), "waiting, as another operator"
    hana.page.get_by_role("button", name=hana.says("Approve")).click()
    expect(hana.page.get_by_text(hana.says("Nothing is waiting."))).to_be_visible()
    assert fits(hana), "approved"

    open_form(hana, "resume")
    hana.page.locator("form:has(#resume-reason) button").click()
    sora.go(PAGE)
    sora.page.get_by_role("button", name=sora.says("Approve")).click()
    expect(sora.page.locator("#resume-reason")).to_have_count(0)


def test_a_refused_form_says_why_beside_it_and_keeps_what_was_typed(visit: Visit, device: Device) -> None:
    visitor = visit(device)
    visitor.watch.expect("status of 422")
    sign_in(visitor, "sora")
    open_form(visitor, "address")
    visitor.page.locator("#address-base_url").fill("http://10.0.0.1/v1")
    visitor.page.locator("form:has(#address-base_url) button").click()

    expect(visitor.page.locator("#address-problem")).to_be_visible()
    expect(visitor.page.locator("#address-base_url")).to_have_value("http://10.0.0.1/v1")
    assert fits(visitor)


def test_a_change_is_proposed_and_taken_back_without_scripts(visit: Visit) -> None:
    visitor = visit(java_script_enabled=False)
    sign_in(visitor, "sora")
    open_form(visitor, "pause")
    visitor.page.locator("form:has(#pause-reason) button").click()
    visitor.page.get_by_role("button", name=visitor.says("Take it back")).click()

    expect(visitor.page.get_by_text(visitor.says("Nothing is waiting."))).to_be_visible()
