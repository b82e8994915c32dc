"""Pages of words, preferences, health, metrics."""

from typing import Annotated

from fastapi import APIRouter, Form, Request
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from sqlalchemy import text
from starlette.responses import JSONResponse, PlainTextResponse, Response

from arena.errors import InvalidError
from arena.migrations import schema_is_current
from arena.web.pages import LOCALES, THEMES, TextPage
from arena.web.respond import local_path, render, see_other, set_cookie
from arena.web.services import Arena, Csrf
from arena.web.visitor import YEAR_S

router = APIRouter()


@router.get("/how")
async def how(request: Request) -> Response:
    return render(request, "web/how.html", TextPage())


@router.post("/preferences", dependencies=[Csrf])
async def preferences(
    request: Request,
    locale: Annotated[str | None, Form()] = None,
    theme: Annotated[str | None, Form()] = None,
    back_to: Annotated[str, Form(alias="next")] = "/",
) -> Response:
    """Remembers the language or the theme in a cookie."""
    response = see_other(local_path(back_to))
    for name, value, known in (("arena_locale", locale, LOCALES), ("arena_theme", theme, THEMES)):
        if value is None:
            continue
        if value not in known:
            raise InvalidError
        set_cookie(request, response, name, value, max_age=YEAR_S)
    return response


@router.get("/healthz")
async def healthz() -> Response:
    return PlainTextResponse("ok")


@router.get("/readyz")
async def readyz(arena: Arena) -> Response:
    """Ready when the database answers and its schema is the newest."""
    try:
        await arena.db.read(lambda session: session.execute(text("SELECT 1")))
        current = await arena.db.read(lambda session: schema_is_current(session.connection()))
    except Exception:
        return JSONResponse({"ready": False, "why": "the database does not answer"}, 503)
    if not current:
        return JSONResponse({"ready": False, "why": "the schema is not current; run `arena migrate`"}, 503)
    return JSONResponse({"ready": True})


@router.get("/metrics")
async def metrics() -> Response:
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)
