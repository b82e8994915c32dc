"""`arena round`: create, revise, open, close, show, recount."""

from pathlib import Path
from typing import Annotated

import typer

from arena.commands.common import Slug, database, group, text_of
from arena.errors import RefusedError

app = group("Rounds: create, revise, open, close, show.")


@app.command("create")
def round_create(file: Annotated[Path, typer.Argument(help="a round file, see docs/round.example.toml")]) -> None:
    """Makes a draft round of a round file and prints its rules hash.

    Example: arena round create stage-1.toml
    """
    from arena.accounts.trail import COMMAND_LINE, on_record
    from arena.clock import now
    from arena.rounds.actions import create_round
    from arena.rounds.rules import parse_round_file

    parsed = parse_round_file(text_of(file))
    with database() as (db, settings), on_record(db, COMMAND_LINE, "round.create", parsed.slug):
        made = db.writing(lambda s: create_round(s, parsed, allow=settings.endpoint_allow, now=now()))
    typer.echo(f"round {made.slug} is a draft; rules hash {made.rules_hash}")


@app.command("revise")
def round_revise(file: Annotated[Path, typer.Argument(help="the round's file as it is now")]) -> None:
    """Replaces a draft round's title, times, rules and entries by a round file's, and prints its new rules hash.

    Example: arena round revise stage-1.toml
    """
    from arena.accounts.trail import COMMAND_LINE, on_record
    from arena.rounds.actions import revise_round
    from arena.rounds.rules import parse_round_file

    parsed = parse_round_file(text_of(file))
    with database() as (db, settings), on_record(db, COMMAND_LINE, "round.revise", parsed.slug):
        revised = db.writing(lambda s: revise_round(s, parsed, allow=settings.endpoint_allow))
    typer.echo(f"round {revised.slug} is a draft; rules hash {revised.rules_hash}")


@app.command("open")
def round_open(slug: Slug) -> None:
    """Freezes the rules of a draft round and opens it.

    Example: arena round open stage-1
    """
    from arena.accounts.trail import COMMAND_LINE, on_record
    from arena.clock import now
    from arena.rounds.actions import start_round

    with database() as (db, settings), on_record(db, COMMAND_LINE, "round.open", slug):
        opened = db.writing(lambda s: start_round(s, slug, settings.signing_key, now()))
    typer.echo(f"round {slug} is open; rules hash {opened.rules_hash}, seed commitment {opened.seed_commitment}")


@app.command("close")
def round_close(slug: Slug) -> None:
    """Closes an open round and computes its final ratings.

    Example: arena round close stage-1
    """
    from arena.accounts.trail import COMMAND_LINE, on_record
    from arena.clock import now
    from arena.ratings.actions import close_round

    with database() as (db, settings), on_record(db, COMMAND_LINE, "round.close", slug):
        db.writing(lambda s: close_round(s, slug, settings.signing_key, now()))
    typer.echo(f"round {slug} is closed; its ratings are final")


@app.command("show")
def round_show(slug: Slug) -> None:
    """Prints a round's state, entries, counts and rules.

    Example: arena round show stage-1
    """
    from arena.battles.queries import votes_cast
    from arena.rounds.queries import find_round
    from arena.teams.queries import entries_of

    with database() as (db, _), db.reading() as session:
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


@app.command("recount")
def round_recount(
    slug: Slug,
    fix: Annotated[
        bool, typer.Option("--mend", help="replace cells that differ by what the votes add up to")
    ] = False,
) -> None:
    """Compares a round's kept cells with its votes, and notes for operators what it found; exit 1 when they differ.

    Example: arena round recount stage-1 --mend
    """
    from arena.accounts.trail import COMMAND_LINE, on_record
    from arena.battles.cells import recount
    from arena.battles.counting import mend
    from arena.clock import now
    from arena.ratings.actions import store_recount
    from arena.rounds.queries import find_round

    with database() as (db, _), on_record(db, COMMAND_LINE, "round.recount", slug, mend=fix) as detail:
        with db.reading() as session:
            found = find_round(session, slug)
        if found is None:
            raise RefusedError(f"there is no round {slug!r}")
        with db.reading() as session:
            differences = recount(session, found)
        detail["differences"] = len(differences)
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
