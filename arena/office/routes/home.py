"""The office's first page: what waits for whom."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from arena.accounts.queries import SignedIn
from arena.accounts.routes import load_admin, only
from arena.clock import now
from arena.office.home import home_page
from arena.web.respond import render
from arena.web.services import Arena, CurrentLocale

router = APIRouter()


@router.get("/office", dependencies=[only("operator", "moderator", "auditor")])
async def home(
    request: Request, arena: Arena, locale: CurrentLocale, admin: Annotated[SignedIn, Depends(load_admin)]
) -> Response:
    page = await arena.db.read(lambda session: home_page(session, admin, locale, now()))
    return render(request, "office/home.html", page, demo=page.now is not None and page.now.round.demo)
