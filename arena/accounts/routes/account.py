"""One's own account: sessions, password, second factor. For everybody of the office."""

from typing import Annotated

from fastapi import APIRouter, Form, Path, Request
from sqlmodel import Session
from starlette.responses import Response

from arena.accounts.actions import end_one_session, end_sessions, password_fits, set_password
from arena.accounts.attempts import begin_attempt, forget_attempt
from arena.accounts.pages import NewPhonePage, Problem
from arena.accounts.people_page import MARK, account_page
from arena.accounts.queries import SignedIn, admin_by_email
from arena.accounts.routes.caller import CurrentAdmin, browser_here, shown, token_of, words_of
from arena.accounts.routes.second_factor import WRONG, Code, offered_to, set_up_view, vault_of
from arena.accounts.second_factor import set_up
from arena.accounts.signing_in import note_limit
from arena.accounts.tables import Admin
from arena.accounts.trail import record
from arena.clock import now
from arena.errors import N_, ArenaError, InvalidError, NotFoundError
from arena.web.respond import see_other
from arena.web.services import Arena, Csrf, Services

WRONG_PASSWORD = N_("The present password is not right.")
DIFFERENT = N_("The two new passwords are not the same.")

router = APIRouter(prefix="/account")

Password = Annotated[str, Form(max_length=1000)]
Mark = Annotated[str, Path(pattern=f"^[0-9a-f]{{{MARK}}}$")]


async def _page(
    request: Request, arena: Services, admin: SignedIn, done: str = "", form: str = "", why: ArenaError | None = None
) -> Response:
    problem = Problem(form, words_of(request, why) or "") if why else None
    page = await arena.db.read(lambda s: account_page(s, admin, token_of(request), now(), done=done, problem=problem))
    return shown(request, "accounts/account.html", page, why)


async def _mine(arena: Services, admin: SignedIn) -> Admin:
    found = await arena.db.read(lambda s: admin_by_email(s, admin.email))
    if found is None:
        raise NotFoundError
    return found


async def _check_password(request: Request, arena: Services, admin: Admin, password: str) -> None:
    """Raises InvalidError when it is not the present password, LimitError when there were too many attempts."""
    address = browser_here(request).address
    attempt = await arena.db.write(lambda s: begin_attempt(s, admin.email, address, now()))
    if not await arena.db.read(lambda _session: password_fits(admin, password)):
        await arena.db.write(lambda s: note_limit(s, admin.email, admin, address, now()))
        raise InvalidError(WRONG_PASSWORD, code="password")
    await arena.db.write(lambda s: forget_attempt(s, attempt))


@router.get("")
async def account(request: Request, arena: Arena, admin: CurrentAdmin, done: str = "") -> Response:
    return await _page(request, arena, admin, done)


@router.post("/sessions/{mark}/end", dependencies=[Csrf])
async def end_session_of_mine(arena: Arena, admin: CurrentAdmin, mark: Mark) -> Response:
    mine = await _mine(arena, admin)

    def end(session: Session) -> None:
        if not end_one_session(session, mine.id or 0, mark):
            raise NotFoundError
        record(session, admin.code, "auth.session_end", admin.code, "done", now(), detail={"sessions": 1})

    await arena.db.write(end)
    return see_other("/account?done=session")


@router.post("/sessions/end-others", dependencies=[Csrf])
async def end_other_sessions(request: Request, arena: Arena, admin: CurrentAdmin) -> Response:
    mine = await _mine(arena, admin)

    def end(session: Session) -> None:
        ended = end_sessions(session, mine.id or 0, but=token_of(request))
        record(session, admin.code, "auth.session_end", admin.code, "done", now(), detail={"sessions": ended})

    await arena.db.write(end)
    return see_other("/account?done=sessions")


@router.post("/password", dependencies=[Csrf])
async def change_password(
    request: Request, arena: Arena, admin: CurrentAdmin, present: Password, new: Password, again: Password
) -> Response:
    mine = await _mine(arena, admin)

    def change(session: Session) -> None:
        set_password(session, mine.id or 0, new)
        ended = end_sessions(session, mine.id or 0, but=token_of(request))
        record(session, admin.code, "auth.password", admin.code, "done", now(), detail={"sessions_ended": ended})

    try:
        if new != again:
            raise InvalidError(DIFFERENT, code="different")
        await _check_password(request, arena, mine, present)
        await arena.db.write(change)
    except ArenaError as refused:
        return await _page(request, arena, admin, form="password", why=refused)
    return see_other("/account?done=password")


async def _phone_page(request: Request, arena: Services, admin: Admin, why: ArenaError | None = None) -> Response:
    view = set_up_view(offered_to(request, arena, admin), admin)
    page = NewPhonePage(view, admin.totp_secret is not None, words_of(request, why))
    return shown(request, "accounts/new_phone.html", page, why)


@router.get("/second-factor")
async def new_phone(request: Request, arena: Arena, admin: CurrentAdmin) -> Response:
    mine = await _mine(arena, admin)
    return await _phone_page(request, arena, mine) if mine.password_hash else see_other("/account")


@router.post("/second-factor", dependencies=[Csrf])
async def set_up_new_phone(
    request: Request, arena: Arena, admin: CurrentAdmin, password: Password, code: Code
) -> Response:
    mine = await _mine(arena, admin)
    offered = offered_to(request, arena, mine)

    def change(session: Session) -> None:
        if not set_up(session, vault_of(arena), mine, offered, code, now()):
            raise InvalidError(WRONG, code="code")
        ended = end_sessions(session, mine.id or 0, but=token_of(request))
        before = "set" if mine.totp_secret else "none"
        detail = {"before": before, "after": "set", "sessions_ended": ended}
        record(session, admin.code, "auth.totp", admin.code, "done", now(), detail=detail)

    try:
        await _check_password(request, arena, mine, password)
        await arena.db.write(change)
    except ArenaError as refused:
        return await _phone_page(request, arena, mine, refused)
    return see_other("/account?done=phone")
