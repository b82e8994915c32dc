"""Without JavaScript one can ask, read both answers, vote, and say why."""

from playwright.sync_api import expect

from tests.browser.conftest import Visit
from tests.browser.teams import Teams
from tests.browser.visitor import Device


def test_a_whole_battle(visit: Visit, device: Device) -> None:
    visitor = visit(device, java_script_enabled=False)
    visitor.go()

    visitor.ask("12 * 3")
    visitor.battle_path()
    visitor.can_vote()
    expect(visitor.answer("a")).to_contain_text("36")
    expect(visitor.answer("b")).to_contain_text("36")
    for copy in visitor.page.locator("[data-copy]").all():
        expect(copy).to_be_hidden()
    visitor.press(visitor.choice("b"))
    visitor.sees_thanks()

    visitor.page.locator("[name=reasons][value='b:accurate']").check()
    visitor.press(visitor.page.locator("#feedback button"))
    expect(visitor.page.locator(".feedback-given")).to_be_visible()
    visitor.press(visitor.page.get_by_role("link", name=visitor.says("Ask another question")))
    expect(visitor.page.locator("#prompt")).to_be_visible()


def test_the_page_renews_itself_while_answers_come(visit: Visit, scripted_teams: Teams) -> None:
    visitor = visit(java_script_enabled=False)
    visitor.go()
    with scripted_teams.holding("천천히 답해 주세요") as gate:
        visitor.ask("천천히 답해 주세요")
        expect(visitor.page.locator("#stop")).to_be_visible()
        gate.open()
        visitor.sees_whole_answers()
    assert scripted_teams.asked["천천히 답해 주세요"] == 2


def test_consent_and_the_question_are_asked_for_without_losing_what_was_written(visit: Visit) -> None:
    visitor = visit(java_script_enabled=False)
    visitor.watch.expect("status of 422")
    visitor.go()
    visitor.page.locator("#prompt").fill("12 * 3")

    visitor.page.get_by_role("button", name=visitor.words("ask")).click()

    expect(visitor.page.locator("#ask-problem")).to_be_visible()
    expect(visitor.page.locator("#prompt")).to_have_value("12 * 3")


def test_suggestions_follow_ups_and_a_stop_work_too(visit: Visit, scripted_teams: Teams) -> None:
    visitor = visit(java_script_enabled=False)
    visitor.go()
    first = visitor.page.locator("#suggestions button").first.inner_text()
    visitor.page.locator("#shuffle").click()
    expect(visitor.page.locator("#suggestions button").first).not_to_have_text(first)
    visitor.agree()
    question = visitor.page.locator("#suggestions button").first.inner_text()
    visitor.page.locator("#suggestions button").first.click()
    expect(visitor.page.locator(".question p")).to_have_text(question)
    visitor.can_vote()

    with scripted_teams.holding("더 알려 주세요"):
        visitor.follow_up("더 알려 주세요")
        visitor.page.locator("#stop button").click()
        expect(visitor.page.locator("#resume")).to_be_visible()
    visitor.page.locator("#resume button").click()
    visitor.can_vote()
    expect(visitor.page.locator("#turn-2")).to_contain_text("더 알려 주세요")
