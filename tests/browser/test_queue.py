"""Moderators at the review queue: by keyboard, by touch, beside each other, without scripts."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Request, expect

from tests.browser.conftest import Serve, Site, Visit
from tests.browser.visitor import Device, Language, Visitor
from tests.data import MINJI, voter
from tests.moderation.reviews import DRUGS, claims, does, held, many, review, states, waiting
from tests.staff import BORA, JIWOO, PASSWORD, hire
from tests.support import eventually, round_file

PAGE = "/office/queue"


@pytest.fixture
def site(serve: Serve) -> Iterator[Site]:
    """An open round, and the office's people; nobody is asked anything."""
    with serve(round_file("http://127.0.0.1:9")) as made:
        hire(made.db)
        voter(made.db, MINJI)
        yield made


def sits_down(visitor: Visitor, name: str = "jiwoo", path: str = PAGE) -> Visitor:
    visitor.go("/sign-in?next=" + path)
    visitor.page.locator("#email").fill(f"{name}@example.org")
    visitor.page.locator("#password").fill(PASSWORD)
    visitor.page.locator("main button").click()
    visitor.page.wait_for_url(visitor.origin + path)
    return visitor


def focused(visitor: Visitor, number: int) -> None:
    expect(visitor.page.locator(f"#review-{number}")).to_be_focused()


def says(visitor: Visitor, text: str) -> None:
    expect(visitor.page.locator("#said")).to_contain_text(visitor.says(text).split("%(")[0])


def keys(visitor: Visitor, *names: str) -> None:
    for name in names:
        visitor.page.keyboard.press(name)


def fits(visitor: Visitor) -> bool:
    found: bool = visitor.page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    return found and visitor.faults() == []


def test_a_hundred_prompts_are_cleared_by_keyboard_without_a_page_load(site: Site, visit: Visit) -> None:
    many(site.db, [f"질문 {n}" for n in range(100)])
    visitor = sits_down(visit(language="en"))
    documents = len(visitor.watch.documents)
    sent: list[Request] = []

    def note(request: Request) -> None:
        sent.append(request)

    visitor.page.on("request", note)

    keys(visitor, "j")
    focused(visitor, 1)
    for number in range(1, 101):
        if number % 4 == 0:
            keys(visitor, "r", "4")
        else:
            keys(visitor, "ahe"[number % 4 - 1])
        expect(visitor.page.locator(f"#review-{number}[data-done]")).to_have_count(0 if number in (50, 100) else 1)
        if number < 100:
            focused(visitor, number + 1)

    expect(visitor.page.locator("#queue-empty")).to_be_focused()
    assert len(visitor.watch.documents) == documents
    posted = [request.post_data or "" for request in sent if request.method == "POST"]
    acts = [form for form in posted if "act=" in form or "reason=" in form]
    assert (len(acts), len(posted)) == (100, 102), "an act each, and a claim of the first one of each list"
    assert sum(request.url == visitor.origin + PAGE for request in sent) == 2, "the list anew, when it was done"
    decided = states(site.db, *range(1, 101))
    assert {state: decided.count(state) for state in set(decided)} == dict.fromkeys(
        ("approved", "hidden", "escalated", "rejected"), 25
    )


def test_the_lists_counts_follow_each_act_and_its_undoing(site: Site, visit: Visit) -> None:
    many(site.db, ["첫 질문", "둘째 질문", "셋째 질문"])
    visitor = sits_down(visit(language="en"))
    held_back, approved = (
        visitor.page.locator(f"#queue-states a[href='{PAGE}?state={state}'] .count") for state in ("held", "approved")
    )
    expect(held_back).to_have_text("3")
    keys(visitor, "j", "a")
    expect(held_back).to_have_text("2")
    expect(approved).to_have_text("1")
    focused(visitor, 2)
    keys(visitor, "u")
    expect(held_back).to_have_text("3")
    expect(approved).to_have_text("0")
    assert fits(visitor)


def test_every_key(site: Site, visit: Visit) -> None:
    first, second, third = (held(site.db, f"질문 {n} " + "길게 " * 300) for n in range(3))
    visitor = sits_down(visit(language="en"))
    page = visitor.page

    keys(visitor, "j", "ArrowDown")
    focused(visitor, second)
    keys(visitor, "k")
    focused(visitor, first)
    keys(visitor, "v")
    expect(page.locator(f"#review-{first} .whole")).to_have_attribute("open", "")
    keys(visitor, "a")
    focused(visitor, second)
    says(visitor, "Question %(number)s is approved.")
    keys(visitor, "u")
    focused(visitor, first)
    assert states(site.db, first) == ["held"]
    keys(visitor, "r")
    expect(page.locator(f"#review-{first} .reject")).to_have_attribute("open", "")
    keys(visitor, "Escape")
    focused(visitor, first)
    keys(visitor, "r", "t")
    focused(visitor, second)
    expect(page.locator(f"#review-{first}")).to_have_attribute("data-done", "")
    assert review(site.db, first).reason == "test_data"
    keys(visitor, " ")
    keys(visitor, "j", "x", "h")
    expect(page.locator("#queue-empty")).to_be_focused()
    assert states(site.db, second, third) == ["hidden", "hidden"]
    keys(visitor, "/")
    expect(page.locator("#queue-search")).to_be_focused()
    page.keyboard.type("ahruj")
    expect(page.locator("#queue-search")).to_have_value("ahruj")
    page.locator("h1").click()
    keys(visitor, "?")
    expect(page.locator("#keys")).to_be_visible()
    assert fits(visitor)
    page.get_by_label(visitor.says("Use single keys on this device")).uncheck()
    keys(visitor, "Escape", "u")
    assert states(site.db, second, third) == ["hidden", "hidden"]
    visitor.go(PAGE)
    keys(visitor, "u", "?")
    expect(page.locator("#keys")).not_to_be_visible()
    page.locator("#show-keys").click()
    page.get_by_label(visitor.says("Use single keys on this device")).check()
    keys(visitor, "Escape")
    page.locator("h1").click()
    keys(visitor, "u")
    focused(visitor, second)


def test_keys_work_while_the_keyboard_writes_korean(site: Site, visit: Visit) -> None:
    first, second = held(site.db), held(site.db)
    visitor = sits_down(visit())
    press = """(init) => document.activeElement.dispatchEvent(new KeyboardEvent("keydown", init))"""
    visitor.page.evaluate(press, {"code": "KeyJ", "key": "ㅓ", "bubbles": True})
    focused(visitor, first)
    visitor.page.evaluate(press, {"code": "KeyA", "key": "ㅁ", "bubbles": True})
    focused(visitor, second)
    expect(visitor.page.locator(f"#review-{first}")).to_have_attribute("data-done", "")
    assert states(site.db, first) == ["approved"]


def test_two_moderators_beside_each_other(site: Site, visit: Visit) -> None:
    first, second, third = held(site.db), held(site.db), held(site.db)
    jiwoo, bora = sits_down(visit(language="en")), sits_down(visit(language="en"), "bora")
    bora.watch.expect("status of 409")

    keys(jiwoo, "j")
    focused(jiwoo, first)
    expect(bora.page.locator(f"#review-{first}")).to_contain_text("moderator-3 is looking at it")
    expect(bora.page.locator(f"#review-{first} button")).to_have_count(0)
    keys(bora, "j")
    focused(bora, second)
    expect(jiwoo.page.locator(f"#review-{second}")).to_contain_text("moderator-4 is looking at it")
    keys(jiwoo, "h")
    focused(jiwoo, third)
    expect(bora.page.locator(f"#review-{first}")).to_contain_text("Hidden")
    keys(bora, "a")
    expect(jiwoo.page.locator(f"#review-{second}")).to_contain_text("Approved")
    assert review(site.db, third).claimed_by == JIWOO
    focused(jiwoo, third)

    held(site.db, "새 질문")
    expect(jiwoo.page.locator("#load-new")).to_have_text("1 new: press n to load")
    assert jiwoo.page.locator(".review").count() == 3, "nothing moves under the reader's hands"
    keys(jiwoo, "n")
    expect(jiwoo.page.locator(".review")).to_have_count(2)
    focused(jiwoo, third)
    jiwoo.page.close()
    assert eventually(lambda: review(site.db, third).claimed_by is None), "given back when the page was left"


def test_the_slower_one_is_told_who_was_quicker(site: Site, visit: Visit) -> None:
    number, other = held(site.db), held(site.db)
    visitor = sits_down(visit(language="en"))
    visitor.watch.expect("status of 409")
    does(site.db, "approve", number, by=BORA)
    visitor.page.locator(f"#review-{number} [value=hide]").evaluate("(button) => button.click()")

    expect(visitor.page.locator("#said, #review-1")).to_contain_text(["moderator-4 was quicker", "Approved"])
    assert states(site.db, number, other) == ["approved", "held"]


@pytest.mark.parametrize("language", ["ko", "en"])
def test_the_queue_fits_and_is_accessible_in_every_state(
    site: Site, visit: Visit, device: Device, language: Language
) -> None:
    held(site.db, "가나다 " * 400, flags=[DRUGS, DRUGS | {"code": "not_classified", "source": "system"}])
    held(site.db, "W" * 300, masked={"phone": 2, "email": 1})
    asked = waiting(site.db)
    taken = held(site.db)
    does(site.db, "escalate", held(site.db))
    does(site.db, "approve", held(site.db), by=BORA)
    claims(site.db, taken, BORA)
    visitor = sits_down(visit(device, language))
    page = visitor.page
    assert fits(visitor), "to do"

    visitor.press(page.locator(f"#review-{asked} .reject summary"))
    page.locator(f"#review-{asked} textarea").fill("메모")
    assert fits(visitor), "reasons"
    visitor.press(page.locator(f"#review-{asked} [data-key='4']"))
    expect(page.locator(f"#review-{asked}")).to_have_attribute("data-done", "")
    assert fits(visitor), "rejected"

    page.locator("#review-1 [type=checkbox]").check()
    expect(page.locator("#bulk")).to_be_visible()
    assert fits(visitor), "chosen"
    visitor.press(page.locator("#bulk [value=approve]"))
    expect(page.locator("#review-1")).to_have_attribute("data-done", "")
    for state in ("all", "hidden"):
        visitor.go(f"{PAGE}?state={state}")
        assert fits(visitor), state


def test_without_scripts_buttons_work_as_forms(site: Site, visit: Visit) -> None:
    first, second, third = held(site.db), held(site.db), waiting(site.db)
    visitor = sits_down(visit(java_script_enabled=False))
    page = visitor.page
    page.locator(f"#review-{first} [value=approve]").click()
    expect(page.locator(f"#review-{first}")).to_have_count(0)
    page.locator("#undo button").click()
    expect(page.locator(f"#review-{first}")).to_be_visible()
    for number in (first, second):
        page.locator(f"#review-{number} [type=checkbox]").check()
    page.locator("#bulk [value=hide]").click()
    expect(page.locator(".review")).to_have_count(1)
    page.locator(f"#review-{third} .reject summary").click()
    page.locator(f"#review-{third} [value=spam]").click()
    expect(page.locator("#queue-empty")).to_be_visible()
    assert states(site.db, first, second, third) == ["hidden", "hidden", "rejected"]
