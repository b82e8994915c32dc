"""Who asks and what it takes to answer; the battle as an answer."""

from dataclasses import dataclass
from functools import partial
from typing import Annotated

from fastapi import Depends, Form, Path, Request
from sqlmodel import Session
from starlette.responses import Response

from arena.battles.arrivals import Arrivals
from arena.battles.pages import BattlePage
from arena.battles.queries import battle_page, has_voted
from arena.battles.relays import Relays
from arena.clock import now
from arena.db import Database, Work
from arena.screening.checks import BlockedError, Screened
from arena.screening.classifier import Classifier
from arena.screening.screen import classified
from arena.web.observe import BLOCKED
from arena.web.pages import Locale
from arena.web.respond import is_partial, render, see_other
from arena.web.services import locale_of, services_of, visitor_of
from arena.web.visitor import Visitor


@dataclass(frozen=True, slots=True)
class Caller:
    request: Request
    db: Database
    relays: Relays
    arrivals: Arrivals
    classifier: Classifier | None
    visitor: Visitor
    locale: Locale

    @property
    def address(self) -> str:
        return self.request.client.host if self.request.client else ""

    async def page(
        self, battle_id: str, *, problem: str | None = None, prompt: str = "", just_held: str | None = None
    ) -> BattlePage:
        """The caller's own battle. Raises NotFoundError for anyone else's."""
        told = partial(battle_page, problem=problem, prompt=prompt, just_held=just_held)
        return await self.db.read(lambda session: told(session, self.visitor.id, battle_id, self.locale))

    def admit(self, session: Session, round_id: int) -> None:
        """Counts a first question before it is checked. Raises LimitError."""
        if has_voted(session, round_id, self.visitor.id):
            self.arrivals.admit_known(self.visitor.id, now())
        else:
            self.arrivals.admit(self.address, now())

    async def screened(self, prepare: Work[Screened]) -> Screened:
        """The caller's prompt after all checks; `prepare` does those that need no network.

        Raises BlockedError, and what `prepare` raises.
        """
        try:
            return await classified(await self.db.read(prepare), self.classifier)
        except BlockedError as error:
            BLOCKED.labels(error.category).inc()
            raise

    def shown(self, page: BattlePage, *, status: int = 200) -> Response:
        return render(
            self.request,
            "battles/battle.html",
            page,
            part="battles/_battle.html",
            status=status,
            demo=page.battle.round.demo,
            push_url=f"/battles/{page.battle.id}",
        )

    async def sent_on(self, battle_id: str, *, just_held: str | None = None) -> Response:
        """The battle after a form: htmx gets the part with its address, a browser without it is sent on."""
        if not is_partial(self.request):
            return see_other(f"/battles/{battle_id}{'#held' if just_held else ''}")
        return self.shown(await self.page(battle_id, just_held=just_held))


def caller_of(request: Request) -> Caller:
    db = services_of(request).db
    state = request.app.state
    visitor, locale = visitor_of(request), locale_of(request)
    return Caller(request, db, state.relays, state.arrivals, state.classifier, visitor, locale)


async def _caller(request: Request) -> Caller:
    return caller_of(request)


CurrentCaller = Annotated[Caller, Depends(_caller)]
BattleId = Annotated[str, Path(pattern="^[0-9a-f]{32}$")]
Prompt = Annotated[str, Form()]
