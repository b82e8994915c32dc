"""The leaderboard on a phone and on a desk: nothing hidden, nothing cut off, nothing that needs a script."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from playwright.sync_api import expect

from arena.accounts.actions import create_admin
from arena.clock import now
from tests.browser.conftest import Serve, Site, Visit
from tests.browser.visitor import PHONE, Device, Language, Visitor
from tests.ratings.boards import NO_POINTS, keep, not_ratable, without_ranges
from tests.support import round_file

LEADERBOARD = "/rounds/stage-1/leaderboard"
EMAIL, PASSWORD = "kim@example.org", "a long enough password"
NARROW = Device("narrow", 320, 640, touch=True)
WIDE = Device("wide", 1920, 1080, touch=False)


@pytest.fixture(scope="module")
def site(serve: Serve) -> Iterator[Site]:
    """A round whose ratings everyone may see, and an operator."""
    with serve(round_file("http://127.0.0.1:9", reveal="after_vote")) as made:
        made.db.writing(lambda session: create_admin(session, EMAIL, "operator", PASSWORD, now()))
        yield made


def open_details(visitor: Visitor) -> None:
    for summary in visitor.page.locator("main summary").all():
        visitor.press(summary)


def test_the_whole_result_has_no_faults_and_fits_the_screen(
    visit: Visit, site: Site, device: Device, language: Language
) -> None:
    keep(site.db)
    visitor = visit(device, language)
    visitor.go(LEADERBOARD)
    open_details(visitor)

    expect(visitor.page.locator("svg.plot")).to_be_visible()
    expect(visitor.page.locator("table.duels tbody tr")).to_have_count(5)
    expect(visitor.page.get_by_text("bt-half-side-cr1")).to_be_visible()
    expect(visitor.page.get_by_text("(0.0312)")).to_be_visible()
    assert visitor.page.evaluate("document.documentElement.scrollWidth") == device.width
    assert visitor.faults() == []


@pytest.mark.parametrize(
    "ratings",
    [not_ratable("one_sided", "e5"), without_ranges("too_few_voters")],
    ids=["no ratings", "no ranges"],
)
def test_what_is_not_known_is_said_and_not_drawn(
    visit: Visit, site: Site, device: Device, ratings: dict[str, object]
) -> None:
    keep(site.db, ratings=ratings, scores=NO_POINTS, beside={"robustness": None})
    visitor = visit(device)
    visitor.go(LEADERBOARD)

    expect(visitor.page.locator("main .notice")).to_be_visible()
    expect(visitor.page.locator("svg.plot, .relations")).to_have_count(0)
    assert visitor.page.evaluate("document.documentElement.scrollWidth") == device.width
    assert visitor.faults() == []


@pytest.mark.parametrize("device", [NARROW, WIDE], ids=lambda device: device.name)
def test_it_fits_the_smallest_and_the_largest_screen(visit: Visit, site: Site, device: Device) -> None:
    keep(site.db)
    visitor = visit(device)
    visitor.go(LEADERBOARD)

    assert visitor.page.evaluate("document.documentElement.scrollWidth") == device.width


def test_an_operator_sees_the_plan_and_where_counts_differ_on_any_screen(
    visit: Visit, site: Site, device: Device, language: Language
) -> None:
    keep(site.db, recounted_at=datetime(2026, 11, 30, tzinfo=UTC), differences=["e1-e2: a=80 kept, a=79 counted"])
    visitor = visit(device, language)
    visitor.go("/sign-in?next=" + LEADERBOARD)
    visitor.page.locator("#email").fill(EMAIL)
    visitor.page.locator("#password").fill(PASSWORD)
    visitor.press(visitor.page.locator("main button"))
    expect(visitor.page).to_have_url(visitor.origin + LEADERBOARD)
    open_details(visitor)

    expect(visitor.page.get_by_text("a=79 counted")).to_be_visible()
    expect(visitor.page.locator("[aria-labelledby=outlook-title] tbody tr")).to_have_count(3)
    assert visitor.page.evaluate("document.documentElement.scrollWidth") == device.width
    assert visitor.faults() == []


def test_tables_that_are_too_wide_scroll_by_keyboard(visit: Visit, site: Site) -> None:
    keep(site.db)
    visitor = visit(PHONE)
    visitor.go(LEADERBOARD)
    for box in visitor.page.locator("main .scroll-box").all():
        box.focus()
        visitor.page.keyboard.press("ArrowRight")
        scrolled = box.evaluate_handle("(box) => box")
        visitor.page.wait_for_function("(box) => box.scrollLeft > 0", arg=scrolled)


def test_it_needs_no_script(visit: Visit, site: Site) -> None:
    keep(site.db)
    visitor = visit(java_script_enabled=False)
    visitor.go(LEADERBOARD)
    open_details(visitor)

    for part in (
        "svg.plot",
        ".plot-and-table table",
        ".findings .relations",
        "table.duels",
        "main details li >> nth=0",
        ".annex .relations",
    ):
        expect(visitor.page.locator(part)).to_be_visible()
