"""The command line: thin, every command with an example, every error one clear line and exit 2."""

import getpass
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer
from typer.exceptions import TyperException

from arena.errors import RefusedError

if TYPE_CHECKING:
    from arena.db import Database
    from arena.settings import Settings


def _group(text: str) -> typer.Typer:
    return typer.Typer(
        help=text,
        add_completion=False,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
    )


app = _group("Blind Arena: citizens judge AI models without knowing whose they are.")
round_app = _group("Rounds: create, open, close, show.")
admin_app = _group("Admins: operators, moderators, auditors.")
key_app = _group("API keys of scoring pipelines.")
app.add_typer(round_app, name="round")
app.add_typer(admin_app, name="admin")
app.add_typer(key_app, name="key")

Slug = Annotated[str, typer.Argument(help="the round's slug, such as stage-1")]
Host = Annotated[str, typer.Option(help="address to listen on")]
Port = Annotated[int, typer.Option(min=0, max=65535, help="port to listen on; 0 takes a free one")]


@contextmanager
def _database() -> "Iterator[tuple[Database, Settings]]":
    """The database of the settings, its schema checked."""
    from arena.db import Database
    from arena.migrations import schema_is_current
    from arena.settings import load_settings

    settings = load_settings()
    db = Database(settings.database)
    try:
        with db.engine.connect() as connection:
            if not schema_is_current(connection):
                raise RefusedError("the database's schema is not current; run `arena migrate` first")
        yield db, settings
    finally:
        db.close()


@app.command()
def demo(
    port: Port = 8000,
    folder: Annotated[Path | None, typer.Option("--dir", help="keep the demo's files in this folder")] = None,
    models: Annotated[str, typer.Option(help="demo: built-in teams; real: small language models")] = "demo",
) -> None:
    """Serves a fresh arena with an open demo round.

    Example: arena demo --port 8080
    """
    from arena.demo.command import run_demo

    if models not in ("demo", "real"):
        raise RefusedError(f"--models: expected demo or real, not {models!r}")
    run_demo(port, folder, real=models == "real")


@app.command()
def serve(
    host: Host = "127.0.0.1",
    port: Port = 8000,
    workers: Annotated[int, typer.Option(min=1, max=64, help="server processes")] = 1,
) -> None:
    """Serves the web app; settings come from ARENA_* variables or .env.

    Example: ARENA_SECRET_KEY=... arena serve --host 0.0.0.0 --workers 2
    """
    from arena.serving import serve_app

    with _database() as (_, settings):
        if settings.secret_key is None:
            raise RefusedError("ARENA_SECRET_KEY is not set; expected at least 32 random characters")
    serve_app(settings, host, port, workers)


@app.command()
def worker() -> None:
    """Does the background work in a process of its own.

    Example: arena worker
    """
    from arena.serving import run_worker

    with _database() as (db, settings):
        run_worker(db, settings)


@app.command()
def migrate() -> None:
    """Brings the database to the newest schema.

    Example: ARENA_DATABASE_URL=postgresql://arena@localhost/arena arena migrate
    """
    from arena.db import open_engine
    from arena.migrations import migrate as bring_up
    from arena.settings import load_settings

    bring_up(open_engine(load_settings().database))
    typer.echo("the schema is current")


@app.command()
def rate(
    file: Annotated[Path, typer.Argument(metavar="VOTES", help="CSV, NDJSON or Parquet; - reads standard input")],
    as_json: Annotated[bool, typer.Option("--json", help="print exact figures as JSON")] = False,
    strict: Annotated[bool, typer.Option("--strict", help="refuse a file that has rows which are no votes")] = False,
    no_side: Annotated[bool, typer.Option("--no-side", help="fit without an effect of the side shown first")] = False,
    votes_per_voter: Annotated[int | None, typer.Option(min=1, help="count only the first so many of each")] = None,
) -> None:
    """Rates any vote file with columns model_a, model_b, winner and, if known, voter.

    Example: arena rate votes.csv --json
    """
    from arena.offline.command import run_rate

    run_rate(file, votes_per_voter, as_json=as_json, strict=strict, side=not no_side)


@round_app.command("create")
def round_create(file: Annotated[Path, typer.Argument(help="a round file, see docs/round.example.toml")]) -> None:
    """Makes a draft round of a round file and prints its rules hash.

    Example: arena round create stage-1.toml
    """
    from arena.clock import now
    from arena.rounds.actions import create_round
    from arena.rounds.rules import parse_round_file

    try:
        text = file.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise RefusedError(f"{file}: cannot be read: {error}") from None
    parsed = parse_round_file(text)
    with _database() as (db, settings):
        made = db.writing(lambda s: create_round(s, parsed, allow=settings.endpoint_allow, now=now()))
    typer.echo(f"round {made.slug} is a draft; rules hash {made.rules_hash}")


@round_app.command("open")
def round_open(slug: Slug) -> None:
    """Freezes the rules of a draft round and opens it.

    Example: arena round open stage-1
    """
    from arena.clock import now
    from arena.rounds.actions import start_round

    with _database() as (db, _):
        opened = db.writing(lambda s: start_round(s, slug, now()))
    typer.echo(f"round {slug} is open; rules hash {opened.rules_hash}, seed commitment {opened.seed_commitment}")


@round_app.command("close")
def round_close(slug: Slug) -> None:
    """Closes an open round and computes its final ratings.

    Example: arena round close stage-1
    """
    from arena.clock import now
    from arena.ratings.actions import close_round

    with _database() as (db, _):
        db.writing(lambda s: close_round(s, slug, now()))
    typer.echo(f"round {slug} is closed; its ratings are final")


@round_app.command("show")
def round_show(slug: Slug) -> None:
    """Prints a round's state, entries, counts and rules.

    Example: arena round show stage-1
    """
    from arena.battles.queries import votes_cast
    from arena.rounds.queries import find_round
    from arena.teams.queries import entries_of

    with _database() as (db, _), db.reading() as session:
        found = find_round(session, slug)
        if found is None or found.id is None:
            raise RefusedError(f"there is no round {slug!r}")
        typer.echo(f"{found.slug}: {found.title_en} ({found.title_ko}), {found.state}")
        for word, moment in (("opened", found.opened_at), ("closes", found.closes_at), ("closed", found.closed_at)):
            typer.echo(f"{word} {moment or '-'}")
        typer.echo(f"votes {votes_cast(session, found.id)}")
        for entry in entries_of(session, found.id):
            typer.echo(f"entry {entry.code}: {entry.name_en} ({entry.name_ko})")
        typer.echo(f"rules hash {found.rules_hash}")
        typer.echo(f"seed commitment {found.seed_commitment}")
        typer.echo(f"rules {found.rules}")


@round_app.command("recount")
def round_recount(
    slug: Slug,
    fix: Annotated[
        bool, typer.Option("--mend", help="replace cells that differ by what the votes add up to")
    ] = False,
) -> None:
    """Compares a round's kept cells with its votes, and notes for operators what it found; exit 1 when they differ.

    Example: arena round recount stage-1 --mend
    """
    from arena.battles.cells import recount
    from arena.battles.counting import mend
    from arena.clock import now
    from arena.ratings.actions import store_recount
    from arena.rounds.queries import find_round

    with _database() as (db, _):
        with db.reading() as session:
            found = find_round(session, slug)
        if found is None:
            raise RefusedError(f"there is no round {slug!r}")
        with db.reading() as session:
            differences = recount(session, found)
        if differences and fix:
            db.writing(lambda s: mend(s, found))
        db.writing(lambda s: store_recount(s, found.id or 0, [] if fix else differences, now()))
    for line in differences:
        typer.echo(line)
    if not differences:
        typer.echo("the cells agree with the votes")
    elif fix:
        typer.echo("mended: the cells are now what the votes add up to")
    else:
        raise typer.Exit(1)


@admin_app.command("create")
def admin_create(
    email: Annotated[str, typer.Argument(help="the admin's e-mail address")],
    role: Annotated[str, typer.Option(help="operator, moderator or auditor")],
) -> None:
    """Makes an admin; asks for the password, or reads it from standard input.

    Example: arena admin create kim@example.org --role operator
    """
    from arena.accounts.actions import create_admin
    from arena.clock import now

    with _database() as (db, _):
        password = getpass.getpass("password: ") if sys.stdin.isatty() else sys.stdin.readline().rstrip("\n")
        db.writing(lambda s: create_admin(s, email, role, password, now()))
    typer.echo(f"{email} is an admin with the role {role}")


@key_app.command("create")
def key_create(
    name: Annotated[str, typer.Argument(help="what the key is for")],
    scope: Annotated[list[str], typer.Option(help="rounds:read, ratings:read or votes:read; may be repeated")],
) -> None:
    """Makes an API key and prints it once; only its hash is stored.

    Example: arena key create pipeline --scope rounds:read --scope ratings:read
    """
    from arena.accounts.actions import create_key
    from arena.clock import now

    with _database() as (db, _):
        typer.echo(db.writing(lambda s: create_key(s, name, scope, now())))


def main() -> None:
    """The `arena` command: a refusal is shown in its own words, without a trace."""
    from sqlalchemy.exc import OperationalError

    try:
        sys.exit(app(sys.argv[1:] or ["--help"], standalone_mode=False))
    except RefusedError as refusal:
        _refuse(str(refusal))
    except TyperException as misuse:
        _refuse(misuse.format_message())
    except OperationalError as error:
        _refuse(f"the database does not answer: {str(error.orig).splitlines()[0]}")


def _refuse(why: str) -> NoReturn:
    """One line for each thing that was refused."""
    for line in why.splitlines():
        typer.echo(f"arena: {line}", err=True)
    sys.exit(2)
