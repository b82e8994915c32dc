"""Receipts: for anyone who holds the number, and for no search engine."""

from typing import Annotated

from fastapi import APIRouter, Form, Path, Request
from sqlmodel import Session
from starlette.responses import Response

from arena.battles.appeals import make_appeal
from arena.battles.receipt_pages import ReceiptPage
from arena.battles.receipts import receipt_json, receipt_page
from arena.clock import now
from arena.errors import ArenaError, InvalidError, NotFoundError
from arena.web.i18n import translations
from arena.web.pages import Locale
from arena.web.respond import render, see_other
from arena.web.services import Arena, Csrf, CurrentLocale, Services, visitor_of

UNLISTED = {"X-Robots-Tag": "noindex", "Cache-Control": "no-store"}
LONGEST_SITE = 300
"""Names of hosts have at most 253 characters (RFC 1035)."""

router = APIRouter()

Receipt = Annotated[str, Path(pattern="^[0-9a-f]{32}$")]


@router.get("/receipts/{receipt}.json")
async def receipt_file(receipt: Receipt, arena: Arena) -> Response:
    text = await arena.db.read(lambda session: receipt_json(session, receipt, arena.key))
    name = f'attachment; filename="arena-receipt-{receipt[:8]}.json"'
    return Response(text, headers=UNLISTED | {"Content-Disposition": name}, media_type="application/json")


@router.get("/receipts/{receipt}")
async def receipt_shown(request: Request, receipt: Receipt, arena: Arena, locale: CurrentLocale) -> Response:
    return await _shown(request, receipt, arena, locale)


@router.post("/receipts/{receipt}/appeal", dependencies=[Csrf])
async def appeal(
    request: Request, receipt: Receipt, arena: Arena, locale: CurrentLocale, text: Annotated[str, Form()] = ""
) -> Response:
    """From the browser that cast the vote; for any other there is nothing here."""
    voter = visitor_of(request).id
    try:
        await arena.db.write(lambda session: make_appeal(session, voter, receipt, text, now()))
    except NotFoundError:
        raise
    except ArenaError as error:
        problem = error.text(translations(locale).gettext)
        return await _shown(request, receipt, arena, locale, problem=problem, typed=text, status=error.status)
    return see_other(f"/receipts/{receipt}#appeal")


async def _shown(
    request: Request,
    receipt: str,
    arena: Services,
    locale: Locale,
    *,
    problem: str | None = None,
    typed: str = "",
    status: int = 200,
) -> Response:
    site, visitor = _site(request, arena), visitor_of(request).id

    def load(session: Session) -> ReceiptPage:
        return receipt_page(session, receipt, arena.key, site, locale, visitor=visitor, problem=problem, typed=typed)

    page = await arena.db.read(load)
    response = render(
        request, "battles/receipt.html", page, part="battles/_receipt.html", status=status, demo=page.round.demo
    )
    response.headers.update(UNLISTED)
    return response


def _site(request: Request, arena: Services) -> str:
    """Our own origin; without a setting the host that was asked. Raises InvalidError for one that cannot exist."""
    site = arena.settings.public_url or str(request.base_url).rstrip("/")
    if len(site) > LONGEST_SITE:
        raise InvalidError
    return site
