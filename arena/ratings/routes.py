"""The leaderboard."""

from fastapi import APIRouter, Request
from sqlmodel import Session
from starlette.responses import Response

from arena.accounts.routes import CurrentOperator
from arena.ratings.leaderboard import leaderboard_page
from arena.ratings.pages import LeaderboardPage
from arena.rounds.queries import published_round
from arena.web.respond import render
from arena.web.services import Arena, CurrentLocale

router = APIRouter()


@router.get("/rounds/{slug}/leaderboard")
async def leaderboard(
    request: Request, slug: str, arena: Arena, locale: CurrentLocale, operator: CurrentOperator
) -> Response:
    def load(session: Session) -> LeaderboardPage:
        return leaderboard_page(session, published_round(session, slug), locale, operator=operator)

    page = await arena.db.read(load)
    return render(request, "ratings/leaderboard.html", page, demo=page.round.demo)
