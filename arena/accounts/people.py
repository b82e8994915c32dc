"""What is done about other admins: operators disable and enable them, the rest is the command line's."""

from datetime import datetime

from sqlalchemy import update
from sqlmodel import Session, col, select

from arena.accounts.actions import PASSWORD_MIN, ROLES, end_sessions, set_password
from arena.accounts.queries import admin_by_email, code_of, is_operator
from arena.accounts.tables import Admin
from arena.errors import N_, ConflictError, ForbiddenError, NotFoundError, RefusedError

REFUSALS = {
    "role": N_("Only operators may do this."),
    "self": N_("You cannot disable yourself. Please ask another operator."),
    "disabled": N_("This person is disabled already."),
    "enabled": N_("This person can sign in already."),
}


def disable(session: Session, number: int, by: str, now: datetime) -> int:
    """Keeps an admin from signing in and ends their sessions; returns how many.

    `by` is the code of the operator who does it, so one is always left, as two who disable each other at once
    wait for each other. Raises ArenaErrors (`REFUSALS`).
    """
    session.exec(select(Admin).where(Admin.role == "operator").with_for_update()).all()
    admin = _admin(session, number, by)
    if code_of(admin) == by:
        raise _refuse("self")
    if admin.disabled_at is not None:
        raise _refuse("disabled")
    admin.disabled_at = now
    return end_sessions(session, number)


def enable(session: Session, number: int, by: str) -> None:
    admin = _admin(session, number, by)
    if admin.disabled_at is None:
        raise _refuse("enabled")
    admin.disabled_at = None


def sign_out_everywhere(session: Session, number: int, by: str) -> int:
    """Ends all sessions of an admin; returns how many."""
    _admin(session, number, by)
    return end_sessions(session, number)


def reset_second_factor(session: Session, email: str) -> Admin:
    """Takes a lost phone's second factor away and ends the sessions. Raises RefusedError."""
    admin = _known_admin(session, email)
    if admin.totp_secret is None:
        raise RefusedError(f"{admin.email} has set up no second factor")
    forgotten = update(Admin).where(col(Admin.id) == admin.id).values(totp_secret=None, totp_step=None)
    session.execute(forgotten)
    end_sessions(session, admin.id or 0)
    return admin


def reset_account(session: Session, email: str) -> Admin:
    """Forgets the organisation's account that is bound to an admin and ends the sessions. Raises RefusedError."""
    admin = _known_admin(session, email)
    if admin.subject is None:
        raise RefusedError(f"{admin.email} has not signed in with an organisation's account")
    session.execute(update(Admin).where(col(Admin.id) == admin.id).values(subject=None))
    end_sessions(session, admin.id or 0)
    return admin


def reset_password(session: Session, email: str, password: str) -> Admin:
    """Gives an admin a new password and ends the sessions. Raises RefusedError."""
    admin = _known_admin(session, email)
    if len(password) < PASSWORD_MIN:
        raise RefusedError(f"password: expected at least {PASSWORD_MIN} characters")
    set_password(session, admin.id or 0, password)
    end_sessions(session, admin.id or 0)
    return admin


def change_role(session: Session, email: str, role: str) -> tuple[str, Admin]:
    """Gives an admin another task and ends their sessions; returns their code before too. Raises RefusedError."""
    if role not in ROLES:
        raise RefusedError(f"role: expected one of {', '.join(ROLES)}, not {role!r}")
    admin = _known_admin(session, email)
    if admin.role == role:
        raise RefusedError(f"role: {admin.email} has the role {role} already")
    before = code_of(admin)
    admin.role = role
    end_sessions(session, admin.id or 0)
    return before, admin


def _known_admin(session: Session, email: str) -> Admin:
    found = admin_by_email(session, email)
    if found is None:
        raise RefusedError(f"email: nobody is an admin by {email!r}")
    return found


def _admin(session: Session, number: int, by: str) -> Admin:
    if not is_operator(session, by):
        raise ForbiddenError(REFUSALS["role"], code="role")
    found = session.get(Admin, number)
    if found is None:
        raise NotFoundError
    return found


def _refuse(code: str) -> ConflictError:
    return ConflictError(REFUSALS[code], code=code)
