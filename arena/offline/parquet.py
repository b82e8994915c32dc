"""Votes as Parquet, in the columns of the field's public arena data (lmsys/chatbot_arena_conversations)."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import pyarrow as pa
from pyarrow import parquet

from arena.errors import RefusedError
from arena.offline.faults import brief

SCHEMA: Final = pa.schema(
    {
        "question_id": pa.string(),
        "model_a": pa.string(),
        "model_b": pa.string(),
        "winner": pa.string(),
        "judge": pa.string(),
        "voter": pa.string(),
        "turn": pa.int64(),
        "anony": pa.bool_(),
        "language": pa.string(),
        "tstamp": pa.float64(),
    }
)
LANGUAGES: Final = {"ko": "Korean", "en": "English"}
AT_ONCE: Final = 5000


class VotesParquet:
    """Writes rows of votes.jsonl, batch by batch; votes that are excluded stay out, so that `arena rate` can read it.

    `judge` and `voter` both hold the voter's pseudonym: the field's name for it, and that of `arena rate`.
    """

    def __init__(self, file: Path) -> None:
        self._writer = parquet.ParquetWriter(file, SCHEMA)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._writer.close()

    def write(self, rows: Sequence[dict[str, Any]]) -> None:
        self._writer.write_table(_table(_counted(rows)))


def differing_row(file: Path, rows: Iterable[dict[str, Any]]) -> int | None:
    """The number, from 1, of the first row that is not what rows of votes.jsonl make; None when all are.

    Raises RefusedError when it cannot be read as Parquet.
    """
    counted, before = _counted(rows), 0
    try:
        with parquet.ParquetFile(file) as found:
            if not found.schema_arrow.equals(SCHEMA):
                return 1
            for batch in found.iter_batches(AT_ONCE):
                theirs, ours = pa.Table.from_batches([batch]), _table(islice(counted, len(batch)))
                if not theirs.equals(ours):
                    return before + _first_difference(theirs.to_pylist(), ours.to_pylist())
                before += len(batch)
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise RefusedError(f"{file}: cannot be read as Parquet: {brief(str(error))}") from None
    return None if next(counted, None) is None else before + 1


def _first_difference(theirs: list[dict[str, Any]], ours: list[dict[str, Any]]) -> int:
    pairs = enumerate(zip(theirs, ours, strict=False), start=1)
    return next((number for number, (one, other) in pairs if one != other), len(ours) + 1)


def _table(rows: Iterable[dict[str, Any]]) -> Any:
    return pa.Table.from_pylist(list(map(_columns, rows)), schema=SCHEMA)


def _counted(rows: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    return (row for row in rows if row["excluded"] is None)


def _columns(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "question_id": row["battle"],
        "model_a": row["model_a"],
        "model_b": row["model_b"],
        "winner": row["winner"],
        "judge": row["voter"],
        "voter": row["voter"],
        "turn": row["turns"],
        "anony": True,
        "language": LANGUAGES.get(row["language"], row["language"]),
        "tstamp": datetime.fromisoformat(row["at"]).timestamp(),
    }
