"""A served round's people at the pages about excluded votes."""

import re
from functools import cached_property
from typing import Any

import httpx
from sqlmodel import select

from arena.battles.tables import Exclusion
from arena.db import Database
from arena.settings import Settings
from arena.web.visitor import COOKIE, Visitor
from tests.battles.stage import identity
from tests.staff import signed_in
from tests.support import Citizen

PAGE = "/office/exclusions"
MINJI, JUNHO = "a" * 32, "b" * 32
"""Voters' ids as cookies hold them."""


class Office:
    """A served round; its people sign in at their browsers when they are needed."""

    def __init__(self, origin: str, db: Database, settings: Settings) -> None:
        self.origin, self.db, self._settings = origin, db, settings
        self._browsers: list[Citizen] = []

    def _kept(self, someone: Citizen) -> Citizen:
        self._browsers.append(someone)
        return someone

    def _signed_in(self, name: str) -> Citizen:
        return self._kept(signed_in(self.origin, name))

    @cached_property
    def sora(self) -> Citizen:
        return self._signed_in("sora")

    @cached_property
    def hana(self) -> Citizen:
        return self._signed_in("hana")

    @cached_property
    def jiwoo(self) -> Citizen:
        return self._signed_in("jiwoo")

    @cached_property
    def doyun(self) -> Citizen:
        return self._signed_in("doyun")

    def public(self, language: str = "en") -> Citizen:
        return self._kept(Citizen(self.origin, language=language))

    def citizen(self, voter_id: str) -> Citizen:
        """The browser that a voter votes in."""
        someone = self.public()
        someone.http.cookies.set(COOKIE, identity(self._settings).cookie(Visitor(voter_id, known=True)))
        return someone

    def close(self) -> None:
        for someone in self._browsers:
            someone.close()


def checks(person: Citizen, **form: Any) -> httpx.Response:
    fields: dict[str, Any] = {"round": "stage-1", "how": "numbers", "kind": "exclude", "reason": "automated_voting"}
    return person.post(f"{PAGE}/check", **fields | form)


def confirms(person: Citizen, checked: httpx.Response) -> httpx.Response:
    """Sends the form that shows the effect."""
    form = re.search(rf'<form[^>]*action="{PAGE}">.*?</form>', checked.text, flags=re.DOTALL)
    assert form, checked.text
    fields = dict(re.findall(r'name="([^"]+)" value="([^"]*)"', form[0]))
    return person.post(PAGE, **fields)


def decides(person: Citizen, verdict: str, *ids: int) -> httpx.Response:
    return person.post(f"{PAGE}/decide", verdict=verdict, id=[str(number) for number in ids])


def proposed(office: Office) -> list[int]:
    """The ids of proposals that wait."""
    with office.db.reading() as session:
        return [found.id or 0 for found in session.exec(select(Exclusion)) if found.state == "waiting"]
