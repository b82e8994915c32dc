"""`arena admin` and `arena key`: who may do what, and the keys of pipelines and of the ledger."""

import getpass
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from arena.commands.common import Slug, database, group
from arena.errors import RefusedError

if TYPE_CHECKING:
    from sqlmodel import Session

    from arena.accounts.tables import Admin

Email = Annotated[str, typer.Argument(help="the admin's e-mail address")]

admins = group("Admins: operators, moderators, auditors.")
keys = group("API keys of scoring pipelines; the key that signs the ledger.")


@admins.command("create")
def admin_create(
    email: Email,
    role: Annotated[str, typer.Option(help="operator, moderator or auditor")],
    oidc_only: Annotated[
        bool, typer.Option("--oidc-only", help="no password: by the organisation's account alone")
    ] = False,
) -> None:
    """Makes an admin; asks for the password, or reads it from standard input.

    Example: arena admin create kim@example.org --role operator
    """
    from arena.accounts.actions import create_admin
    from arena.clock import now

    def make(session: "Session") -> None:
        admin = create_admin(session, email, role, password, now())
        _note(session, "admin.create", admin, role=role, oidc_only=oidc_only)

    with database() as (db, _):
        password = None if oidc_only else _password()
        db.writing(make)
    typer.echo(f"{email} is an admin with the role {role}")


@admins.command("role")
def admin_role(email: Email, role: Annotated[str, typer.Argument(help="operator, moderator or auditor")]) -> None:
    """Gives an admin another task. It ends their sessions.

    Example: arena admin role kim@example.org auditor
    """
    from arena.accounts.people import change_role
    from arena.accounts.queries import code_of

    def change(session: "Session") -> None:
        before, admin = change_role(session, email, role)
        _note(session, "admin.role", admin, before=before, after=code_of(admin))

    with database() as (db, _):
        db.writing(change)
    typer.echo(f"{email} has the role {role}")


@admins.command("password")
def admin_password(email: Email) -> None:
    """Sets an admin's password anew, asked for or read from standard input. It ends their sessions.

    Example: arena admin password kim@example.org
    """
    from arena.accounts.people import reset_password

    def change(session: "Session") -> None:
        _note(session, "admin.password", reset_password(session, email, password))

    with database() as (db, _):
        password = _password()
        db.writing(change)
    typer.echo(f"{email} has a new password")


@admins.command("reset-totp")
def admin_reset_totp(email: Email) -> None:
    """Takes an admin's second factor away, after a lost phone. It ends their sessions.

    Example: arena admin reset-totp kim@example.org
    """
    from arena.accounts.people import reset_second_factor

    def change(session: "Session") -> None:
        _note(session, "admin.reset_totp", reset_second_factor(session, email), before="set", after="none")

    with database() as (db, _):
        db.writing(change)
    typer.echo(f"{email} sets up the second factor anew at the next sign-in")


@admins.command("reset-oidc")
def admin_reset_oidc(email: Email) -> None:
    """Forgets the organisation's account of an admin, when they get a new one. It ends their sessions.

    Example: arena admin reset-oidc kim@example.org
    """
    from arena.accounts.people import reset_account

    def change(session: "Session") -> None:
        _note(session, "admin.reset_oidc", reset_account(session, email), before="bound", after="none")

    with database() as (db, _):
        db.writing(change)
    typer.echo(f"{email} is bound to the next organisation's account that signs in with this e-mail")


def _password() -> str:
    return getpass.getpass("password: ") if sys.stdin.isatty() else sys.stdin.readline().rstrip("\n")


def _note(session: "Session", what: str, admin: "Admin", **detail: object) -> None:
    from arena.accounts.queries import code_of
    from arena.accounts.trail import COMMAND_LINE, record
    from arena.clock import now

    record(session, COMMAND_LINE, what, code_of(admin), "done", now(), detail=detail)


@keys.command("create")
def key_create(
    name: Annotated[str, typer.Argument(help="what the key is for")],
    scope: Annotated[list[str], typer.Option(help="rounds:read, ratings:read or votes:read; may be repeated")],
) -> None:
    """Makes an API key and prints it once; only its hash is stored.

    Example: arena key create pipeline --scope rounds:read --scope ratings:read
    """
    from arena.accounts.actions import create_key
    from arena.accounts.trail import COMMAND_LINE, on_record
    from arena.clock import now

    with database() as (db, _), on_record(db, COMMAND_LINE, "key.create", name[:100], scopes=scope):
        typer.echo(db.writing(lambda s: create_key(s, name, scope, now())))


@keys.command("ledger")
def key_ledger(
    name: Annotated[str, typer.Argument(help="the arena's name in every log, such as its domain")],
) -> None:
    """Makes a key that signs the ledger and prints it: set it as ARENA_LEDGER_KEY. It is stored nowhere.

    Example: arena key ledger arena.example
    """
    from arena.proofs.notes import NoteError, SigningKey

    try:
        typer.echo(SigningKey.generate(name).secret())
    except NoteError as error:
        raise RefusedError(str(error)) from None


@keys.command("rotate")
def key_rotate(slug: Slug) -> None:
    """Hands a round's ledger over from ARENA_LEDGER_KEY to a new key, read from standard input.

    The servers and workers sign again when they are started with the new key.
    Example: arena key rotate stage-1 < new.key
    """
    from arena.accounts.trail import COMMAND_LINE, on_record
    from arena.clock import now
    from arena.ledger.actions import rotate_key
    from arena.proofs.notes import NoteError, SigningKey
    from arena.rounds.queries import find_round

    with database() as (db, settings), on_record(db, COMMAND_LINE, "key.rotate", slug):
        with db.reading() as session:
            found = find_round(session, slug)
        if found is None or found.id is None or found.state != "open":
            raise RefusedError(f"there is no open round {slug!r}")
        round_id = found.id
        try:
            new = SigningKey.parse(sys.stdin.readline().strip())
            db.writing(lambda s: rotate_key(s, round_id, slug, settings.signing_key, new, now()))
        except NoteError as error:
            raise RefusedError(str(error)) from None
    typer.echo("handed over; now set ARENA_LEDGER_KEY to the new key and start every server and worker again")
