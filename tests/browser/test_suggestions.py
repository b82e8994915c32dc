"""Moderators at their screens: a question goes from a proposal to the landing page, also without scripts."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Serve, Site, Visit
from tests.browser.teams import Teams
from tests.browser.visitor import DESKTOP, Device, Language, Visitor
from tests.moderation.suggesting import acts, approves, proposes
from tests.staff import PASSWORD, hire
from tests.support import round_file

PAGE = "/office/suggestions"
TEXTS = {
    ("ko", "phone"): "주말에 혼자 보기 좋은 한국 영화를 골라 주세요.",
    ("ko", "desktop"): "박물관에서 아이와 함께 볼 만한 것을 알려 주세요.",
    ("en", "phone"): "Which Korean film should I watch on a rainy evening?",
    ("en", "desktop"): "What should I look at first in a museum of history?",
}


@pytest.fixture(scope="module")
def site(serve: Serve, scripted_teams: Teams) -> Iterator[Site]:
    with serve(round_file(scripted_teams.origin)) as made:
        hire(made.db)
        yield made


def sign_in(visitor: Visitor, name: str, to: str = PAGE) -> None:
    visitor.go(f"/sign-in?next={to}")
    visitor.page.locator("#email").fill(f"{name}@example.org")
    visitor.page.locator("#password").fill(PASSWORD)
    visitor.page.locator("main button").first.click()
    expect(visitor.page).to_have_url(visitor.origin + to)


def check(visitor: Visitor, heading: str, what: str) -> None:
    """The page with this heading fits the screen and has no faults, in both brightnesses."""
    expect(visitor.page.locator("h1")).to_contain_text(visitor.says(heading))
    assert visitor.page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), what
    assert visitor.faults() == [], what


def write(visitor: Visitor, text: str, topic: str, locale: str) -> None:
    visitor.page.locator("#text").fill(text)
    visitor.page.locator("#topic").select_option(topic)
    visitor.page.locator("#locale").select_option(locale)


def press(visitor: Visitor, name: str) -> None:
    visitor.press(visitor.page.get_by_role("button", name=visitor.says(name), exact=True))


def open_all(visitor: Visitor) -> None:
    for details in visitor.page.locator("main details").all():
        details.evaluate("(it) => { it.open = true; }")


@pytest.mark.parametrize("language", ["ko", "en"])
def test_a_question_goes_from_a_proposal_to_the_landing_page(
    visit: Visit, device: Device, language: Language
) -> None:
    text = TEXTS[language, device.name]
    jiwoo, bora, citizen = visit(device, language), visit(device, language), visit(device, language)
    sign_in(jiwoo, "jiwoo")
    check(jiwoo, "Suggestions", "the desk")
    jiwoo.press(jiwoo.page.get_by_role("link", name=jiwoo.says("Propose a question"), exact=True))
    check(jiwoo, "Propose a question", "an empty form")
    write(jiwoo, text, "culture", language)
    press(jiwoo, "Propose it")
    expect(jiwoo.page.locator(".question-words")).to_have_text(text)
    open_all(jiwoo)
    check(jiwoo, "waits for a second person", "one's own proposal")
    expect(jiwoo.page.get_by_role("button", name=jiwoo.says("Approve"), exact=True)).to_have_count(0)

    sign_in(bora, "bora")
    check(bora, "Suggestions", "the desk with a proposal")
    bora.press(bora.page.get_by_role("link", name=text))
    check(bora, "waits for a second person", "another's proposal")
    press(bora, "Approve")
    bora.press(bora.page.get_by_role("link", name=bora.says("See the next version")))
    expect(bora.page.get_by_role("link", name=text)).to_be_visible()
    check(bora, "The next version", "the next version")
    bora.page.locator("#note").fill("영화와 박물관")
    bora.press(bora.page.locator("form.writing button"))
    expect(bora.page.locator("#changed")).to_be_visible()
    expect(bora.page.get_by_text(text).first).to_be_visible()
    check(bora, "the newest", "a version")

    offered: list[str] = []
    for number in range(40):
        citizen.go(f"/?shuffle={number}")
        offered += citizen.page.locator("#suggestions button").all_inner_texts()
    assert text in offered
    expect(citizen.page.locator("#suggestions .topic")).to_have_count(4)
    check(citizen, "Compare two AI answers without knowing whose they are", "the landing page")


def test_a_refused_form_says_why_and_keeps_what_was_typed(visit: Visit, device: Device) -> None:
    visitor = visit(device, "en")
    visitor.watch.expect("status of 422")
    sign_in(visitor, "jiwoo", PAGE + "/new")
    write(visitor, "너무 짧음", "trip", "ko")
    press(visitor, "Propose it")
    expect(visitor.page.locator("#form-problem")).to_be_focused()
    expect(visitor.page.locator("#text")).to_have_value("너무 짧음")
    expect(visitor.page.locator("#topic")).to_have_value("trip")
    check(visitor, "Propose a question", "refused")


def test_the_whole_way_by_keyboard(visit: Visit, site: Site) -> None:
    visitor = visit(DESKTOP, "en")
    sign_in(visitor, "bora")
    draft = proposes(site.db, "퇴근하고 30분 동안 할 만한 운동을 알려 주세요.")
    visitor.go(f"{PAGE}/{draft}")
    tab_to(visitor, "Approve")
    visitor.page.keyboard.press("Enter")
    expect(visitor.page.get_by_role("link", name="See the next version")).to_be_visible()
    tab_to(visitor, "See the next version")
    visitor.page.keyboard.press("Enter")
    expect(visitor.page.get_by_role("heading", name="The next version")).to_be_visible()
    tab_to(visitor, "")
    visitor.page.keyboard.type("Exercise")
    visitor.page.keyboard.press("Enter")
    expect(visitor.page.get_by_role("heading", name="What changed")).to_be_visible()
    assert acts(site.db)[-1].what == "suggestion.publish"


def tab_to(visitor: Visitor, name: str) -> None:
    """Presses Tab until a control with this text has the focus, or with no name the note's field."""
    wanted = "it.id === 'note'" if not name else f"it.innerText.trim() === '{name}' && it.matches('a, button')"
    for _ in range(120):
        visitor.page.keyboard.press("Tab")
        if visitor.page.evaluate(f"(() => {{ const it = document.activeElement; return {wanted}; }})()"):
            return
    raise AssertionError(f"{name!r} is never reached")


def test_a_suggestion_is_taken_out_and_left_in_and_a_version_published_without_scripts(
    visit: Visit, site: Site
) -> None:
    visitor = visit(java_script_enabled=False)
    sign_in(visitor, "jiwoo")
    item = visitor.page.locator("#ko-puzzle")
    item.get_by_role("button").click()
    expect(item).to_contain_text(visitor.says("goes with the next version"))
    item.get_by_role("button").click()
    expect(item).not_to_contain_text(visitor.says("goes with the next version"))
    item.get_by_role("button").click()

    approves(site.db, proposes(site.db, "처음 가는 도시에서 길을 잃지 않는 방법은 무엇인가요?"))
    visitor.go(PAGE + "/next")
    expect(visitor.page.locator("#note")).to_have_count(0)
    visitor = visit(java_script_enabled=False)
    sign_in(visitor, "bora")
    visitor.go(PAGE + "/next")
    visitor.page.locator("#note").fill("퀴즈를 뺐어요")
    visitor.page.locator("form.writing button").click()
    expect(visitor.page.get_by_text("퀴즈를 뺐어요").first).to_be_visible()
    expect(visitor.page.locator("#changed + h3")).to_be_visible()
    visitor.go(PAGE)
    expect(visitor.page.locator("#ko-puzzle")).to_have_count(0)
