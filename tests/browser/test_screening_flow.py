"""What citizens see of the checks: something masked, a refusal, and a question that waits for a person."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from arena.screening.findings import reason
from tests.browser.conftest import Serve, Site, Visit
from tests.browser.teams import Teams
from tests.browser.visitor import Device, Language, Visitor
from tests.screening.flow import BLOCKED, HELD, NUMBER, decides, with_rules
from tests.support import round_file

WAITS = "A person looks at this question first."


@pytest.fixture(scope="module")
def site(serve: Serve, scripted_teams: Teams) -> Iterator[Site]:
    """An arena with rules of its own."""
    with serve(round_file(scripted_teams.origin)) as made:
        with_rules(made.db)
        yield made


def fits(visitor: Visitor) -> bool:
    found: bool = visitor.page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    return found and visitor.faults() == []


def sends(visitor: Visitor, prompt: str) -> None:
    visitor.page.locator("#prompt").fill(prompt)
    if visitor.page.locator(".consent").count():
        visitor.agree()
    visitor.press(visitor.page.get_by_role("button", name=visitor.words("ask")))


@pytest.mark.parametrize("language", ["ko", "en"])
def test_what_was_masked_is_told_under_the_question(visit: Visit, device: Device, language: Language) -> None:
    visitor = visit(device, language)
    visitor.go()
    visitor.ask(f"12 * 3, {NUMBER}")
    told = {"ko": "전화번호 1개를 가리고 물었어요", "en": "Hidden before asking: 1 phone number"}[language]
    expect(visitor.page.locator("#turn-1 .question")).to_contain_text(told)
    visitor.can_vote()
    assert NUMBER not in visitor.page.content()
    assert fits(visitor)


@pytest.mark.parametrize("language", ["ko", "en"])
def test_a_refused_question_is_given_back_with_the_reason(visit: Visit, device: Device, language: Language) -> None:
    visitor = visit(device, language)
    visitor.watch.expect("status of 422")
    visitor.go()
    sends(visitor, f"{BLOCKED} {NUMBER}")
    expect(visitor.page.locator("#ask-problem")).to_have_text(visitor.says(reason("weapons")))
    expect(visitor.page.locator("#ask-problem")).to_be_focused()
    expect(visitor.page.locator("#prompt")).to_have_value(f"{BLOCKED} {NUMBER}")
    assert fits(visitor)

    sends(visitor, "12 * 3")
    visitor.can_vote()
    visitor.follow_up(f"{BLOCKED} 또")
    expect(visitor.page.locator("#battle-problem")).to_have_text(visitor.says(reason("weapons")))
    expect(visitor.page.locator("#battle-problem")).to_be_focused()
    expect(visitor.page.locator("#follow-up-prompt")).to_have_value(f"{BLOCKED} 또")
    assert fits(visitor)


@pytest.mark.parametrize("language", ["ko", "en"])
def test_a_held_question_waits_and_is_asked_when_a_person_has_let_it_pass(
    visit: Visit, site: Site, device: Device, language: Language
) -> None:
    mine = f"{HELD} {device.name} {language}"
    visitor = visit(device, language)
    visitor.go()
    sends(visitor, mine)
    held = visitor.page.locator("#held li")
    expect(held).to_contain_text(visitor.says(WAITS))
    expect(held.locator(".told")).to_be_focused()
    expect(visitor.page.locator("#prompt")).to_have_value("")
    assert fits(visitor), "waiting"

    decides(site.db, "rejected", mine, "drugs")
    visitor.go()
    expect(held).to_contain_text(visitor.says(reason("drugs")))
    assert fits(visitor), "refused"

    decides(site.db, "approved", mine)
    visitor.go()
    assert fits(visitor), "approved"
    visitor.press(held.get_by_role("button", name=visitor.says("Ask it now")))
    expect(visitor.page.locator("#turn-1 .question")).to_contain_text(mine)
    visitor.can_vote()
    visitor.go()
    expect(held).to_have_count(0)


def test_a_held_follow_up_is_shown_where_it_was_asked_and_its_field_is_empty(
    visit: Visit, site: Site, device: Device
) -> None:
    mine = f"{HELD} {device.name} 이어서"
    visitor = visit(device)
    visitor.go()
    visitor.ask("12 * 3")
    visitor.can_vote()
    visitor.follow_up(mine)
    held = visitor.page.locator("#held li")
    expect(held).to_contain_text(visitor.says(WAITS))
    expect(held.locator(".told")).to_be_focused()
    expect(visitor.page.locator("#follow-up-prompt")).to_have_value("")
    assert fits(visitor), "waiting"

    decides(site.db, "approved", mine)
    visitor.page.reload()
    visitor.press(held.get_by_role("button", name=visitor.says("Ask both")))
    expect(visitor.page.locator("#turn-2 .question")).to_contain_text(mine)

    decides(site.db, "rejected", mine)
    visitor.can_vote()
    visitor.page.reload()
    expect(visitor.page.locator("#follow-up")).to_have_count(0)
    expect(visitor.page.locator("#vote")).to_be_visible()
    assert fits(visitor), "a question was refused after it was asked"


def test_taking_a_question_back_keeps_what_is_being_typed(visit: Visit, device: Device) -> None:
    visitor = visit(device)
    visitor.go()
    sends(visitor, f"{HELD} {device.name} 거둘 질문")
    expect(visitor.page.locator("#held li")).to_have_count(1)
    visitor.page.locator("#prompt").fill("아직 쓰는 중이에요")
    visitor.press(visitor.page.get_by_role("button", name=visitor.says("Take it back and erase it")))
    told = visitor.page.get_by_text(visitor.says("Taken back. The words of that question are erased."))
    expect(told).to_be_visible()
    expect(visitor.page.locator("#prompt")).to_have_value("아직 쓰는 중이에요")
    expect(visitor.page.locator("#held li")).to_have_count(0)
    assert fits(visitor)


def test_without_scripts_a_question_waits_is_asked_and_another_is_taken_back(visit: Visit, site: Site) -> None:
    visitor = visit(java_script_enabled=False)
    visitor.go()
    for prompt in (f"{HELD} 하나", f"{HELD} 둘"):
        sends(visitor, prompt)
        expect(visitor.page).to_have_url(visitor.origin + "/#held")
    visitor.page.get_by_role("button", name=visitor.says("Take it back and erase it")).first.click()
    held = visitor.page.locator("#held li")
    expect(held).to_have_count(1)
    decides(site.db, "approved", f"{HELD} 둘")
    visitor.page.reload()
    held.get_by_role("button", name=visitor.says("Ask it now")).click()
    expect(visitor.page.locator("#turn-1 .question")).to_contain_text(f"{HELD} 둘")
