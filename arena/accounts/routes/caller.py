"""Who of the admins is asking, and what their browser gets when a session begins."""

from dataclasses import astuple
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import Depends, Request
from itsdangerous import BadData, TimestampSigner, URLSafeTimedSerializer
from starlette.responses import Response

from arena.accounts.actions import HALF_LENGTH, SEEN_EVERY, SESSION_LENGTH, touch_session
from arena.accounts.known import Browser, Known
from arena.accounts.queries import SignedIn, seen_since, signed_in
from arena.accounts.signing_in import Entered
from arena.accounts.tables import Admin
from arena.clock import now
from arena.errors import N_, ArenaError, ForbiddenError, LimitError, UnauthorizedError
from arena.web.i18n import translations
from arena.web.respond import render, see_other, set_cookie
from arena.web.services import Arena, Services, locale_of, services_of
from arena.web.visitor import YEAR_S

COOKIE = "arena_admin"
KNOWN_COOKIE = "arena_known"
DONE_S = 60
"""How long the notice of what was just done may be shown."""
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
    return Browser(token_of(request), request.headers.get("user-agent", ""), address, _known_here(request))


def secret_of(arena: Services) -> str:
    assert arena.settings.secret_key is not None
    return arena.settings.secret_key.get_secret_value()


def _known_cookies(request: Request) -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(secret_of(services_of(request)), salt="known browser")


def _known_here(request: Request) -> Known | None:
    try:
        return Known(*_known_cookies(request).loads(request.cookies.get(KNOWN_COOKIE, ""), max_age=YEAR_S))
    except (BadData, TypeError):
        return None


def keep_known(request: Request, response: Response, known: Known) -> None:
    value = _known_cookies(request).dumps(astuple(known))
    set_cookie(request, response, KNOWN_COOKIE, value, max_age=YEAR_S)


def second_step(admin: Admin, path: str) -> str:
    """Where the second factor is shown or set up; afterwards it goes on to `path`."""
    return f"/sign-in/{'code' if admin.totp_secret else 'set-up'}?{urlencode({'next': path})}"


def sent_in(request: Request, path: str, entered: Entered) -> Response:
    """Sends the browser on to `path` with its new session; from now on it is known."""
    response = see_other(path)
    set_cookie(request, response, COOKIE, entered.token, max_age=int(SESSION_LENGTH.total_seconds()))
    keep_known(request, response, entered.known)
    return response


def sent_to_second_step(request: Request, admin: Admin, path: str, token: str) -> Response:
    response = see_other(second_step(admin, path))
    set_cookie(request, response, COOKIE, token, max_age=int(HALF_LENGTH.total_seconds()))
    return response


def _done_signer(request: Request, path: str) -> TimestampSigner:
    return TimestampSigner(secret_of(services_of(request)), salt=f"done {path} {token_of(request)}")


def with_done(request: Request, path: str, what: str) -> str:
    """The address of a page that tells what was just done: in this session, and for a minute."""
    return f"{path}?{urlencode({'done': _done_signer(request, path).sign(what).decode()})}"


def done_here(request: Request, done: str) -> str:
    """What the page's address says was done, if we wrote it; else nothing."""
    try:
        return _done_signer(request, request.url.path).unsign(done, max_age=DONE_S).decode()
    except BadData:
        return ""


def words_of(request: Request, problem: ArenaError | None) -> str | None:
    return problem.text(translations(locale_of(request)).gettext) if problem else None


def shown(request: Request, template: str, page: object, problem: ArenaError | None) -> Response:
    """A page with a form; the status says whether what was sent was refused."""
    response = render(request, template, page, status=problem.status if problem else 200)
    if isinstance(problem, LimitError):
        response.headers["Retry-After"] = str(problem.retry_after_s)
    return response
