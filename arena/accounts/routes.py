"""Signing in and out; who of the admins is asking."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Query, Request
from starlette.responses import Response

from arena.accounts.actions import SESSION_LENGTH, end_session, password_fits, start_session
from arena.accounts.pages import SignInPage
from arena.accounts.queries import SignedIn, admin_by_email, signed_in
from arena.clock import now
from arena.errors import N_, ForbiddenError, UnauthorizedError
from arena.web.i18n import translations
from arena.web.respond import local_path, render, see_other, set_cookie
from arena.web.services import Arena, Csrf, CurrentLocale

COOKIE = "arena_admin"
WRONG = N_("The e-mail or the password is not right. Please check both and try again.")
NOT_YOURS = N_("This page is for people with another task.")

router = APIRouter()


async def load_admin(request: Request, arena: Arena) -> SignedIn | None:
    """The admin of this request's session cookie, kept for the page's frame."""
    token = request.cookies.get(COOKIE)
    request.state.admin = await arena.db.read(lambda s: signed_in(s, token, now())) if token else None
    found: SignedIn | None = request.state.admin
    return found


async def is_operator(admin: Annotated[SignedIn | None, Depends(load_admin)]) -> bool:
    return admin is not None and admin.role == "operator"


CurrentOperator = Annotated[bool, Depends(is_operator)]


def only(*roles: str) -> Any:
    """Refuses everyone but admins of these roles."""

    async def check(admin: Annotated[SignedIn | None, Depends(load_admin)]) -> None:
        if admin is None:
            raise UnauthorizedError
        if admin.role not in roles:
            raise ForbiddenError(NOT_YOURS, code="role")

    return Depends(check)


@router.get("/sign-in")
async def sign_in_form(request: Request, back_to: Annotated[str, Query(alias="next")] = "/rounds") -> Response:
    return render(request, "accounts/sign_in.html", SignInPage("", local_path(back_to), None))


@router.post("/sign-in", dependencies=[Csrf])
async def sign_in(
    request: Request,
    arena: Arena,
    locale: CurrentLocale,
    email: Annotated[str, Form(max_length=254)],
    password: Annotated[str, Form(max_length=1000)],
    back_to: Annotated[str, Form(alias="next")] = "/rounds",
) -> Response:
    admin = await arena.db.read(lambda session: admin_by_email(session, email))
    fits = await arena.db.read(lambda _session: password_fits(admin, password))
    if admin is None or admin.id is None or not fits:
        problem = translations(locale).gettext(WRONG)
        return render(request, "accounts/sign_in.html", SignInPage(email, local_path(back_to), problem), status=422)
    admin_id = admin.id
    token = await arena.db.write(lambda session: start_session(session, admin_id, now()))
    response = see_other(local_path(back_to))
    set_cookie(request, response, COOKIE, token, max_age=int(SESSION_LENGTH.total_seconds()))
    return response


@router.post("/sign-out", dependencies=[Csrf])
async def sign_out(request: Request, arena: Arena) -> Response:
    token = request.cookies.get(COOKIE)
    if token:
        await arena.db.write(lambda session: end_session(session, token))
    response = see_other("/")
    response.delete_cookie(COOKIE, path="/")
    return response
