"""What every route may use: settings, database, rendering, identity; and who is asking."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Form, Request

from arena.db import Database
from arena.errors import N_, ForbiddenError
from arena.proofs.notes import SigningKey
from arena.settings import Settings
from arena.web.guard import raise_refusal
from arena.web.i18n import choose_locale
from arena.web.pages import Locale
from arena.web.rendering import Renderer
from arena.web.visitor import COOKIE, Identity, Visitor

CSRF_FAILED = N_("This page had been open for too long. Nothing was lost: reload the page and send it again.")


@dataclass(frozen=True, slots=True)
class Services:
    """`key` signs the ledger. `demo`: this whole arena is a demonstration, and every page says so."""

    settings: Settings
    db: Database
    renderer: Renderer
    identity: Identity
    key: SigningKey
    demo: bool


def services_of(request: Request) -> Services:
    services: Services = request.app.state.services
    return services


def visitor_of(request: Request) -> Visitor:
    """The visitor, read once a request."""
    visitor: Visitor | None = getattr(request.state, "visitor", None)
    if visitor is None:
        visitor = services_of(request).identity.visitor(request.cookies.get(COOKIE))
        request.state.visitor = visitor
    return visitor


def locale_of(request: Request) -> Locale:
    return choose_locale(request.cookies.get("arena_locale"), request.headers.get("accept-language", ""))


# FastAPI runs a dependency that is no coroutine in a thread of its own; these would wait for it much longer than
# they take.


async def _services(request: Request) -> Services:
    return services_of(request)


async def _visitor(request: Request) -> Visitor:
    return visitor_of(request)


async def _locale(request: Request) -> Locale:
    return locale_of(request)


async def _check_csrf(request: Request, csrf: Annotated[str, Form()] = "") -> None:
    _require_csrf(request, csrf)


def _require_csrf(request: Request, token: str) -> None:
    """Refuses a form whose token is missing, forged or another visitor's."""
    visitor = visitor_of(request)
    if not visitor.known or not services_of(request).identity.csrf_fits(visitor, token):
        raise ForbiddenError(CSRF_FAILED, code="csrf")


async def own_form(request: Request) -> dict[str, list[str]]:
    """The text fields of a form of ours, for a route without FastAPI's dependencies. Refuses as those do."""
    await raise_refusal(request)
    fields: dict[str, list[str]] = {}
    for name, value in (await request.form()).multi_items():
        if isinstance(value, str):
            fields.setdefault(name, []).append(value)
    _require_csrf(request, fields.get("csrf", [""])[0])
    return fields


Arena = Annotated[Services, Depends(_services)]
CurrentVisitor = Annotated[Visitor, Depends(_visitor)]
CurrentLocale = Annotated[Locale, Depends(_locale)]
Csrf = Depends(_check_csrf)
