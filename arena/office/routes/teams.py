"""A team's own page by a link, and where operators make and end these links."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Request
from sqlmodel import Session
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from arena.accounts.queries import SignedIn
from arena.accounts.routes import load_admin, only
from arena.accounts.trail import on_record
from arena.clock import now
from arena.office.team_links import end_link, entry_of_token, links_page, make_link
from arena.office.team_page import team_page
from arena.office.team_pages import TeamLinksPage, TeamPage
from arena.web.respond import render, see_other
from arena.web.services import Arena, Csrf, CurrentLocale, Services

UNSEEN = {"X-Robots-Tag": "noindex", "Referrer-Policy": "no-referrer"}
"""The address is what opens the page: no search engine may keep it, and no other site be told."""

router = APIRouter()
links = APIRouter(prefix="/office/rounds/{slug}/teams", dependencies=[only("operator")])

Admin = Annotated[SignedIn, Depends(load_admin)]
Token = Annotated[str, Path(pattern="^[A-Za-z0-9_-]{43}$")]
Number = Annotated[int, Path(ge=1, le=2**31 - 1)]


@links.get("")
async def team_links(request: Request, slug: str, arena: Arena, locale: CurrentLocale) -> Response:
    return _shown(request, await arena.db.read(lambda session: links_page(session, slug, locale)))


@links.post("/{code}/link", dependencies=[Csrf])
async def new_link(
    request: Request, slug: str, code: str, arena: Arena, locale: CurrentLocale, admin: Admin
) -> Response:
    """Shows the link in its answer, once."""

    def make() -> str:
        with on_record(arena.db, admin.code, "team_link.make", slug, entry=code[:20]):
            return arena.db.writing(lambda session: make_link(session, slug, code, admin.code, now()))

    token = await run_in_threadpool(make)
    address = f"{_site(request, arena)}/team/{token}"
    return _shown(request, await arena.db.read(lambda s: links_page(s, slug, locale, fresh=(code, address))))


@links.post("/links/{link}/end", dependencies=[Csrf])
async def old_link(slug: str, link: Number, arena: Arena, admin: Admin) -> Response:
    def end() -> None:
        with on_record(arena.db, admin.code, "team_link.end", slug, link=link) as detail:
            detail["entry"] = arena.db.writing(lambda session: end_link(session, slug, link, now()))

    await run_in_threadpool(end)
    return see_other(f"/office/rounds/{slug}/teams")


@router.get("/team/{token}")
async def team(request: Request, token: Token, arena: Arena, locale: CurrentLocale) -> Response:
    def load(session: Session) -> TeamPage:
        return team_page(session, entry_of_token(session, token), locale, now())

    page = await arena.db.read(load)
    response = render(request, "office/team.html", page, demo=page.round.demo)
    response.headers.update(UNSEEN)
    return response


router.include_router(links)


def _shown(request: Request, page: TeamLinksPage) -> Response:
    return render(request, "office/team_links.html", page, demo=page.round.demo)


def _site(request: Request, arena: Services) -> str:
    return arena.settings.public_url or str(request.base_url).rstrip("/")
