"""Pages for those who run a round and those who audit it."""

from fastapi import APIRouter, Request
from sqlmodel import Session
from starlette.responses import Response

from arena.accounts.routes import only
from arena.battles.health import health_page, leak_page
from arena.battles.pages import HealthPage, LeakPage
from arena.rounds.queries import published_round
from arena.web.respond import render
from arena.web.services import Arena, CurrentLocale

router = APIRouter()


@router.get("/rounds/{slug}/health", dependencies=[only("operator")])
async def health(request: Request, slug: str, arena: Arena, locale: CurrentLocale) -> Response:
    def load(session: Session) -> HealthPage:
        return health_page(session, published_round(session, slug), locale)

    page = await arena.db.read(load)
    return render(request, "battles/health.html", page, demo=page.round.demo)


@router.get("/rounds/{slug}/leaks", dependencies=[only("auditor")])
async def leaks(
    request: Request, slug: str, arena: Arena, locale: CurrentLocale, before: int | None = None
) -> Response:
    def load(session: Session) -> LeakPage:
        return leak_page(session, published_round(session, slug), locale, before)

    page = await arena.db.read(load)
    return render(request, "battles/leaks.html", page, demo=page.round.demo)
