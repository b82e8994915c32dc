"""Public pages about rounds and their rules."""

from fastapi import APIRouter, Request
from sqlmodel import Session
from starlette.responses import Response

from arena.accounts.routes import CurrentOperator
from arena.rounds.bundles import published_bundle
from arena.rounds.ledger_page import ledger_page
from arena.rounds.pages import LedgerPage, RoundsPage, RulesPage
from arena.rounds.queries import published_round, published_rounds, rules_page, view
from arena.rounds.routes_changes import router as changes
from arena.web.respond import render
from arena.web.services import Arena, CurrentLocale

router = APIRouter()
router.include_router(changes)


@router.get("/rounds")
async def rounds(request: Request, arena: Arena, locale: CurrentLocale, operator: CurrentOperator) -> Response:
    found = await arena.db.read(published_rounds)
    page = RoundsPage(tuple(view(round_, locale, operator=operator) for round_ in found))
    return render(request, "rounds/list.html", page, demo=any(round_.demo for round_ in found))


@router.get("/rounds/{slug}/rules")
async def rules(
    request: Request, slug: str, arena: Arena, locale: CurrentLocale, operator: CurrentOperator
) -> Response:
    def load(session: Session) -> RulesPage:
        return rules_page(published_round(session, slug), locale, operator=operator)

    page = await arena.db.read(load)
    return render(request, "rounds/rules.html", page, demo=page.round.demo)


@router.get("/rounds/{slug}/ledger")
async def ledger(
    request: Request, slug: str, arena: Arena, locale: CurrentLocale, operator: CurrentOperator
) -> Response:
    def load(session: Session) -> LedgerPage:
        round_ = published_round(session, slug)
        bundle = published_bundle(arena.settings.data_dir, round_) is not None
        return ledger_page(session, round_, locale, operator=operator, bundle=bundle)

    page = await arena.db.read(load)
    return render(request, "rounds/ledger.html", page, demo=page.round.demo)
