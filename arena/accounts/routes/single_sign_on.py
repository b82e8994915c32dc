"""Signing in with an organisation's account, where the settings name an OpenID Connect provider."""

import hmac
from dataclasses import asdict
from functools import lru_cache
from typing import Annotated, Any

import structlog
from fastapi import APIRouter, Query, Request
from itsdangerous import BadData, URLSafeTimedSerializer
from pydantic import SecretStr
from sqlalchemy import or_, update
from sqlmodel import Session, col, select
from starlette.responses import Response

from arena.accounts.actions import changes_one
from arena.accounts.attempts import begin_attempt, forget_attempt
from arena.accounts.oidc import Flow, NotTrustedError, Provider, ProviderDownError
from arena.accounts.queries import admin_by_email, code_of
from arena.accounts.routes.caller import OFFICE, browser_here, secret_of, sent_in
from arena.accounts.routes.signing_in import sign_in_page
from arena.accounts.signing_in import UNKNOWN, Entered, let_in, note_limit
from arena.accounts.tables import Admin
from arena.clock import now
from arena.errors import N_, ArenaError, BusyError, ForbiddenError, NotFoundError
from arena.web.respond import local_path, see_other, set_cookie
from arena.web.services import Arena, Services

log = structlog.get_logger()

COOKIE = "arena_oidc"
FLOW_S = 600
REFUSALS = {
    "down": N_("Your organisation's sign-in does not answer right now. Please try again in a moment."),
    "state": N_("This sign-in was begun elsewhere or too long ago. Please begin again."),
    "denied": N_("Your organisation's sign-in did not let you in. Please try again."),
    "untrusted": N_(
        "What your organisation's sign-in answered could not be trusted, so nobody was signed in. "
        "Please tell those who run this service."
    ),
    "unverified": N_("Your organisation's sign-in has not confirmed your e-mail address, so it cannot be used here."),
    "nobody": N_("Your e-mail address may not sign in here. Somebody who runs this service has to add you first."),
    "subject": N_(
        "Another account of your organisation signed in with this e-mail address before. "
        "Please ask those who run this service."
    ),
}

router = APIRouter(prefix="/sign-in/oidc")


def _refusal(why: str) -> ArenaError:
    return BusyError(REFUSALS[why], code=why) if why == "down" else ForbiddenError(REFUSALS[why], code=why)


@lru_cache(maxsize=1)
def _known(issuer: str, client_id: str, client_secret: SecretStr) -> Provider:
    return Provider(issuer, client_id, client_secret)


def _provider(arena: Services) -> Provider:
    """Raises NotFoundError where the settings name none."""
    settings = arena.settings
    if settings.oidc_client_secret is None:
        raise NotFoundError
    return _known(settings.oidc_issuer, settings.oidc_client_id, settings.oidc_client_secret)


def _cookies(arena: Services) -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(secret_of(arena), salt="oidc")


def _here(request: Request, arena: Services) -> str:
    """The address the provider sends the browser back to; it has to be registered there."""
    return f"{arena.settings.public_url or str(request.base_url).rstrip('/')}/sign-in/oidc/back"


@router.get("")
async def begin(request: Request, arena: Arena, back_to: Annotated[str, Query(alias="next")] = OFFICE) -> Response:
    flow = Flow.begin(local_path(back_to))
    try:
        address = await _provider(arena).address(flow, _here(request, arena))
    except ProviderDownError as error:
        log.warning("oidc", why="down", what=str(error))
        return sign_in_page(request, "", back_to, _refusal("down"))
    response = see_other(address)
    set_cookie(request, response, COOKIE, _cookies(arena).dumps(asdict(flow)), max_age=FLOW_S)
    return response


@router.get("/back")
async def come_back(request: Request, arena: Arena, state: str = "", code: str = "", error: str = "") -> Response:
    """Where the provider sends the browser, with a code or with the reason why not."""
    provider, flow = _provider(arena), _flow(request, arena, state)
    try:
        if flow is None:
            raise _refusal("state")
        if error or not code:
            raise _refusal("denied")
        response = sent_in(request, flow.next_path, await _entered(request, arena, provider, flow, code))
    except ArenaError as refused:
        response = sign_in_page(request, "", flow.next_path if flow else OFFICE, refused)
    response.delete_cookie(COOKIE, path="/")
    return response


async def _entered(request: Request, arena: Services, provider: Provider, flow: Flow, code: str) -> Entered:
    """Signs in whom the provider names. Counted as an attempt, as each asks the provider. Raises ArenaError."""
    browser = browser_here(request)
    attempt = await arena.db.write(lambda s: begin_attempt(s, None, browser, now()))

    def enter(session: Session) -> Entered:
        forget_attempt(session, attempt)
        admin = _named(session, provider.issuer, claims)
        return let_in(session, admin, "oidc", browser, now())

    try:
        claims = await _asked(provider, flow, code, _here(request, arena))
        return await arena.db.write(enter)
    except ArenaError:
        await arena.db.write(lambda s: note_limit(s, None, None, browser, now()))
        raise


def _flow(request: Request, arena: Services, state: str) -> Flow | None:
    """What this browser's cookie kept, if it began this very sign-in and not long ago."""
    try:
        flow = Flow(**_cookies(arena).loads(request.cookies.get(COOKIE, ""), max_age=FLOW_S))
    except (BadData, TypeError):
        return None
    return flow if hmac.compare_digest(flow.state.encode(), state.encode()) else None


async def _asked(provider: Provider, flow: Flow, code: str, here: str) -> dict[str, Any]:
    """What the provider says of who signs in."""
    try:
        return await provider.claims(code, flow, here)
    except ProviderDownError as failure:
        log.warning("oidc", why="down", what=str(failure))
        raise _refusal("down") from None
    except NotTrustedError as failure:
        log.warning("oidc", why="untrusted", what=str(failure))
        raise _refusal("untrusted") from None


def _named(session: Session, issuer: str, claims: dict[str, Any]) -> Admin:
    """Whom the claims name, if they may come in."""
    subject, email = f"{issuer} {claims['sub']}", claims.get("email")
    admin = admin_by_email(session, email) if isinstance(email, str) else None
    if claims.get("email_verified") is not True:
        why = "unverified"
    elif admin is None or admin.disabled_at is not None:
        why = "nobody"
    elif not _is_theirs(session, admin, subject):
        why = "subject"
    else:
        return admin
    log.warning("oidc", why=why, about=code_of(admin) if admin else UNKNOWN)
    raise _refusal(why)


def _is_theirs(session: Session, admin: Admin, subject: str) -> bool:
    """Whether the provider's account is the admin's; the first to come becomes it."""
    if session.exec(select(Admin.id).where(Admin.subject == subject, col(Admin.id) != admin.id)).first():
        return False
    ours = col(Admin.id) == admin.id
    free = or_(col(Admin.subject).is_(None), col(Admin.subject) == subject)
    return changes_one(session, update(Admin).where(ours, free).values(subject=subject))
