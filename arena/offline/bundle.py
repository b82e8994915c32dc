"""The public bundle of a round: which files it has, and how they are read without trusting them."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, Final

import orjson

from arena.errors import RefusedError
from arena.offline.faults import brief
from arena.stats.cells import OUTCOMES

FORMAT: Final = "blind-arena-bundle/1"
ROUND, LEDGER, CHECKPOINTS, VOTES = "round.json", "ledger.jsonl", "checkpoints.jsonl", "votes.jsonl"
RATINGS, SCORES, PARQUET, README = "ratings.json", "scores.json", "votes.parquet", "README.md"
WINNERS: Final = dict(zip(OUTCOMES, ("model_a", "model_b", "tie", "tie (bothbad)"), strict=True))
"""What the field's public arena data call the choices."""

ABOUT: Final = {
    *("format", "software", "round", "title", "state", "origin", "key", "ledger", "votes", "erased"),
    *("rules", "rules_hash", "seed_commitment", "entries", "seed", "models", "outages"),
}
"""What round.json says."""
LINE_LIMIT: Final = 16_000_000


class Bundle:
    """A bundle's folder. What cannot be read is a RefusedError that names the file and what was expected there."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.about = self.json(ROUND)
        if self.about.get("format") != FORMAT:
            theirs = brief(self.about.get("format"))
            raise RefusedError(f"{folder / ROUND}: expected the format {FORMAT!r}, not {theirs}")
        if differing := self.about.keys() ^ ABOUT:
            raise RefusedError(f"{folder / ROUND}: {brief(min(differing))} is missing, or has no place here")

    def has(self, name: str) -> bool:
        return (self._folder / name).exists()

    def path(self, name: str) -> Path:
        """Where a file lies. A RefusedError unless it is a file: a pipe or a device has no end."""
        found = self._folder / name
        if not found.is_file():
            raise RefusedError(f"{found}: cannot be read: there is no such file")
        return found

    def size_of(self, name: str) -> int:
        return self.path(name).stat().st_size

    def json(self, name: str) -> dict[str, Any]:
        with self._open(name) as file:
            data = file.read(LINE_LIMIT + 1)
        if len(data) > LINE_LIMIT:
            raise RefusedError(f"{self._folder / name}: is larger than {LINE_LIMIT} bytes")
        try:
            found = json.loads(data.decode(), object_pairs_hook=_each_once, parse_constant=_no_number)
        except (ValueError, RecursionError):
            found = None
        if not isinstance(found, dict):
            raise RefusedError(f"{self._folder / name}: expected a JSON object")
        return found

    def lines(self, name: str) -> Iterator[bytes]:
        """The lines of a file, without their ends."""
        with self._open(name) as file:
            for number, line in enumerate(iter(lambda: file.readline(LINE_LIMIT), b""), start=1):
                if not line.endswith(b"\n"):
                    raise RefusedError(f"{self._folder / name}: line {number} is cut off or too long")
                yield line[:-1]

    @contextmanager
    def _open(self, name: str) -> Iterator[BinaryIO]:
        try:
            with self.path(name).open("rb") as file:
                yield file
        except OSError as error:
            raise RefusedError(f"{self._folder / name}: cannot be read: {error.strerror or error}") from None

    def rows(self, name: str) -> Iterator[dict[str, Any]]:
        """The lines of a file as JSON objects, each written in the one way that readers cannot take differently."""
        for number, line in enumerate(self.lines(name), start=1):
            row = object_of(line)
            if row is None or not is_plain(row, line):
                raise RefusedError(
                    f"{self._folder / name}: line {number}: expected a JSON object as `arena export` writes it"
                )
            yield row


def is_plain(row: dict[str, Any], line: bytes, option: int = 0) -> bool:
    """Whether a line is how its object is written again: no name comes twice, no space is between."""
    try:
        return orjson.dumps(row, option=option) == line
    except orjson.JSONEncodeError:  # nested too deeply
        return False


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a name comes twice")
    return found


def _no_number(name: str) -> None:
    raise ValueError(name)


def object_of(line: bytes) -> dict[str, Any] | None:
    """A JSON object, or None when the line is something else."""
    try:
        found = orjson.loads(line)
    except orjson.JSONDecodeError:
        return None
    return found if isinstance(found, dict) else None
