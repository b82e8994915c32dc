"""The leaderboard, and the bundle of a closed round."""

from pathlib import Path

from fastapi import APIRouter, Request
from sqlmodel import Session
from starlette.responses import FileResponse, Response

from arena.accounts.routes import CurrentOperator
from arena.errors import NotFoundError
from arena.ratings.leaderboard import leaderboard_page
from arena.ratings.pages import LeaderboardPage
from arena.rounds.bundles import published_bundle
from arena.rounds.queries import published_round
from arena.web.api import Slug
from arena.web.respond import render
from arena.web.services import Arena, CurrentLocale

router = APIRouter()


@router.get("/rounds/{slug}/leaderboard")
async def leaderboard(
    request: Request, slug: str, arena: Arena, locale: CurrentLocale, operator: CurrentOperator
) -> Response:
    def load(session: Session) -> LeaderboardPage:
        round_ = published_round(session, slug)
        bundle = published_bundle(arena.settings.data_dir, round_) is not None
        return leaderboard_page(session, round_, locale, operator=operator, bundle=bundle)

    page = await arena.db.read(load)
    return render(request, "ratings/leaderboard.html", page, demo=page.round.demo)


@router.get("/rounds/{slug}/bundle.zip")
async def bundle(slug: Slug, arena: Arena) -> Response:
    def find(session: Session) -> Path | None:
        return published_bundle(arena.settings.data_dir, published_round(session, slug))

    file = await arena.db.read(find)
    if file is None:
        raise NotFoundError
    return FileResponse(file, headers={"Cache-Control": "public, max-age=60"}, filename=f"{slug}-bundle.zip")
