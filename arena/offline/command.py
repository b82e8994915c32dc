"""`arena rate`: a vote file in, ratings out, as a report or as the JSON that the API gives."""

import json
from collections import Counter
from collections.abc import Mapping
from itertools import islice
from pathlib import Path
from typing import Final

import typer
from rich.console import Console

from arena.errors import RefusedError
from arena.offline.report import report
from arena.offline.vote_file import read_votes
from arena.stats.figures import ratings_body
from arena.stats.rating import rate, rate_exactly

ROWS_SHOWN: Final = 10


def run_rate(file: Path, votes_per_voter: int | None, *, as_json: bool, strict: bool, side: bool) -> None:
    """Prints the ratings; rows that are no votes go to standard error.

    Raises RefusedError when the file cannot be rated, and when `strict` and a row is no vote.
    """
    counted = read_votes(file, votes_per_voter)
    _tell(counted.unusable)
    if strict and counted.unusable:
        raise RefusedError(f"{file}: {len(counted.unusable):,} rows are no votes, and --strict allows none")
    if not counted.cells.entries:
        raise RefusedError(f"{file}: there are no votes in it")
    if as_json:
        body = ratings_body(rate_exactly(counted.cells, side=side))
        typer.echo(json.dumps(body, ensure_ascii=False, indent=2))
    else:
        Console(markup=False, highlight=False, emoji=False).print(report(rate(counted.cells, side=side)))


def _tell(unusable: Mapping[int, str]) -> None:
    for row, reason in islice(unusable.items(), ROWS_SHOWN):
        typer.echo(f"row {row}: {reason}", err=True)
    for reason, rows in Counter(unusable.values()).most_common():
        typer.echo(f"rows left out: {rows:,} ({reason})", err=True)
