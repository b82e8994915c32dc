"""The two sides are twins, the vote leans nowhere, and nothing that stands still is moved by what grows."""

from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import Visit
from tests.browser.teams import Teams
from tests.browser.visitor import DESKTOP, PHONE, Choice, Device, Visitor

PROMPT = "김치찌개는 어떻게 끓이나요?"
CHOICES: tuple[Choice, ...] = ("a", "tie", "both_bad", "b")

# Everything that a style sheet decides about an element and its parts, places and the text aside.
LOOKS = """(element) => {
  const looks = [];
  for (const part of [element, ...element.querySelectorAll(":not([data-answer] *)")]) {
    if (part.closest("svg") && part.tagName !== "svg") continue;
    const style = getComputedStyle(part);
    looks.push(part.tagName + [
      "color", "backgroundColor", "borderTopColor", "borderTopWidth", "borderTopStyle", "borderTopLeftRadius",
      "fontSize", "fontWeight", "fontFamily", "lineHeight", "textAlign", "opacity", "boxShadow", "paddingTop",
      "paddingLeft", "paddingRight", "outlineStyle", "display",
    ].map((name) => style[name]).join(" "));
  }
  return looks;
}"""


def looks(element: Locator) -> list[str]:
    found: list[str] = element.evaluate(LOOKS)
    return found


def boxes(elements: Locator) -> list[dict[str, float]]:
    """Where elements are, all at the same moment."""
    found: list[dict[str, float]] = elements.evaluate_all("""
      (elements) => elements.map((element) => {
        const { x, y, width, height } = element.getBoundingClientRect();
        return { x, y, width, height };
      })
    """)
    return [{name: round(value, 1) for name, value in box.items()} for box in found]


def panels(visitor: Visitor) -> Locator:
    return visitor.page.locator(".panel")


def twins(visitor: Visitor) -> None:
    a, b = boxes(panels(visitor))
    assert (a["y"], a["width"], a["height"]) == (b["y"], b["width"], b["height"])
    assert looks(panels(visitor).first) == looks(panels(visitor).last)


def words_around(panel: Locator) -> str:
    text: str = panel.evaluate("""(panel) => {
      const copy = panel.cloneNode(true);
      copy.querySelector("[data-answer]").remove();
      return copy.textContent.replace(/\\s+/g, " ").trim();
    }""")
    return text


@pytest.mark.parametrize(("device", "scheme"), [(PHONE, "dark"), (DESKTOP, "light")], ids=["phone", "desktop"])
def test_both_sides_are_twins_from_the_first_moment_to_the_vote(
    visit: Visit, scripted_teams: Teams, device: Device, scheme: str
) -> None:
    visitor = visit(device, color_scheme=scheme)
    visitor.go()
    with scripted_teams.holding(PROMPT) as gate:
        visitor.ask(PROMPT)
        twins(visitor)
        visitor.sees_first_parts()
        twins(visitor)
        gate.open()
        visitor.sees_whole_answers()

    twins(visitor)
    a, b = (words_around(panel) for panel in panels(visitor).all())
    assert a.replace("모델 A", "모델 B") == b
    visitor.vote("a")
    twins(visitor)


@pytest.mark.parametrize(("device", "scheme"), [(PHONE, "dark"), (DESKTOP, "light")], ids=["phone", "desktop"])
def test_the_four_choices_look_alike_and_none_is_chosen_beforehand(visit: Visit, device: Device, scheme: str) -> None:
    visitor = visit(device, color_scheme=scheme, reduced_motion="reduce")
    visitor.go()
    visitor.ask("12 * 3")
    visitor.can_vote()
    visitor.read_both()
    visitor.page.mouse.move(0, 0)

    choices = [visitor.choice(choice) for choice in CHOICES]
    expect(visitor.page.locator("#vote button > span")).to_have_text([visitor.words(choice) for choice in CHOICES])
    sizes = {(box["width"], box["height"], box["y"]) for box in boxes(visitor.page.locator("#vote button"))}
    assert len(sizes) == 1
    assert all(side >= 44 for side in sizes.pop()[:2])
    assert all(looks(choice) == looks(choices[0]) for choice in choices)
    for choice in choices:
        expect(choice).not_to_be_focused()
        assert not choice.evaluate(
            "(it) => it.matches('[aria-pressed=true], [aria-checked=true], :checked, .primary')"
        )


def test_the_vote_is_at_hand_without_scrolling(visit: Visit, scripted_teams: Teams, device: Device) -> None:
    visitor = visit(device)
    visitor.go()
    with scripted_teams.holding(PROMPT) as gate:
        gate.open()
        visitor.ask(PROMPT)
        visitor.sees_whole_answers()

    for choice in CHOICES:
        expect(visitor.choice(choice)).to_be_in_viewport(ratio=1)


def test_nothing_moves_while_answers_stream_but_what_lies_below_them(
    visit: Visit, scripted_teams: Teams, device: Device
) -> None:
    visitor = visit(device)
    visitor.go()
    with scripted_teams.holding(PROMPT, silent=True) as gate:
        visitor.ask(PROMPT)
        expect(visitor.page.locator(".waiting").first).to_be_visible()
        visitor.page.evaluate("document.fonts.ready")
        before = boxes(panels(visitor))
        forget_shifts(visitor.page)
        gate.open()
        visitor.sees_whole_answers()

    shifts: list[dict[str, Any]] = visitor.page.evaluate("shifts")
    assert [shift for shift in shifts if shift["fixed"]] == []
    assert [shift for shift in shifts if shift["x"]] == []
    after = boxes(panels(visitor))
    assert [(box["x"], box["y"], box["width"]) for box in after] == [(b["x"], b["y"], b["width"]) for b in before]


def forget_shifts(page: Page) -> None:
    page.evaluate("new Promise((done) => requestAnimationFrame(() => { shifts.length = 0; done(); }))")


def test_the_page_watches_for_shifts(visit: Visit) -> None:
    """The tests above would pass on a browser that reports none."""
    visitor = visit()
    visitor.go("/how")

    visitor.page.evaluate("""
      document.querySelector(".site-header").before(Object.assign(document.createElement("p"), { textContent: "!" }))
    """)

    look = "new Promise((done) => { const look = () => { %s ? done() : requestAnimationFrame(look); }; look(); })"
    visitor.page.evaluate(look % "shifts.some((shift) => shift.fixed && shift.y > 0)")


def test_on_a_phone_voting_opens_when_both_answers_have_been_on_screen(visit: Visit) -> None:
    visitor = visit(PHONE)
    visitor.go()
    visitor.ask("12 * 3")
    visitor.can_vote()
    closed(visitor)
    expect(visitor.page.locator("#vote-hint")).to_have_text(visitor.says("Please read the answer of B, too"))

    swipe(visitor)

    expect(visitor.page.locator("#turn-1-b")).to_be_in_viewport(ratio=1)
    opened(visitor)
    expect(visitor.page.locator("#vote-hint")).to_be_empty()
    visitor.press(visitor.choice("tie"))
    visitor.sees_thanks()


def closed(visitor: Visitor) -> None:
    for choice in CHOICES:
        expect(visitor.choice(choice)).to_have_attribute("aria-disabled", "true")


def opened(visitor: Visitor) -> None:
    for choice in CHOICES:
        expect(visitor.choice(choice)).not_to_have_attribute("aria-disabled", "true")


def swipe(visitor: Visitor) -> None:
    """A finger drawn to the left over the answers."""
    session = visitor.context.new_cdp_session(visitor.page)
    y = boxes(panels(visitor))[0]["y"] + 30
    steps: list[tuple[str, list[int]]] = [
        ("touchStart", [340]),
        *(("touchMove", [x]) for x in range(320, 40, -20)),
        ("touchEnd", []),
    ]
    for kind, fingers in steps:
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": x, "y": y} for x in fingers]})


def test_a_press_on_a_closed_choice_shows_the_unread_answer_and_casts_no_vote(visit: Visit) -> None:
    visitor = visit(PHONE)
    visitor.go()
    visitor.ask("12 * 3")
    visitor.can_vote()
    closed(visitor)

    visitor.choice("a").tap(force=True)

    expect(visitor.page.locator("#turn-1-b")).to_be_in_viewport(ratio=0.8)
    opened(visitor)
    visitor.page.reload()
    visitor.can_vote()


def test_the_edge_of_the_other_answer_shows_on_a_phone(visit: Visit) -> None:
    visitor = visit(PHONE)
    visitor.go()
    visitor.ask("12 * 3")
    visitor.can_vote()

    a, b = boxes(panels(visitor))
    assert a["x"] >= 0
    assert a["x"] + a["width"] < b["x"] < PHONE.width


def test_a_wide_screen_has_no_box_that_scrolls_on_its_own_but_code(visit: Visit, scripted_teams: Teams) -> None:
    visitor = visit(DESKTOP)
    visitor.go()
    with scripted_teams.holding(PROMPT) as gate:
        gate.open()
        visitor.ask(PROMPT)
        visitor.sees_whole_answers()

    scrolling = visitor.page.evaluate("""
      [...document.querySelectorAll("#main *")]
        .filter((element) => element.scrollHeight > element.clientHeight + 1 && element.clientHeight)
        .filter((element) => ["auto", "scroll"].includes(getComputedStyle(element).overflowY))
        .map((element) => element.tagName)
    """)
    assert [tag for tag in scrolling if tag != "PRE"] == []


def test_nothing_is_animated_for_those_who_ask_for_calm(visit: Visit, device: Device) -> None:
    visitor = visit(device, reduced_motion="reduce")
    visitor.go()
    visitor.ask("12 * 3")
    visitor.vote("a")

    moving = visitor.page.evaluate("""
      [...document.querySelectorAll("*")].filter((element) => {
        const style = getComputedStyle(element);
        const seconds = `${style.animationDuration}, ${style.transitionDuration}`.split(", ").map(parseFloat);
        return style.scrollBehavior === "smooth" || Math.max(...seconds) > 0.01;
      }).map((element) => element.tagName)
    """)
    assert moving == []
