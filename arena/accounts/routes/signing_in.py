"""Signing in with e-mail and password, and signing out."""

from typing import Annotated

from fastapi import APIRouter, Depends, Form, Query, Request
from sqlmodel import Session
from starlette.responses import Response

from arena.accounts.actions import end_session, password_fits
from arena.accounts.attempts import begin_attempt, forget_attempt
from arena.accounts.pages import SignInPage
from arena.accounts.queries import SignedIn, admin_by_email
from arena.accounts.routes.caller import (
    COOKIE,
    OFFICE,
    browser_here,
    load_admin,
    sent_in,
    sent_to_second_step,
    shown,
    token_of,
    words_of,
)
from arena.accounts.signing_in import let_in, let_wait, needs_code, note_limit
from arena.accounts.tables import Admin
from arena.accounts.trail import record
from arena.clock import now
from arena.errors import N_, ArenaError, InvalidError, LimitError
from arena.web.respond import local_path, see_other
from arena.web.services import Arena, Csrf, services_of

WRONG = N_("The e-mail or the password is not right. Please check both and try again.")

router = APIRouter()


def sign_in_page(request: Request, email: str, back_to: str, problem: ArenaError | None = None) -> Response:
    """The form, again with what was typed and why it was refused; the refusal's status is the page's."""
    provider = bool(services_of(request).settings.oidc_issuer)
    page = SignInPage(email, local_path(back_to), words_of(request, problem), provider)
    return shown(request, "accounts/sign_in.html", page, problem)


@router.get("/sign-in")
async def sign_in_form(request: Request, back_to: Annotated[str, Query(alias="next")] = OFFICE) -> Response:
    return sign_in_page(request, "", back_to)


@router.post("/sign-in", dependencies=[Csrf])
async def sign_in(
    request: Request,
    arena: Arena,
    email: Annotated[str, Form(max_length=254)],
    password: Annotated[str, Form(max_length=1000)],
    back_to: Annotated[str, Form(alias="next")] = OFFICE,
) -> Response:
    browser = browser_here(request)
    try:
        attempt = await arena.db.write(lambda s: begin_attempt(s, email, browser, now()))
    except LimitError as held:
        return sign_in_page(request, email, back_to, held)
    admin = await arena.db.read(lambda s: admin_by_email(s, email))
    fits = await arena.db.read(lambda _session: password_fits(admin, password))
    if admin is None or not fits:
        await arena.db.write(lambda s: note_limit(s, email, admin, browser, now()))
        return sign_in_page(request, email, back_to, InvalidError(WRONG))
    await arena.db.write(lambda s: forget_attempt(s, attempt))
    return await _after_password(request, arena, admin, local_path(back_to))


async def _after_password(request: Request, arena: Arena, admin: Admin, path: str) -> Response:
    browser = browser_here(request)
    if not needs_code(admin, asked_of_all=arena.settings.second_factor):
        entered = await arena.db.write(lambda s: let_in(s, admin, "password", browser, now()))
        return sent_in(request, path, entered)
    token = await arena.db.write(lambda s: let_wait(s, admin, browser, now()))
    return sent_to_second_step(request, admin, path, token)


@router.post("/sign-out", dependencies=[Csrf])
async def sign_out(
    request: Request, arena: Arena, admin: Annotated[SignedIn | None, Depends(load_admin)]
) -> Response:
    def leave(session: Session) -> None:
        end_session(session, token_of(request))
        if admin:
            record(session, admin.code, "auth.sign_out", admin.code, "done", now(), detail={})

    await arena.db.write(leave)
    response = see_other("/")
    response.delete_cookie(COOKIE, path="/")
    return response
