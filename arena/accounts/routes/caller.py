"""Who of the admins is asking, and what their browser gets when a session begins."""

from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import Depends, Request
from starlette.responses import Response

from arena.accounts.actions import HALF_LENGTH, SEEN_EVERY, SESSION_LENGTH, touch_session
from arena.accounts.queries import SignedIn, seen_since, signed_in
from arena.accounts.signing_in import Browser
from arena.accounts.tables import Admin
from arena.clock import now
from arena.errors import N_, ArenaError, ForbiddenError, LimitError, UnauthorizedError
from arena.web.i18n import translations
from arena.web.respond import render, see_other, set_cookie
from arena.web.services import Arena, locale_of

COOKIE = "arena_admin"
OFFICE = "/office"
NOT_YOURS = N_("This page is for people with another task.")


async def load_admin(request: Request, arena: Arena) -> SignedIn | None:
    """The admin of this request's session cookie, kept for the page's frame."""
    token, at = token_of(request), now()
    request.state.admin = await arena.db.read(lambda s: signed_in(s, token, at)) if token else None
    found: SignedIn | None = request.state.admin
    if found and not await arena.db.read(lambda s: seen_since(s, token, at - SEEN_EVERY)):
        await arena.db.write(lambda s: touch_session(s, token, at))
    return found


async def _somebody(admin: Annotated[SignedIn | None, Depends(load_admin)]) -> SignedIn:
    if admin is None:
        raise UnauthorizedError
    return admin


async def is_operator(admin: Annotated[SignedIn | None, Depends(load_admin)]) -> bool:
    return admin is not None and admin.role == "operator"


CurrentAdmin = Annotated[SignedIn, Depends(_somebody)]
CurrentOperator = Annotated[bool, Depends(is_operator)]


def only(*roles: str) -> Any:
    """Refuses everyone but admins of these roles."""

    async def check(admin: CurrentAdmin) -> None:
        if admin.role not in roles:
            raise ForbiddenError(NOT_YOURS, code="role")

    return Depends(check)


def token_of(request: Request) -> str:
    """The token of the session cookie; empty without one."""
    return request.cookies.get(COOKIE, "")


def browser_here(request: Request) -> Browser:
    address = request.client.host if request.client else ""
    return Browser(token_of(request), request.headers.get("user-agent", ""), address)


def second_step(admin: Admin, path: str) -> str:
    """Where the second factor is shown or set up; afterwards it goes on to `path`."""
    return f"/sign-in/{'code' if admin.totp_secret else 'set-up'}?{urlencode({'next': path})}"


def sent_on_with(request: Request, path: str, token: str, *, full: bool = True) -> Response:
    """Sends the browser on to `path` with its new session."""
    response = see_other(path)
    length = SESSION_LENGTH if full else HALF_LENGTH
    set_cookie(request, response, COOKIE, token, max_age=int(length.total_seconds()))
    return response


def words_of(request: Request, problem: ArenaError | None) -> str | None:
    return problem.text(translations(locale_of(request)).gettext) if problem else None


def shown(request: Request, template: str, page: object, problem: ArenaError | None) -> Response:
    """A page with a form; the status says whether what was sent was refused."""
    response = render(request, template, page, status=problem.status if problem else 200)
    if isinstance(problem, LimitError):
        response.headers["Retry-After"] = str(problem.retry_after_s)
    return response
