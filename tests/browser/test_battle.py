"""A battle from the question to the thank-you, as the people it is for have it."""

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Visit
from tests.browser.teams import Teams
from tests.browser.visitor import Choice, Device, Language

QUESTION = {"ko": "냉장고에 두부와 김치만 있어요. 저녁으로 뭘 해 먹을까요?", "en": "How do I sleep better?"}


def test_a_question_becomes_a_vote(visit: Visit, device: Device, language: Language) -> None:
    visitor = visit(device, language)
    visitor.go()
    visitor.sees_no_team()
    expect(visitor.page.locator("html")).to_have_attribute("lang", language)

    visitor.ask(QUESTION[language])
    visitor.can_vote()
    visitor.sees_no_team()
    expect(visitor.page.get_by_text(QUESTION[language])).to_be_visible()
    expect(visitor.page.get_by_text(visitor.words("by_ai"))).to_have_count(2)
    a, b = visitor.texts()
    assert a
    assert b
    assert a != b

    visitor.vote("b")
    visitor.sees_no_team()
    expect(visitor.page.locator(".facts")).to_contain_text(visitor.words("b"))
    expect(visitor.page.locator(".receipt")).to_have_text(r := visitor.page.locator(".receipt").inner_text())
    assert len(r) == 32

    visitor.press(visitor.page.get_by_role("link", name=visitor.says("Ask another question")))
    expect(visitor.page.locator("#prompt")).to_be_focused()
    expect(visitor.page.locator(".consent")).to_have_count(0)


@pytest.mark.parametrize("choice", ["tie", "both_bad"])
def test_the_vote_that_was_pressed_is_the_one_recorded(visit: Visit, choice: Choice) -> None:
    visitor = visit()
    visitor.go()
    visitor.ask("12 * 3")

    visitor.vote(choice)

    expect(visitor.page.locator(".facts dd").first).to_have_text(visitor.words(choice))


def test_asking_and_voting_load_no_new_page_yet_the_address_is_the_battles(visit: Visit) -> None:
    visitor = visit()
    visitor.go()

    visitor.ask("12 * 3")
    path = visitor.battle_path()
    visitor.vote("a")

    assert visitor.watch.documents == [visitor.origin + "/"]
    visitor.page.reload()
    visitor.sees_thanks()
    assert visitor.battle_path() == path


def test_both_answers_grow_while_they_come_and_votes_wait_for_their_end(
    visit: Visit, scripted_teams: Teams, device: Device
) -> None:
    visitor = visit(device)
    visitor.go()
    with scripted_teams.holding("김치찌개 끓이는 법") as gate:
        visitor.ask("김치찌개 끓이는 법")
        visitor.sees_first_parts()
        visitor.sees_no_team()
        expect(visitor.page.locator("#vote")).to_have_count(0)
        expect(visitor.page.locator("#stop button")).to_be_visible()

        gate.open()
        visitor.sees_whole_answers()

    for side in "ab":
        answer = visitor.answer(side)
        expect(answer.locator("h2, h3, h4")).to_contain_text("묵은지")
        expect(answer.locator("ol li")).to_have_count(2)
        expect(answer.locator("pre")).to_contain_text("def simmer(minutes: int) -> str:\n    return")
        expect(answer.locator("td").first).to_have_text("두부")
    announced = visitor.says("Both answers are complete. You can choose now.")
    expect(visitor.page.locator("#announce")).to_have_text(announced)


def test_reasons_and_a_comment_may_follow_the_vote(visit: Visit, device: Device) -> None:
    visitor = visit(device)
    visitor.go()
    visitor.ask("12 * 3")
    visitor.vote("a")

    visitor.page.locator("[name=reasons][value='a:clear']").check()
    visitor.page.locator("[name=reasons][value='b:inaccurate']").check()
    visitor.page.locator("#comment").fill("B는 답이 틀렸어요.")
    visitor.press(visitor.page.locator("#feedback button"))

    expect(visitor.page.locator(".feedback-given")).to_be_focused()
    visitor.sees_thanks()
    expect(visitor.page.locator("#feedback")).to_have_count(0)
    visitor.page.reload()
    visitor.sees_thanks()
    expect(visitor.page.locator("#feedback")).to_have_count(0)


def test_a_follow_up_question_goes_to_both_and_leaves_the_first_answers_as_they_were(
    visit: Visit, scripted_teams: Teams, device: Device
) -> None:
    visitor = visit(device)
    visitor.go()
    visitor.ask("12 * 3")
    visitor.can_vote()
    first = visitor.answer("a").inner_html(), visitor.answer("b").inner_html()

    with scripted_teams.holding("왜 그런가요?") as gate:
        visitor.follow_up("왜 그런가요?")
        visitor.sees_first_parts(turn=2)
        expect(visitor.page.locator("#vote")).to_have_count(0)
        gate.open()
        visitor.sees_whole_answers(turn=2)

    assert (visitor.answer("a").inner_html(), visitor.answer("b").inner_html()) == first
    visitor.vote("tie")


def test_after_the_last_question_the_rules_allow_there_is_no_further_one(visit: Visit) -> None:
    visitor = visit()
    visitor.go()
    visitor.ask("12 * 3")
    for question in ("13 * 3", "14 * 3"):
        visitor.can_vote()
        visitor.follow_up(question)
        expect(visitor.page.get_by_text(question, exact=True)).to_be_visible()

    visitor.can_vote()

    expect(visitor.page.locator("#follow-up")).to_have_count(0)


def test_stopped_answers_stay_and_can_be_had_again(visit: Visit, scripted_teams: Teams, device: Device) -> None:
    visitor = visit(device)
    visitor.go()
    with scripted_teams.holding("긴 이야기를 해 주세요") as gate:
        visitor.ask("긴 이야기를 해 주세요")
        visitor.sees_first_parts()
        before, pair = visitor.texts(), visitor.pair()

        visitor.press(visitor.page.locator("#stop button"))
        expect(visitor.page.locator("#resume")).to_be_visible()
        assert visitor.texts() == before
        expect(visitor.page.locator("#vote")).to_have_count(0)

        visitor.press(visitor.page.locator("#resume button"))
        expect(visitor.page.locator("#stop")).to_be_visible()
        gate.open()
        visitor.sees_whole_answers()
    assert visitor.pair() == pair
    visitor.vote("a")


def test_answers_that_fail_are_nobodys_loss_and_one_press_asks_a_pair_again(
    visit: Visit, scripted_teams: Teams, device: Device
) -> None:
    visitor = visit(device)
    visitor.go()
    with scripted_teams.refusing("오늘 저녁은 뭐가 좋을까요?"):
        visitor.ask("오늘 저녁은 뭐가 좋을까요?")
        again = visitor.page.get_by_role("button", name=visitor.says("Ask again"))
        expect(again).to_be_visible()
        expect(visitor.page.get_by_text("질문은 그대로 있어요")).to_be_visible()
        expect(visitor.page.locator("#vote")).to_have_count(0)
        failed = visitor.battle_path()

    visitor.press(again)
    visitor.can_vote()
    assert visitor.battle_path() != failed
    expect(visitor.page.locator(".question p")).to_have_text("오늘 저녁은 뭐가 좋을까요?")
    visitor.vote("b")


def test_an_answer_and_its_code_can_be_copied(visit: Visit, scripted_teams: Teams) -> None:
    visitor = visit(permissions=["clipboard-read", "clipboard-write"])
    visitor.go()
    with scripted_teams.holding("코드를 보여 주세요") as gate:
        gate.open()
        visitor.ask("코드를 보여 주세요")
        visitor.sees_whole_answers()

    visitor.page.locator("#turn-1-b .code button").click()
    expect(visitor.page.locator("#announce")).to_have_text(visitor.says("Copied"))
    code = visitor.page.evaluate("navigator.clipboard.readText()")
    visitor.page.locator("[data-copy=turn-1-b]").click()
    expect(visitor.page.locator("[data-copy=turn-1-b]")).to_contain_text(visitor.says("Copied"))
    answer = visitor.page.evaluate("navigator.clipboard.readText()")

    assert code.startswith("def simmer(minutes: int) -> str:\n    return")
    assert answer.endswith("뒷부분까지 다 왔어요.")
    assert code.strip() in answer
    assert "복사" not in answer
