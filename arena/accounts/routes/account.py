"""One's own account: sessions, password, second factor. For everybody of the office."""

from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Form, Path, Request
from sqlmodel import Session
from starlette.responses import Response

from arena.accounts.actions import end_one_session, end_sessions, password_fits, set_password
from arena.accounts.attempts import begin_attempt, forget_attempt
from arena.accounts.known import Browser, Known, still_known
from arena.accounts.pages import NewPhonePage, Problem
from arena.accounts.people_page import MARK, account_page
from arena.accounts.queries import SignedIn, admin_by_email, code_of
from arena.accounts.routes.caller import (
    CurrentAdmin,
    browser_here,
    done_here,
    keep_known,
    shown,
    token_of,
    with_done,
    words_of,
)
from arena.accounts.routes.second_factor import Code, offered_to, set_up_view, vault_of
from arena.accounts.second_factor import set_up, step_of, use_code
from arena.accounts.signing_in import note_limit
from arena.accounts.tables import Admin
from arena.accounts.trail import record
from arena.clock import now
from arena.errors import N_, ArenaError, InvalidError, NotFoundError
from arena.web.respond import see_other
from arena.web.services import Arena, Csrf, Services

WRONG_PASSWORD = N_("The present password is not right.")
DIFFERENT = N_("The two new passwords are not the same.")
WRONG_NEW_CODE = N_("The code of the new phone does not fit. Please wait for its next one and type it.")
WRONG_PRESENT_CODE = N_(
    "The code of the phone you use now does not fit, or it was used already. "
    "Please wait for its next one and type it."
)

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


async def _check(request: Request, arena: Services, admin: Admin, password: str, code: str | None = None) -> None:
    """That it is they: the present password fits, and so does the `code` of the present phone if one is given.

    Raises InvalidError when one does not, LimitError when there were too many attempts.
    """
    browser = browser_here(request)
    attempt = await arena.db.write(lambda s: begin_attempt(s, admin.email, browser, now()))
    fits = await arena.db.read(lambda _session: password_fits(admin, password))

    def judge(session: Session) -> ArenaError | None:
        if fits and (code is None or use_code(session, vault_of(arena), admin, code, now())):
            forget_attempt(session, attempt)
            return None
        note_limit(session, admin.email, admin, browser, now())
        if fits:
            return InvalidError(WRONG_PRESENT_CODE, code="code")
        return InvalidError(WRONG_PASSWORD, code="password")

    wrong = await arena.db.write(judge)
    if wrong:
        raise wrong


def _ends_elsewhere(
    session: Session, browser: Browser, admin: Admin, what: str, detail: dict[str, object]
) -> Known | None:
    """Puts an act on the trail after which the admin's other browsers are unknown; returns what this one keeps."""
    known, code = still_known(session, browser), code_of(admin)
    act = record(session, code, what, code, "done", now(), detail=detail)
    session.flush()
    return replace(known, since=act.id or 0) if known and known.person == admin.id else None


def _done(request: Request, what: str, known: Known | None) -> Response:
    response = see_other(with_done(request, "/account", what))
    if known:
        keep_known(request, response, known)
    return response


@router.get("")
async def account(request: Request, arena: Arena, admin: CurrentAdmin, done: str = "") -> Response:
    return await _page(request, arena, admin, done_here(request, done))


@router.post("/sessions/{mark}/end", dependencies=[Csrf])
async def end_session_of_mine(request: Request, arena: Arena, admin: CurrentAdmin, mark: Mark) -> Response:
    mine, browser = await _mine(arena, admin), browser_here(request)

    def end(session: Session) -> Known | None:
        if not end_one_session(session, mine.id or 0, mark):
            raise NotFoundError
        return _ends_elsewhere(session, browser, mine, "auth.session_end", {"sessions": 1})

    return _done(request, "session", await arena.db.write(end))


@router.post("/sessions/end-others", dependencies=[Csrf])
async def end_other_sessions(request: Request, arena: Arena, admin: CurrentAdmin) -> Response:
    mine, browser = await _mine(arena, admin), browser_here(request)

    def end(session: Session) -> Known | None:
        ended = end_sessions(session, mine.id or 0, but=browser.token)
        return _ends_elsewhere(session, browser, mine, "auth.session_end", {"sessions": ended})

    return _done(request, "sessions", await arena.db.write(end))


@router.post("/password", dependencies=[Csrf])
async def change_password(
    request: Request, arena: Arena, admin: CurrentAdmin, present: Password, new: Password, again: Password
) -> Response:
    mine, browser = await _mine(arena, admin), browser_here(request)

    def change(session: Session) -> Known | None:
        set_password(session, mine.id or 0, new)
        ended = end_sessions(session, mine.id or 0, but=browser.token)
        return _ends_elsewhere(session, browser, mine, "auth.password", {"sessions_ended": ended})

    try:
        if new != again:
            raise InvalidError(DIFFERENT, code="different")
        await _check(request, arena, mine, present)
        known = await arena.db.write(change)
    except ArenaError as refused:
        return await _page(request, arena, admin, form="password", why=refused)
    return _done(request, "password", known)


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
    request: Request, arena: Arena, admin: CurrentAdmin, password: Password, code: Code, present: Code = ""
) -> Response:
    mine, browser = await _mine(arena, admin), browser_here(request)
    offered = offered_to(request, arena, mine)
    before, present_code = ("set", present) if mine.totp_secret else ("none", None)

    def change(session: Session) -> Known | None:
        if not set_up(session, vault_of(arena), mine, offered, code, now()):
            raise InvalidError(WRONG_NEW_CODE, code="code")
        ended = end_sessions(session, mine.id or 0, but=browser.token)
        detail: dict[str, object] = {"before": before, "after": "set", "sessions_ended": ended}
        return _ends_elsewhere(session, browser, mine, "auth.totp", detail)

    try:
        if step_of(offered, code, now()) is None:  # before the present phone's code is used up
            raise InvalidError(WRONG_NEW_CODE, code="code")
        await _check(request, arena, mine, password, present_code)
        known = await arena.db.write(change)
    except ArenaError as refused:
        return await _phone_page(request, arena, mine, refused)
    return _done(request, "phone", known)
