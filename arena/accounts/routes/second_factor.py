"""The second step of signing in: a code of the phone's app, or at the first sign-in setting the app up."""

from typing import Annotated

from fastapi import APIRouter, Depends, Form, Query, Request
from sqlmodel import Session
from starlette.responses import Response

from arena.accounts.actions import token_hash
from arena.accounts.attempts import begin_attempt, forget_attempt
from arena.accounts.pages import CodePage, SetUp, SetUpPage
from arena.accounts.queries import code_of, session_holder
from arena.accounts.routes.caller import (
    OFFICE,
    browser_here,
    second_step,
    secret_of,
    sent_in,
    shown,
    token_of,
    words_of,
)
from arena.accounts.second_factor import Vault, app_link, set_up, use_code
from arena.accounts.signing_in import Entered, let_in, note_limit
from arena.accounts.tables import Admin
from arena.accounts.trail import record
from arena.clock import now
from arena.errors import N_, ArenaError, InvalidError
from arena.web.qr import qr_code
from arena.web.respond import local_path, see_other
from arena.web.services import Arena, Csrf, Services

WRONG = N_("This code does not fit, or it was used already. Please wait for the next one and type it.")

router = APIRouter(prefix="/sign-in")

Next = Annotated[str, Query(alias="next")]
NextField = Annotated[str, Form(alias="next")]
Code = Annotated[str, Form(max_length=20)]


async def _waiting(request: Request, arena: Arena) -> Admin | None:
    """Whoever has shown the password and not yet the second factor."""
    return await arena.db.read(lambda s: session_holder(s, token_of(request), now(), full=False))


Waiting = Annotated[Admin | None, Depends(_waiting)]


def vault_of(arena: Services) -> Vault:
    return Vault(secret_of(arena))


def offered_to(request: Request, arena: Services, admin: Admin) -> str:
    """The new secret that this session of the admin may set up."""
    return vault_of(arena).offer(token_hash(token_of(request)), admin)


def set_up_view(secret: str, admin: Admin) -> SetUp:
    groups = " ".join(secret[start : start + 4] for start in range(0, len(secret), 4))
    return SetUp(qr_code(app_link(secret, admin.email)), groups)


def _code_page(request: Request, back_to: str, problem: ArenaError | None = None) -> Response:
    page = CodePage(local_path(back_to), words_of(request, problem))
    return shown(request, "accounts/code.html", page, problem)


def _set_up_page(
    request: Request, arena: Services, admin: Admin, back_to: str, problem: ArenaError | None = None
) -> Response:
    view = set_up_view(offered_to(request, arena, admin), admin)
    page = SetUpPage(view, local_path(back_to), words_of(request, problem))
    return shown(request, "accounts/set_up.html", page, problem)


@router.get("/code")
async def code_form(request: Request, admin: Waiting, back_to: Next = OFFICE) -> Response:
    if admin is None:
        return see_other("/sign-in")
    return _code_page(request, back_to) if admin.totp_secret else see_other(second_step(admin, local_path(back_to)))


@router.post("/code", dependencies=[Csrf])
async def show_code(
    request: Request, arena: Arena, admin: Waiting, code: Code, back_to: NextField = OFFICE
) -> Response:
    if admin is None:
        return see_other("/sign-in")
    browser = browser_here(request)

    def enter(session: Session, attempt: int) -> Entered | None:
        if not use_code(session, vault_of(arena), admin, code, now()):
            note_limit(session, admin.email, admin, browser, now())
            return None
        forget_attempt(session, attempt)
        return let_in(session, admin, "second_factor", browser, now())

    try:
        attempt = await arena.db.write(lambda s: begin_attempt(s, admin.email, browser, now()))
        entered = await arena.db.write(lambda s: enter(s, attempt))
    except ArenaError as refused:
        return _code_page(request, back_to, refused)
    if entered is None:
        return _code_page(request, back_to, InvalidError(WRONG))
    return sent_in(request, local_path(back_to), entered)


@router.get("/set-up")
async def set_up_form(request: Request, arena: Arena, admin: Waiting, back_to: Next = OFFICE) -> Response:
    if admin is None:
        return see_other("/sign-in")
    if admin.totp_secret:
        return see_other(second_step(admin, local_path(back_to)))
    return _set_up_page(request, arena, admin, back_to)


@router.post("/set-up", dependencies=[Csrf])
async def confirm_set_up(
    request: Request, arena: Arena, admin: Waiting, code: Code, back_to: NextField = OFFICE
) -> Response:
    if admin is None or admin.totp_secret:
        return see_other("/sign-in")
    browser, offered = browser_here(request), offered_to(request, arena, admin)

    def enter(session: Session) -> Entered | None:
        if not set_up(session, vault_of(arena), admin, offered, code, now()):
            return None
        who = code_of(admin)
        record(session, who, "auth.totp", who, "done", now(), detail={"before": "none", "after": "set"})
        return let_in(session, admin, "second_factor", browser, now())

    entered = await arena.db.write(enter)
    if entered is None:
        return _set_up_page(request, arena, admin, back_to, InvalidError(WRONG))
    return sent_in(request, local_path(back_to), entered)
