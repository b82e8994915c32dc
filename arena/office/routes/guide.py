"""How a round runs, for those who run it."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from arena.accounts.queries import SignedIn
from arena.accounts.routes import load_admin, only
from arena.rounds.queries import open_round
from arena.web.office import menu
from arena.web.respond import render
from arena.web.services import Arena

router = APIRouter()


@dataclass(frozen=True, slots=True)
class GuidePage:
    """`places` are the paths of the menu that the reader may open, `slug` is the open round's."""

    role: str
    places: frozenset[str]
    slug: str | None


@router.get("/office/help", dependencies=[only("operator", "moderator", "auditor")])
async def guide(request: Request, arena: Arena, admin: Annotated[SignedIn, Depends(load_admin)]) -> Response:
    found = await arena.db.read(open_round)
    places = frozenset(place.path for place in menu(admin.role))
    page = GuidePage(admin.role, places, found.slug if found else None)
    return render(request, "office/guide.html", page, demo=found is not None and found.demo)
