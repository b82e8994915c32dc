"""Receipts as tests in a browser handle them: a placed one, the check, files changed on their way."""

import re
from collections.abc import Callable
from typing import Any

from playwright.sync_api import Locator, Route, expect
from sqlmodel import col, select

from arena.ledger.tables import Leaf
from tests.browser.conftest import Site
from tests.browser.visitor import Visitor
from tests.support import Citizen, eventually

STEPS = ["said", "promised", "included", "signed", "known", "kept"]
FINE = dict.fromkeys(STEPS, "ok")
FIRST = FINE | {"known": "first", "kept": "first"}

File = dict[str, Any]


def placed_receipt(site: Site) -> str:
    """The number of a receipt whose vote, for A, has its place in the ledger."""
    someone = Citizen(site.origin)
    found = re.search(r'class="receipt">([0-9a-f]{32})<', someone.http.get(someone.battle("a")).text)
    someone.close()
    assert found
    assert eventually(lambda: size(site) > 0)
    return found[1]


def size(site: Site) -> int:
    """How many entries have their place; 0 while some have none."""
    with site.db.reading() as session:
        waiting = session.exec(select(Leaf.id).where(col(Leaf.position).is_(None))).first()
        return 0 if waiting else len(session.exec(select(Leaf.id)).all())


def opens(visitor: Visitor, number: str) -> None:
    visitor.go(f"/receipts/{number}")


def placed(visitor: Visitor) -> None:
    expect(visitor.page.locator("#receipt:not([data-pending])")).to_be_visible()


def button(visitor: Visitor) -> Locator:
    return visitor.page.locator("#check button")


def check(visitor: Visitor) -> dict[str, str]:
    """The outcome of every step."""
    visitor.press(button(visitor))
    expect(visitor.page.locator("#check .verdict")).to_be_visible()
    items = visitor.page.locator("#check li:not([hidden])").all()
    return {str(item.get_attribute("data-step")): str(item.get_attribute("data-outcome")) for item in items}


def verdict(visitor: Visitor) -> str | None:
    return visitor.page.locator("#check .verdict").get_attribute("data-outcome")


def tamper(visitor: Visitor, change: Callable[[File], None]) -> None:
    """From now on the receipt's file reaches this browser changed."""

    def changed(route: Route) -> None:
        file = route.fetch().json()
        change(file)
        route.fulfill(json=file)

    visitor.context.route("**/receipts/*.json", changed)
