"""What every route may use: settings, database, rendering, identity; and who is asking."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Form, Request

from arena.db import Database
from arena.errors import N_, ForbiddenError
from arena.settings import Settings
from arena.web.i18n import choose_locale
from arena.web.pages import Locale
from arena.web.rendering import Renderer
from arena.web.visitor import COOKIE, Identity, Visitor

CSRF_FAILED = N_("This page had been open for too long. Nothing was lost: reload the page and send it again.")


@dataclass(frozen=True, slots=True)
class Services:
    settings: Settings
    db: Database
    renderer: Renderer
    identity: Identity


def get_services(request: Request) -> Services:
    services: Services = request.app.state.services
    return services


def get_visitor(request: Request) -> Visitor:
    """The visitor, read once a request."""
    visitor: Visitor | None = getattr(request.state, "visitor", None)
    if visitor is None:
        visitor = get_services(request).identity.visitor(request.cookies.get(COOKIE))
        request.state.visitor = visitor
    return visitor


def get_locale(request: Request) -> Locale:
    return choose_locale(request.cookies.get("arena_locale"), request.headers.get("accept-language", ""))


def check_csrf(request: Request, csrf: Annotated[str, Form()] = "") -> None:
    """Refuses a form whose token is missing, forged or another visitor's."""
    visitor = get_visitor(request)
    if not visitor.known or not get_services(request).identity.csrf_fits(visitor, csrf):
        raise ForbiddenError(CSRF_FAILED, code="csrf")


Arena = Annotated[Services, Depends(get_services)]
CurrentVisitor = Annotated[Visitor, Depends(get_visitor)]
CurrentLocale = Annotated[Locale, Depends(get_locale)]
Csrf = Depends(check_csrf)
