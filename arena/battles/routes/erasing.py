"""Privacy, and erasing one's own words."""

import asyncio
from typing import Annotated

import structlog
from fastapi import APIRouter, Form, Query
from sqlmodel import Session
from starlette.responses import Response

from arena.battles import queries
from arena.battles.erasure import erase_own, erase_page, erase_voter, privacy_page
from arena.battles.routes.caller import CurrentCaller
from arena.clock import now
from arena.web.respond import render, see_other
from arena.web.services import Csrf

log = structlog.get_logger()

OneBattle = "^([0-9a-f]{32})?$"

router = APIRouter()


@router.get("/privacy")
async def privacy(caller: CurrentCaller) -> Response:
    """Here and not in the web's room, as it counts battles."""
    page = await caller.db.read(lambda session: privacy_page(session, caller.visitor.id))
    return render(caller.request, "web/privacy.html", page)


@router.get("/privacy/erase")
async def confirm(caller: CurrentCaller, battle: Annotated[str, Query(pattern=OneBattle)] = "") -> Response:
    """What will be erased, to be confirmed; afterwards that it was."""
    page = await caller.db.read(lambda session: erase_page(session, caller.visitor.id, battle))
    return render(caller.request, "battles/erase.html", page)


@router.post("/privacy/erase", dependencies=[Csrf])
async def erase(caller: CurrentCaller, battle: Annotated[str, Form(pattern=OneBattle)] = "") -> Response:
    def work(session: Session) -> list[str]:
        if battle:
            return erase_own(session, caller.visitor.id, battle, now())
        return erase_voter(session, caller.visitor.id, now())

    erased = await caller.db.write(work)
    if erased:
        log.info("words_erased", battles=erased)
        queries.answer_html.cache_clear()
    if erased or not battle:
        await asyncio.to_thread(caller.db.empty_wal)
    return see_other(f"/battles/{battle}" if battle else "/privacy/erase")
