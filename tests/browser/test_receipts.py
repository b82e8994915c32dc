"""A receipt in a browser: from the vote to the page, kept, checked, and what could not be checked said plainly."""

import json

import httpx
import pytest
from playwright.sync_api import Route, expect

from tests.browser.conftest import Site, Visit
from tests.browser.receipts import (
    FINE,
    FIRST,
    button,
    check,
    opens,
    placed,
    placed_receipt,
    size,
    verdict,
)
from tests.browser.test_keyboard import tab_to
from tests.browser.visitor import PHONE, Choice, Device, Language, Visitor
from tests.support import Citizen, eventually

IN_ITS_PLACE = (
    "The entry stands in the ledger at its place. Your device computed the way to the ledger’s fingerprint itself."
)


@pytest.fixture(scope="module")
def number(site: Site) -> str:
    return placed_receipt(site)


def votes(visitor: Visitor, choice: Choice = "a") -> str:
    """From the question to the vote's receipt; the receipt's number."""
    visitor.go()
    visitor.ask("12 * 3")
    visitor.vote(choice)
    number = visitor.page.locator(".thanks .receipt").inner_text()
    visitor.press(visitor.page.get_by_role("link", name=visitor.says("See the receipt")))
    visitor.page.wait_for_url(f"**/receipts/{number}")
    return number


def test_from_the_vote_to_a_checked_receipt(visit: Visit, device: Device, language: Language) -> None:
    visitor = visit(device, language)
    number = votes(visitor, "tie")
    expect(visitor.page.locator(".recorded dd").first).to_have_text(visitor.words("tie"))
    placed(visitor)
    expect(visitor.page.locator("#receipt .link")).to_have_text(f"{visitor.origin}/receipts/{number}")
    assert visitor.faults() == [], "receipt"

    assert check(visitor) == FIRST
    assert verdict(visitor) == "agreed"
    expect(visitor.page.locator("#check li[data-step=included]")).to_have_text(visitor.says(IN_ITS_PLACE))
    assert check(visitor) == FINE

    visitor.page.locator("#receipt details").evaluate("(it) => { it.open = true; }")
    assert visitor.faults() == [], "checked"
    width = visitor.page.evaluate("document.documentElement.scrollWidth")
    assert width <= device.width
    visitor.sees_no_team()


def test_a_later_check_sees_that_the_grown_ledger_holds_what_was_seen_before(
    visit: Visit, site: Site, citizen: Citizen, number: str
) -> None:
    visitor = visit()
    opens(visitor, number)
    assert check(visitor) == FIRST
    for _ in range(3):
        citizen.battle("b", "12 * 4")
        assert eventually(lambda: size(site) > 0)
        with visitor.page.expect_response("**/proofs/consistency*") as answer:
            assert check(visitor) == FINE
        assert answer.value.status == 200


def test_the_file_that_is_downloaded_is_the_one_that_is_checked(visit: Visit, number: str) -> None:
    visitor = visit()
    opens(visitor, number)
    with visitor.page.expect_download() as download:
        visitor.press(visitor.page.get_by_role("link", name=visitor.says("Download the receipt")))
    assert download.value.suggested_filename == f"arena-receipt-{number[:8]}.json"
    file = json.loads(download.value.path().read_text())
    assert file["leaf"] == visitor.page.locator("#leaf").text_content()


def test_by_keyboard_alone(visit: Visit, number: str) -> None:
    visitor = visit()
    opens(visitor, number)
    tab_to(visitor, "#check button")
    visitor.page.keyboard.press("Enter")
    expect(visitor.page.locator("#check .verdict")).to_be_visible()
    expect(button(visitor)).to_be_focused()
    tab_to(visitor, "#receipt .link")
    tab_to(visitor, "#receipt .keep .button")
    tab_to(visitor, "#receipt summary")
    visitor.page.keyboard.press("Enter")
    expect(visitor.page.locator("#leaf")).to_be_visible()


def test_without_scripts_a_receipt_can_be_read_and_kept(visit: Visit, device: Device) -> None:
    visitor = visit(device, java_script_enabled=False)
    number = votes(visitor, "both_bad")
    expect(visitor.page.locator("#receipt:not([data-pending])")).to_be_visible(timeout=15_000)
    expect(visitor.page.locator(".recorded dd").first).to_have_text(visitor.words("both_bad"))
    expect(button(visitor)).to_be_hidden()
    expect(visitor.page.locator("#receipt .keep .button")).to_have_attribute("href", f"/receipts/{number}.json")
    visitor.press(visitor.page.locator("#receipt summary"))
    expect(visitor.page.locator("#leaf")).to_be_visible()


def test_what_cannot_be_checked_is_said_plainly(visit: Visit, device: Device, number: str) -> None:
    visitor = visit(device)
    opens(visitor, number)
    visitor.page.evaluate(
        """() => { crypto.subtle.importKey = async () => { throw new DOMException("no", "NotSupportedError"); }; }"""
    )
    assert check(visitor) == FIRST | {"promised": "unable", "signed": "unable"}
    assert verdict(visitor) == "open"

    visitor.page.evaluate("() => Object.defineProperty(crypto, 'subtle', { value: undefined })")
    assert check(visitor) == {}
    assert verdict(visitor) == "insecure"
    assert visitor.faults() == []


def test_a_receipt_that_cannot_be_fetched_checks_nothing(visit: Visit, number: str) -> None:
    visitor = visit()
    opens(visitor, number)
    visitor.watch.expect("status of 500|ERR_FAILED|ERR_INTERNET_DISCONNECTED")
    for answer in (lambda route: route.fulfill(status=500, body=""), lambda route: route.abort()):
        visitor.context.route("**/receipts/*.json", answer)
        assert check(visitor) == {}
        assert verdict(visitor) == "failed"
        visitor.context.unroute("**/receipts/*.json")
    assert check(visitor) == FIRST


def test_a_promise_alone_leaves_the_rest_open(visit: Visit, number: str) -> None:
    visitor = visit()
    visitor.context.route("**/receipts/*", Gate())
    opens(visitor, number)
    assert check(visitor) == {
        "said": "ok",
        "promised": "ok",
        "included": "missing",
        "signed": "missing",
        "known": "first",
        "kept": "missing",
    }
    assert verdict(visitor) == "open"


def test_the_page_shows_the_place_by_itself_as_soon_as_there_is_one(visit: Visit) -> None:
    visitor = visit(PHONE)
    pending = Gate()
    visitor.context.route("**/receipts/*", pending)
    votes(visitor)
    expect(visitor.page.locator("#receipt[data-pending]")).to_be_visible()
    pending.open = True
    placed(visitor)
    expect(visitor.page.locator("#place")).to_contain_text(visitor.says("What the ledger is"))


class Gate:
    """Makes receipts look as before their entry had a place."""

    def __init__(self) -> None:
        self.open = False

    def __call__(self, route: Route) -> None:
        if self.open:
            return route.continue_()
        answer = route.fetch()
        if route.request.url.endswith(".json"):
            return route.fulfill(json=answer.json() | {"proof": None})
        body = answer.text().replace('<div id="receipt"', '<div id="receipt" data-pending')
        return route.fulfill(response=answer, body=body)


def test_whoever_has_the_address_sees_the_receipt_and_not_the_battle(
    visit: Visit, site: Site, citizen: Citizen
) -> None:
    battle = citizen.battle("b")
    number = citizen.http.get(battle).text.split('class="receipt">')[1][:32]
    stranger = visit()
    opens(stranger, number)
    expect(stranger.page.locator(".recorded dd").first).to_have_text(stranger.words("b"))
    assert httpx.get(f"{site.origin}{battle}").status_code == 404
