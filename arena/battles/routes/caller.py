"""Who asks and what it takes to answer; the battle as an answer."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Form, Path, Request
from starlette.responses import Response

from arena.battles.arrivals import Arrivals
from arena.battles.pages import BattlePage
from arena.battles.queries import battle_page
from arena.battles.relays import Relays
from arena.db import Database
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
    visitor: Visitor
    locale: Locale

    @property
    def address(self) -> str:
        return self.request.client.host if self.request.client else ""

    async def page(self, battle_id: str) -> BattlePage:
        """The caller's own battle. Raises NotFoundError for anyone else's."""
        return await self.db.read(lambda session: battle_page(session, self.visitor.id, battle_id, self.locale))

    def shown(self, page: BattlePage) -> Response:
        return render(
            self.request,
            "battles/battle.html",
            page,
            part="battles/_battle.html",
            demo=page.battle.round.demo,
            push_url=f"/battles/{page.battle.id}",
        )

    async def sent_on(self, battle_id: str) -> Response:
        """The battle after a form: htmx gets the part with its address, a browser without it is sent on."""
        if not is_partial(self.request):
            return see_other(f"/battles/{battle_id}")
        return self.shown(await self.page(battle_id))


def caller_of(request: Request) -> Caller:
    db = services_of(request).db
    state = request.app.state
    return Caller(request, db, state.relays, state.arrivals, visitor_of(request), locale_of(request))


async def _caller(request: Request) -> Caller:
    return caller_of(request)


CurrentCaller = Annotated[Caller, Depends(_caller)]
BattleId = Annotated[str, Path(pattern="^[0-9a-f]{32}$")]
Prompt = Annotated[str, Form()]
