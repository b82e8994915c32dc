"""The command line: thin, every command with an example, every error one clear line and exit 2."""

import sys
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from typer.exceptions import TyperException

from arena.commands import care, ledger, people, rounds
from arena.commands.common import database, group
from arena.errors import RefusedError

app = group("Blind Arena: citizens judge AI models without knowing whose they are.")
app.add_typer(rounds.app, name="round")
app.add_typer(people.admins, name="admin")
app.add_typer(people.keys, name="key")
app.command()(ledger.export)
app.command()(ledger.verify)
app.command()(care.erase)
app.command()(care.backup)

Host = Annotated[str, typer.Option(help="address to listen on")]
Port = Annotated[int, typer.Option(min=0, max=65535, help="port to listen on; 0 takes a free one")]


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

    with database() as (_, settings):
        if settings.secret_key is None:
            raise RefusedError("ARENA_SECRET_KEY is not set; expected at least 32 random characters")
        _ = settings.signing_key
    serve_app(settings, host, port, workers)


@app.command()
def worker() -> None:
    """Does the background work in a process of its own.

    Example: arena worker
    """
    from arena.serving import run_worker

    with database() as (db, settings):
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
