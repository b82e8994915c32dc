"""Votes as Parquet, in the columns of the field's public arena data (lmsys/chatbot_arena_conversations)."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

COLUMNS: Final = {
    "question_id": "string",
    "model_a": "string",
    "model_b": "string",
    "winner": "string",
    "judge": "string",
    "voter": "string",
    "turn": "int64",
    "anony": "bool_",
    "language": "string",
    "tstamp": "float64",
}
LANGUAGES: Final = {"ko": "Korean", "en": "English"}


class VotesParquet:
    """Writes rows of votes.jsonl, batch by batch; votes that are excluded stay out, so that `arena rate` can read it.

    `judge` and `voter` both hold the voter's pseudonym: the field's name for it, and that of `arena rate`.
    """

    def __init__(self, file: Path) -> None:
        import pyarrow as pa
        from pyarrow import parquet

        self._arrow = pa
        self._schema = pa.schema([(name, getattr(pa, type_)()) for name, type_ in COLUMNS.items()])
        self._writer = parquet.ParquetWriter(file, self._schema)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._writer.close()

    def write(self, rows: Sequence[dict[str, Any]]) -> None:
        counted = [_columns(row) for row in rows if row["excluded"] is None]
        self._writer.write_table(self._arrow.Table.from_pylist(counted, schema=self._schema))


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
