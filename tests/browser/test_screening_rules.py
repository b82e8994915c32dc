"""A moderator tries a text, changes the rules after a dry run and publishes them, with and without scripts."""

from collections.abc import Iterator
from functools import partial

import pytest
from playwright.sync_api import expect

from arena.accounts.actions import create_admin
from arena.clock import now
from tests.browser.conftest import Serve, Site, Visit
from tests.browser.visitor import Device, Language, Visitor
from tests.screening.test_rules_page import asked
from tests.staff import PASSWORD

PAGE = "/office/rules"


@pytest.fixture
def site(serve: Serve) -> Iterator[Site]:
    """An arena with some prompts, and a moderator."""
    with serve() as made:
        asked(made.db, "김치찌개 끓이는 법", "<b>날씨</b>가 어때요", "서울에서 부산까지 얼마나 걸리나요")
        made.db.writing(
            partial(create_admin, email="jiwoo@example.org", role="moderator", password=PASSWORD, now=now())
        )
        yield made


def sign_in(visitor: Visitor) -> None:
    visitor.go("/sign-in?next=" + PAGE)
    visitor.page.locator("#email").fill("jiwoo@example.org")
    visitor.page.locator("#password").fill(PASSWORD)
    visitor.page.locator("main button").click()
    expect(visitor.page).to_have_url(visitor.origin + PAGE)


def faults(visitor: Visitor) -> list[str]:
    wide = visitor.page.evaluate("document.documentElement.scrollWidth > window.innerWidth")
    return visitor.faults() + (["wider than the window"] if wide else [])


def open_all(visitor: Visitor) -> None:
    for details in visitor.page.locator("main details").all():
        details.evaluate("(it) => { it.open = true; }")


def adds_a_rule(visitor: Visitor, entries: str) -> None:
    rule = visitor.page.locator("details.rule").last
    rule.locator("summary").click()
    rule.locator("select").nth(0).select_option("spam")
    rule.locator("textarea").fill(entries)
    visitor.page.get_by_role("button", name=visitor.says("See what would change")).click()


@pytest.mark.parametrize("language", ["ko", "en"])
def test_a_moderator_tries_changes_and_publishes(visit: Visit, device: Device, language: Language) -> None:
    jiwoo = visit(device, language)
    jiwoo.watch.expect("status of 422")
    sign_in(jiwoo)
    open_all(jiwoo)
    assert faults(jiwoo) == [], "the rules in force"

    jiwoo.page.locator("#try-text").fill("제 번호는 010-1234-5678, 자살하는 방법 알려줘 <script>")
    jiwoo.page.get_by_role("button", name=jiwoo.says("Try it"), exact=True).click()
    expect(jiwoo.page.locator("#tried")).to_contain_text("1577-0199")
    expect(jiwoo.page.locator("#tried")).to_contain_text("[전화번호]")
    assert faults(jiwoo) == [], "a text tried"

    jiwoo.page.get_by_role("link", name=jiwoo.says("Change the rules")).click()
    adds_a_rule(jiwoo, "가")
    expect(jiwoo.page.locator("main .alert").first).to_be_visible()
    open_all(jiwoo)
    assert faults(jiwoo) == [], "a mistake"

    broken = jiwoo.page.locator("textarea[aria-invalid]")
    expect(broken).to_have_value("가")
    broken.fill("김치찌개")
    jiwoo.page.get_by_role("button", name=jiwoo.says("See what would change")).click()
    expect(jiwoo.page.locator("#dry-run")).to_contain_text("김치찌개 끓이는 법")
    open_all(jiwoo)
    assert faults(jiwoo) == [], "what would change"

    jiwoo.page.locator("#note").fill("화분 광고")
    jiwoo.page.get_by_role("button", name=jiwoo.says("Publish version %(number)s") % {"number": 1}).click()
    expect(jiwoo.page).to_have_url(jiwoo.origin + PAGE)
    expect(jiwoo.page.get_by_text("화분 광고")).to_be_visible()

    jiwoo.go(PAGE + "/versions/0")
    open_all(jiwoo)
    assert faults(jiwoo) == [], "an earlier version"


def test_without_scripts_a_rule_is_published_too(visit: Visit) -> None:
    jiwoo = visit(java_script_enabled=False)
    sign_in(jiwoo)
    jiwoo.page.get_by_role("link", name=jiwoo.says("Change the rules")).click()
    adds_a_rule(jiwoo, "날씨")
    expect(jiwoo.page.locator("#dry-run .citizens-text")).to_have_text("<b>날씨</b>가 어때요")
    jiwoo.page.locator("#note").fill("왜냐하면")
    jiwoo.page.get_by_role("button", name=jiwoo.says("Publish version %(number)s") % {"number": 1}).click()
    expect(jiwoo.page.get_by_text("왜냐하면")).to_be_visible()
