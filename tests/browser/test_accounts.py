"""Signing in with a phone's code, one's own account and the office's people, at a screen."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pyotp
import pytest
from playwright.sync_api import expect

from arena.clock import now
from arena.db import Database
from tests.browser.conftest import Site, Visit
from tests.browser.visitor import DESKTOP, PHONE, Device, Language, Visitor
from tests.staff import PASSWORD, hire
from tests.support import serving, settings_for


@pytest.fixture(scope="module")
def site(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """An office that asks for a second factor."""
    url = f"sqlite:///{shutil.copy(sqlite_template, tmp_path_factory.mktemp('site') / 'arena.db')}"
    db = Database(url)
    hire(db)
    with serving(settings_for(url, second_factor=True)) as origin:
        yield Site(origin, db)
    db.close()


def fits(visitor: Visitor) -> bool:
    found: bool = visitor.page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    return found and visitor.faults() == []


def press(visitor: Visitor) -> None:
    visitor.page.locator("main form button.primary").click()


def show_password(visitor: Visitor, name: str, to: str) -> None:
    visitor.go("/sign-in?next=" + to)
    visitor.page.locator("#email").fill(f"{name}@example.org")
    visitor.page.locator("#password").fill(PASSWORD)
    press(visitor)


def show_code(visitor: Visitor, key: str, seconds: int = 0) -> None:
    visitor.page.locator("#code").fill(pyotp.TOTP(key).at(int(now().timestamp()) + seconds))
    press(visitor)


@pytest.mark.parametrize(
    ("device", "language", "name"), [(PHONE, "ko", "sora"), (DESKTOP, "en", "hana")], ids=["phone", "desktop"]
)
def test_an_operator_sets_up_a_phone_and_comes_back_with_its_code(
    visit: Visit, device: Device, language: Language, name: str
) -> None:
    visitor = visit(device, language)
    visitor.watch.expect("status of 422")
    show_password(visitor, name, "/account")
    expect(visitor.page.locator(".qr")).to_be_visible()
    assert fits(visitor), "setting up"
    key = visitor.page.locator(".key").inner_text().replace(" ", "")
    visitor.page.locator("#code").fill("000000")
    press(visitor)
    expect(visitor.page.locator("#problem-text")).to_be_visible()
    assert fits(visitor), "a wrong code"
    show_code(visitor, key)
    expect(visitor.page).to_have_url(visitor.origin + "/account")
    assert fits(visitor), "account"

    for page in ("/account/second-factor", "/office/people", "/office/people/3"):
        visitor.go(page)
        assert fits(visitor), page

    visitor.go("/account")
    visitor.page.locator("footer form.signed-in button").click()
    show_password(visitor, name, "/account")
    expect(visitor.page.locator("#code")).to_be_focused()
    assert fits(visitor), "asked for a code"
    show_code(visitor, key, 30)
    expect(visitor.page).to_have_url(visitor.origin + "/account")


def test_a_phone_is_set_up_without_scripts(visit: Visit) -> None:
    visitor = visit(java_script_enabled=False)
    show_password(visitor, "doyun", "/account")
    show_code(visitor, visitor.page.locator(".key").inner_text().replace(" ", ""))
    expect(visitor.page).to_have_url(visitor.origin + "/account")
