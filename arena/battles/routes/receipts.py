"""Receipts: for anyone who holds the number, and for no search engine."""

from typing import Annotated

from fastapi import APIRouter, Path, Request
from starlette.responses import Response

from arena.battles.receipts import receipt_json, receipt_page
from arena.errors import InvalidError
from arena.web.respond import render
from arena.web.services import Arena, CurrentLocale, Services

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
    site = _site(request, arena)
    page = await arena.db.read(lambda session: receipt_page(session, receipt, arena.key, site, locale))
    response = render(request, "battles/receipt.html", page, part="battles/_receipt.html", demo=page.round.demo)
    response.headers.update(UNLISTED)
    return response


def _site(request: Request, arena: Services) -> str:
    """Our own origin; without a setting the host that was asked. Raises InvalidError for one that cannot exist."""
    site = arena.settings.public_url or str(request.base_url).rstrip("/")
    if len(site) > LONGEST_SITE:
        raise InvalidError
    return site
