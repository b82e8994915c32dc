"""`arena admin` and `arena key`: who may do what, and the keys of pipelines and of the ledger."""

import getpass
import sys
from typing import Annotated

import typer

from arena.commands.common import Slug, database, group
from arena.errors import RefusedError

admins = group("Admins: operators, moderators, auditors.")
keys = group("API keys of scoring pipelines; the key that signs the ledger.")


@admins.command("create")
def admin_create(
    email: Annotated[str, typer.Argument(help="the admin's e-mail address")],
    role: Annotated[str, typer.Option(help="operator, moderator or auditor")],
) -> None:
    """Makes an admin; asks for the password, or reads it from standard input.

    Example: arena admin create kim@example.org --role operator
    """
    from arena.accounts.actions import create_admin
    from arena.clock import now

    with database() as (db, _):
        password = getpass.getpass("password: ") if sys.stdin.isatty() else sys.stdin.readline().rstrip("\n")
        db.writing(lambda s: create_admin(s, email, role, password, now()))
    typer.echo(f"{email} is an admin with the role {role}")


@keys.command("create")
def key_create(
    name: Annotated[str, typer.Argument(help="what the key is for")],
    scope: Annotated[list[str], typer.Option(help="rounds:read, ratings:read or votes:read; may be repeated")],
) -> None:
    """Makes an API key and prints it once; only its hash is stored.

    Example: arena key create pipeline --scope rounds:read --scope ratings:read
    """
    from arena.accounts.actions import create_key
    from arena.clock import now

    with database() as (db, _):
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
