"""The office's people over HTTP: who is asking, signing in and out, one's own account, the others."""

from fastapi import APIRouter

from arena.accounts.routes import account, people, second_factor, signing_in, single_sign_on
from arena.accounts.routes.caller import COOKIE, NOT_YOURS, CurrentAdmin, CurrentOperator, load_admin, only

__all__ = ["COOKIE", "NOT_YOURS", "CurrentAdmin", "CurrentOperator", "load_admin", "only", "router"]

router = APIRouter()
for part in (signing_in, second_factor, single_sign_on, account, people):
    router.include_router(part.router)
