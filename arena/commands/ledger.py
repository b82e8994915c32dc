"""`arena export` and `arena verify`: a round's public bundle, and whether it is what was signed."""

from pathlib import Path
from typing import Annotated

import typer

from arena.commands.common import Slug, database
from arena.errors import RefusedError


def export(
    slug: Slug,
    out: Annotated[Path, typer.Option("--out", help="a folder that is empty or not there yet")],
    unsealed: Annotated[
        bool, typer.Option(help="for auditors: pairs and figures also where the rules never reveal names")
    ] = False,
) -> None:
    """Writes a round's public bundle: rules, ledger, checkpoints, votes, ratings.

    Example: arena export stage-1 --out bundle
    """
    from arena.accounts.trail import COMMAND_LINE, on_record
    from arena.ratings.export import export_round
    from arena.rounds.queries import find_round

    with database() as (db, _), on_record(db, COMMAND_LINE, "ledger.export", slug, unsealed=unsealed):
        with db.reading() as session:
            found = find_round(session, slug)
        if found is None:
            raise RefusedError(f"there is no round {slug!r}")
        with db.reading() as session:
            about = export_round(session, found, out, unsealed=unsealed)
    size = about["ledger"]["size"]
    typer.echo(f"{out}: {size} entries, {about['votes']} votes, {about['erased']} conversations erased")
    if about["seed"] is None:
        typer.echo("pairs stay sealed: the round is open, or its rules never reveal names")


def verify(
    folder: Annotated[Path | None, typer.Argument(metavar="DIR", help="a bundle written by `arena export`")] = None,
    checkpoint: Annotated[Path | None, typer.Option(help="a checkpoint saved earlier")] = None,
    receipt: Annotated[Path | None, typer.Option(help="a voter's receipt file")] = None,
    key: Annotated[str | None, typer.Option(help="the log's public key, as noted when the round opened")] = None,
) -> None:
    """Checks a bundle, a receipt, or a receipt against a bundle; offline. Exit 1 names the first entry that fails.

    Example: arena verify bundle --checkpoint checkpoint.txt
    """
    from arena.offline.check import run_verify

    if not run_verify(folder, checkpoint, receipt, key):
        raise typer.Exit(1)
