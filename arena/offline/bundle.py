"""The public bundle of a round: which files it has, and how they are read without trusting them."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import orjson

from arena.errors import RefusedError
from arena.stats.cells import OUTCOMES

FORMAT: Final = "blind-arena-bundle/1"
ROUND, LEDGER, CHECKPOINTS, VOTES = "round.json", "ledger.jsonl", "checkpoints.jsonl", "votes.jsonl"
RATINGS, SCORES, PARQUET, TEXTS, README = "ratings.json", "scores.json", "votes.parquet", "texts.jsonl", "README.md"
WINNERS: Final = dict(zip(OUTCOMES, ("model_a", "model_b", "tie", "tie (bothbad)"), strict=True))
"""What the field's public arena data call the choices."""

LINE_LIMIT: Final = 16_000_000


class Bundle:
    """A bundle's folder. What cannot be read is a RefusedError that names the file and what was expected there."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.about = self.json(ROUND)
        if self.about.get("format") != FORMAT:
            raise RefusedError(f"{folder / ROUND}: expected the format {FORMAT!r}, not {self.about.get('format')!r}")

    def has(self, name: str) -> bool:
        return (self._folder / name).is_file()

    def size_of(self, name: str) -> int:
        return (self._folder / name).stat().st_size

    def json(self, name: str) -> dict[str, Any]:
        try:
            found = object_of((self._folder / name).read_bytes())
        except OSError as error:
            raise RefusedError(f"{self._folder / name}: cannot be read: {error.strerror or error}") from None
        if found is None:
            raise RefusedError(f"{self._folder / name}: expected a JSON object")
        return found

    def lines(self, name: str) -> Iterator[bytes]:
        """The lines of a file, without their ends."""
        try:
            with (self._folder / name).open("rb") as file:
                for number, line in enumerate(iter(lambda: file.readline(LINE_LIMIT), b""), start=1):
                    if not line.endswith(b"\n"):
                        raise RefusedError(f"{self._folder / name}: line {number} is cut off or too long")
                    yield line[:-1]
        except OSError as error:
            raise RefusedError(f"{self._folder / name}: cannot be read: {error.strerror or error}") from None

    def rows(self, name: str) -> Iterator[dict[str, Any]]:
        """The lines of a file as JSON objects."""
        for number, line in enumerate(self.lines(name), start=1):
            row = object_of(line)
            if row is None:
                raise RefusedError(f"{self._folder / name}: line {number}: expected a JSON object")
            yield row


def object_of(line: bytes) -> dict[str, Any] | None:
    """A JSON object, or None when the line is something else."""
    try:
        found = orjson.loads(line)
    except orjson.JSONDecodeError:
        return None
    return found if isinstance(found, dict) else None
