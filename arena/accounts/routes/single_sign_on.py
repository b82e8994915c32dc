"""Signing in with an organisation's account, where the settings name an OpenID Connect provider."""

import hmac
from dataclasses import asdict
from datetime import datetime
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
from arena.accounts.oidc import Flow, NotTrustedError, Provider, ProviderDownError
from arena.accounts.queries import admin_by_email, code_of
from arena.accounts.routes.caller import OFFICE, browser_here, sent_on_with
from arena.accounts.routes.signing_in import sign_in_page
from arena.accounts.signing_in import UNKNOWN, Browser, let_in
from arena.accounts.tables import Admin
from arena.accounts.trail import record
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
    assert arena.settings.secret_key is not None
    return URLSafeTimedSerializer(arena.settings.secret_key.get_secret_value(), salt="oidc")


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
    why, claims = await _asked(provider, flow, code, error, _here(request, arena))
    entered: str | None = None
    if flow and claims is not None:
        browser, at = browser_here(request), now()
        why, entered = await arena.db.write(lambda s: _enter(s, provider.issuer, claims, browser, at))
    if flow and entered is not None:
        response = sent_on_with(request, flow.next_path, entered)
    else:
        response = sign_in_page(request, "", flow.next_path if flow else OFFICE, _refusal(why))
    response.delete_cookie(COOKIE, path="/")
    return response


def _flow(request: Request, arena: Services, state: str) -> Flow | None:
    """What this browser's cookie kept, if it began this very sign-in and not long ago."""
    try:
        flow = Flow(**_cookies(arena).loads(request.cookies.get(COOKIE, ""), max_age=FLOW_S))
    except (BadData, TypeError):
        return None
    return flow if hmac.compare_digest(flow.state.encode(), state.encode()) else None


async def _asked(
    provider: Provider, flow: Flow | None, code: str, error: str, here: str
) -> tuple[str, dict[str, Any] | None]:
    """What the provider says of who signs in, or why that is not known."""
    if flow is None:
        return "state", None
    if error or not code:
        return "denied", None
    try:
        return "", await provider.claims(code, flow, here)
    except ProviderDownError as failure:
        log.warning("oidc", why="down", what=str(failure))
        return "down", None
    except NotTrustedError as failure:
        log.warning("oidc", why="untrusted", what=str(failure))
        return "untrusted", None


def _enter(
    session: Session, issuer: str, claims: dict[str, Any], browser: Browser, at: datetime
) -> tuple[str, str | None]:
    """Signs in whom the claims name, or says why not; what was refused is on the trail too."""
    subject, email = f"{issuer} {claims['sub']}", claims.get("email")
    admin = admin_by_email(session, email) if isinstance(email, str) else None
    if claims.get("email_verified") is not True:
        why = "unverified"
    elif admin is None or admin.disabled_at is not None:
        why = "nobody"
    elif not _is_theirs(session, admin, subject):
        why = "subject"
    else:
        return "", let_in(session, admin, "oidc", browser, at)
    about = code_of(admin) if admin else UNKNOWN
    record(session, UNKNOWN, "auth.sign_in", about, "refused", at, why=f"oidc_{why}", detail={"way": "oidc"})
    return why, None


def _is_theirs(session: Session, admin: Admin, subject: str) -> bool:
    """Whether the provider's account is the admin's; the first to come becomes it."""
    if session.exec(select(Admin.id).where(Admin.subject == subject, col(Admin.id) != admin.id)).first():
        return False
    ours = col(Admin.id) == admin.id
    free = or_(col(Admin.subject).is_(None), col(Admin.subject) == subject)
    return changes_one(session, update(Admin).where(ours, free).values(subject=subject))
