"""The trail of every act."""

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Form, Query, Request
from starlette.responses import Response, StreamingResponse

from arena.accounts.queries import SignedIn
from arena.accounts.routes import load_admin, only
from arena.office.trail_export import csv_lines, json_lines, note_export
from arena.office.trail_page import trail_page
from arena.office.trail_query import read_filter
from arena.web.i18n import translations
from arena.web.respond import render
from arena.web.services import Arena, Csrf, CurrentLocale

router = APIRouter(prefix="/office/trail", dependencies=[only("operator", "auditor")])

Reader = Annotated[SignedIn, Depends(load_admin)]
MEDIA = {"csv": "text/csv; charset=utf-8", "ndjson": "application/x-ndjson"}


@router.get("")
async def trail(
    request: Request,
    arena: Arena,
    locale: CurrentLocale,
    reader: Reader,
    before: Annotated[int | None, Query(ge=1, le=2**31 - 1)] = None,
) -> Response:
    wanted = read_filter(request.query_params)
    page = await arena.db.read(lambda session: trail_page(session, wanted, reader, locale, before=before))
    return render(request, "office/trail.html", page, status=422 if page.problem else 200)


@router.post("/export", dependencies=[Csrf])
async def export(
    request: Request,
    arena: Arena,
    locale: CurrentLocale,
    reader: Reader,
    form: Annotated[Literal["csv", "ndjson"], Form(alias="format")],
) -> Response:
    """What the filter in the URL finds, as a file."""
    wanted = read_filter(request.query_params)
    before = await arena.db.write(lambda session: note_export(session, reader.code, wanted, form))
    gettext = translations(locale).gettext
    lines = csv_lines(arena.db, wanted, before, gettext) if form == "csv" else json_lines(arena.db, wanted, before)
    headers = {"Content-Disposition": f'attachment; filename="trail.{form}"', "Cache-Control": "no-store"}
    return StreamingResponse(lines, headers=headers, media_type=MEDIA[form])
