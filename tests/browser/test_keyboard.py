"""Everything by keyboard alone, and the focus always to be seen."""

from playwright.sync_api import expect

from tests.browser.conftest import Visit
from tests.browser.visitor import PHONE, Visitor

FOCUSED = """(() => {
  const it = document.activeElement;
  const ringed = it.closest("label")?.querySelector("input + span") ?? it;
  const style = getComputedStyle(ringed), own = getComputedStyle(it);
  const width = Math.max(...[style, own].map((s) => s.outlineStyle === "none" ? 0 : parseFloat(s.outlineWidth)));
  const { top, bottom } = it.getBoundingClientRect();
  return { ring: width, inside: bottom > 0 && top < innerHeight, tag: it.tagName + "." + it.className };
})()"""


def tab_to(visitor: Visitor, selector: str, *, key: str = "Tab") -> None:
    """Presses Tab until the focus is there; every stop on the way must show where the focus is."""
    for _ in range(60):
        if visitor.page.locator(f"{selector}:focus").count():
            return
        visitor.page.keyboard.press(key)
        stop = visitor.page.evaluate(FOCUSED)
        assert stop["tag"] == "BODY." or (stop["ring"] >= 3 and stop["inside"]), stop
    raise AssertionError(f"no way to {selector} by {key}")


def ask(visitor: Visitor) -> None:
    visitor.go()
    expect(visitor.page.locator("#prompt")).to_be_focused()
    visitor.page.keyboard.type("12 * 3")
    tab_to(visitor, "[name=consent][value=participate]")
    visitor.page.keyboard.press("Space")
    tab_to(visitor, "#ask button.primary")
    visitor.page.keyboard.press("Enter")
    visitor.can_vote()


def test_a_whole_battle_by_tab_and_enter(visit: Visit) -> None:
    visitor = visit()
    ask(visitor)

    tab_to(visitor, "[name=choice][value=both_bad]")
    visitor.page.keyboard.press("Enter")
    visitor.sees_thanks()
    expect(visitor.page.locator("#thanks-title")).to_be_focused()
    expect(visitor.page.locator(".facts dd").first).to_have_text(visitor.words("both_bad"))

    tab_to(visitor, "[name=reasons][value='a:clear']")
    visitor.page.keyboard.press("Space")
    tab_to(visitor, "#comment")
    visitor.page.keyboard.type("좋았어요")
    tab_to(visitor, "#feedback button")
    visitor.page.keyboard.press("Enter")
    expect(visitor.page.locator(".feedback-given")).to_be_focused()
    tab_to(visitor, ".next-step a", key="Shift+Tab")
    visitor.page.keyboard.press("Enter")
    expect(visitor.page.locator("#prompt")).to_be_focused()


def test_the_keys_1_to_4_vote_in_the_order_of_the_buttons(visit: Visit) -> None:
    visitor = visit()
    ask(visitor)

    for key, choice in zip("1234", ("a", "tie", "both_bad", "b"), strict=True):
        visitor.page.keyboard.press(key)
        visitor.sees_thanks()
        expect(visitor.page.locator(".facts dd").first).to_have_text(visitor.words(choice))
        if key != "4":
            visitor.go()
            visitor.ask(f"12 * {key}")
            visitor.can_vote()


def test_figures_typed_into_a_follow_up_question_cast_no_vote(visit: Visit) -> None:
    visitor = visit()
    ask(visitor)

    tab_to(visitor, "#follow-up summary")
    visitor.page.keyboard.press("Enter")
    tab_to(visitor, "#follow-up-prompt")
    visitor.page.keyboard.type("1 + 2 + 3 + 4")

    expect(visitor.page.locator("#follow-up-prompt")).to_have_value("1 + 2 + 3 + 4")
    expect(visitor.page.locator("#vote")).to_be_visible()
    visitor.page.keyboard.press("Control+Enter")
    expect(visitor.page.locator("#turn-2")).to_be_visible()
    visitor.can_vote()


def test_on_a_narrow_screen_the_keyboard_reaches_the_other_answer_and_the_vote(visit: Visit) -> None:
    visitor = visit(PHONE)
    ask(visitor)
    expect(visitor.choice("a")).to_have_attribute("aria-disabled", "true")

    tab_to(visitor, "#turn-1 .tabs a:last-child", key="Shift+Tab")
    visitor.page.keyboard.press("Enter")
    expect(visitor.choice("a")).not_to_have_attribute("aria-disabled", "true")
    visitor.page.keyboard.press("4")

    visitor.sees_thanks()


def test_the_skip_link_leads_to_the_content(visit: Visit) -> None:
    visitor = visit()
    visitor.go("/how")

    visitor.page.keyboard.press("Tab")
    expect(visitor.page.locator(".skip-link")).to_be_in_viewport()
    visitor.page.keyboard.press("Enter")

    expect(visitor.page.locator("#main")).to_be_focused()
