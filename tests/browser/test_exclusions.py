"""Two operators take a vote out, its voter appeals, and both take it back in; with and without scripts."""

import random
from collections.abc import Iterator
from functools import partial

import pytest
from playwright.sync_api import expect

from arena.accounts.actions import record_consent
from arena.battles.pages import CONSENT_VERSION
from arena.battles.queries import CastVote
from arena.clock import now
from tests.browser.conftest import Serve, Site, Visit
from tests.browser.teams import Teams
from tests.browser.visitor import Device, Language, Visitor
from tests.data import voted, voter
from tests.staff import PASSWORD, hire
from tests.support import Citizen, round_file

PAGE = "/office/exclusions"
CHOICES = ("a", "b", "tie", "both_bad")


@pytest.fixture(scope="module")
def site(serve: Serve, scripted_teams: Teams) -> Iterator[Site]:
    """A round that can be rated, and its office."""
    with serve(round_file(scripted_teams.origin, teams=3)) as made:
        hire(made.db)
        chance = random.Random(5)
        for number in range(8):
            name = voter(made.db, f"citizen-{number}")
            for _ in range(4):
                voted(made.db, name, chance.choice(CHOICES))
        yield made


@pytest.fixture
def vote(site: Site, citizen: Citizen) -> CastVote:
    """A vote of the citizen whose browser will be opened."""
    citizen.http.get("/")
    name = citizen.http.cookies["arena_visitor"].partition(".")[0]
    site.db.writing(partial(record_consent, voter_id=name, version=CONSENT_VERSION, publish=True, now=now()))
    return voted(site.db, name)


def sign_in(visitor: Visitor, name: str) -> None:
    visitor.go("/sign-in?next=" + PAGE)
    visitor.page.locator("#email").fill(f"{name}@example.org")
    visitor.page.locator("#password").fill(PASSWORD)
    visitor.page.locator("main button").first.click()
    expect(visitor.page).to_have_url(visitor.origin + PAGE)


def button(visitor: Visitor, words: str) -> None:
    visitor.press(visitor.page.get_by_role("button", name=visitor.says(words), exact=True))


def opens(visitor: Visitor, how: str) -> None:
    visitor.page.locator(f"details:has(#{how}-note) summary").click()


def fits(visitor: Visitor) -> bool:
    found: bool = visitor.page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    return found and visitor.faults() == []


def proposes(sora: Visitor, vote: CastVote) -> None:
    opens(sora, "numbers")
    sora.page.locator("#numbers-numbers").fill(vote.receipt)
    sora.page.locator("#numbers-reason").select_option("automated_voting")
    sora.page.locator("form:has(#numbers-note) button").click()
    expect(sora.page.locator(".effect")).to_be_visible()


@pytest.mark.parametrize("language", ["ko", "en"])
def test_a_vote_is_taken_out_appealed_for_and_taken_back_in(
    visit: Visit, device: Device, language: Language, citizen: Citizen, vote: CastVote
) -> None:
    sora, hana = visit(device, language), visit(device, language)
    minji, other = visit(device, language, as_=citizen), visit(device, language)
    sign_in(sora, "sora")
    for details in sora.page.locator("main details").all():
        details.evaluate("(it) => { it.open = true; }")
    assert fits(sora), "all forms open"
    for details in sora.page.locator("main details").all():
        details.evaluate("(it) => { it.open = false; }")

    proposes(sora, vote)
    assert fits(sora), "the effect before it is proposed"
    button(sora, "Propose it")
    expect(sora.page.get_by_text(sora.says("You proposed this, so another operator has to decide."))).to_be_visible()
    assert fits(sora), "as the one who proposed"

    sign_in(hana, "hana")
    hana.page.locator(".pick input").check()
    assert fits(hana), "a proposal waits"
    button(hana, "See the effect of those chosen, and decide")
    expect(hana.page.locator(".effect")).to_be_visible()
    assert fits(hana), "as the one who decides"
    button(hana, "Agree")
    expect(hana.page.get_by_text(hana.says("What it did to the ratings"))).to_be_visible()
    assert fits(hana), "decided"

    receipt = f"/receipts/{vote.receipt}"
    other.go(receipt)
    expect(other.page.locator("#counting")).to_contain_text(
        other.says("The reason: it looked as if a machine had voted, not a person.")
    )
    expect(other.page.locator("#appeal")).to_have_count(0)
    minji.go(receipt)
    minji.page.locator("#appeal-text").fill("제가 직접 골랐어요. <b>정말이에요</b>")
    assert fits(minji), "before the appeal"
    button(minji, "Ask for another look")
    expect(minji.page.locator("#appeal")).to_contain_text(
        minji.says("You asked for another look. Somebody will read it, and the answer will stand here.")
    )
    assert fits(minji), "after the appeal"

    hana.go(PAGE)
    expect(hana.page.get_by_text("<b>정말이에요</b>")).to_be_visible()
    assert fits(hana), "an appeal waits"
    button(hana, "Count it again: see the effect first")
    expect(hana.page.locator(".effect")).to_be_visible()
    assert fits(hana), "the effect of the appeal"
    button(hana, "Propose it")
    expect(hana.page.get_by_text(hana.says("You proposed this, so another operator has to decide."))).to_be_visible()
    sora.go(PAGE)
    sora.page.locator(".picks a").first.click()
    button(sora, "Agree")
    expect(sora.page.get_by_text(sora.says("What it did to the ratings"))).to_be_visible()
    minji.page.reload()
    expect(minji.page.locator("#counting")).to_contain_text(minji.says("It counts for the rating."))
    expect(minji.page.locator("#appeal")).to_contain_text(
        minji.says("You asked for another look, and two people agreed with you: your vote was taken back in.")
    )
    assert fits(minji), "upheld"


def test_lines_that_were_refused_are_named_beside_the_form_which_keeps_them(visit: Visit, device: Device) -> None:
    visitor = visit(device)
    visitor.watch.expect("status of 422")
    sign_in(visitor, "sora")
    opens(visitor, "numbers")
    visitor.page.locator("#numbers-numbers").fill("nonsense\n" + "f" * 32)
    visitor.page.locator("#numbers-reason").select_option("test_votes")
    visitor.page.locator("form:has(#numbers-note) button").click()

    expect(visitor.page.locator("#numbers-problem li")).to_have_count(2)
    expect(visitor.page.locator("#numbers-numbers")).to_have_value("nonsense\n" + "f" * 32)
    expect(visitor.page.locator("#numbers-reason")).to_have_value("test_votes")
    assert fits(visitor)


def test_all_of_it_works_without_scripts(visit: Visit, citizen: Citizen, vote: CastVote) -> None:
    sora, hana = visit(java_script_enabled=False), visit(java_script_enabled=False)
    minji = visit(as_=citizen, java_script_enabled=False)
    sign_in(sora, "sora")
    proposes(sora, vote)
    button(sora, "Propose it")
    expect(sora.page.get_by_text(sora.says("You proposed this, so another operator has to decide."))).to_be_visible()
    sign_in(hana, "hana")
    hana.page.locator(".pick a").first.click()
    button(hana, "Agree")
    expect(hana.page.get_by_text(hana.says("What it did to the ratings"))).to_be_visible()
    minji.go(f"/receipts/{vote.receipt}")
    minji.page.locator("#appeal-text").fill("다시 봐 주세요")
    button(minji, "Ask for another look")
    expect(minji.page.locator("#appeal details")).to_be_visible()
    sora.go(PAGE)
    appeal = sora.page.get_by_role("article").filter(has_text="다시 봐 주세요")
    appeal.locator("[name=reply]").fill("다시 보았지만 그대로예요.")
    appeal.locator("form:has([name=reply]) button").click()
    expect(appeal).to_have_count(0)
    minji.page.reload()
    expect(minji.page.locator("#appeal blockquote").first).to_have_text("다시 보았지만 그대로예요.")
