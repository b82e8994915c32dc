"""Vote files as columns: CSV, NDJSON and Parquet.

What is well formed pyarrow reads at once. Where it stumbles the text is read again row by row, only slower, so
that the rows that cannot be read are named and the others kept.
"""

import csv
import io
import json
from codecs import BOM_UTF8
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any, Final, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.json
import pyarrow.parquet

from arena.errors import RefusedError
from arena.offline.columns import Columns, Text, shown

MODELS: Final = ("model_a", "model_b")
REQUIRED: Final = (*MODELS, "winner")
VOTER: Final = "voter"

Row: TypeAlias = Sequence[bytes | None]
"""One value for each column that is wanted."""

_KEPT: Final = "surrogateescape"  # of bytes that are not UTF-8, until it is known whether they matter
_BYTES: Final = pa.large_binary()
_OPENING: Final = 64
_BLOCK: Final = 1 << 21
_NUMBERED: Final = pa.dictionary(pa.int32(), pa.binary())
_CSV_TYPES: Final = {**dict.fromkeys(REQUIRED, _NUMBERED), VOTER: pa.binary()}
"""Voters are so many that numbering those of each block, and then all blocks' numbers, costs more than it saves."""
_LONGEST_FIELD: Final = (1 << 31) - 1
_COLUMNS_SHOWN: Final = 20


def read_csv(data: bytes) -> Columns:
    """Reads comma-separated values in UTF-8. Raises RefusedError when the header lacks a column."""
    header = next(_records(data), [])
    wanted = _wanted(header)
    try:
        table = _csv_table(data, wanted)
    except pa.ArrowException:
        return _row_by_row(_csv_rows(data, header, wanted), wanted)
    return Columns(**{name: table[name] for name in wanted})


def read_ndjson(data: bytes) -> Columns:
    """Reads one JSON object a line. Raises RefusedError when no object has one of the columns."""
    if opens_with(data, b"["):
        raise RefusedError("it is one JSON array; expected one object a line, as `jq -c '.[]'` makes of an array")
    columns = _ndjson_at_once(data, pa.string()) or _ndjson_at_once(data, pa.int64())
    if columns is None:
        columns = _row_by_row(map(_ndjson_row, _lines(data)), (*REQUIRED, VOTER))
    if any(0 < len(column) == column.null_count for column in (columns.model_a, columns.model_b, columns.winner)):
        _wanted(_first_keys(data))
    voter = columns.voter
    return replace(columns, voter=None) if voter is not None and voter.null_count == len(voter) else columns


def read_parquet(data: bytes) -> Columns:
    """Reads Parquet. Raises RefusedError when it is none, lacks a column, or holds no text there."""
    try:
        file = pyarrow.parquet.ParquetFile(pa.BufferReader(data))
        wanted = _wanted(file.schema_arrow.names)
        table = file.read(columns=wanted)
    except (pa.ArrowException, OSError) as error:
        raise RefusedError(f"cannot be read as Parquet: {shown(str(error))}") from None
    return Columns(**{name: _text(table[name], name) for name in wanted})


def opens_with(data: bytes, character: bytes) -> bool:
    """Whether this is the first character that is neither white space nor a byte order mark."""
    return data[:_OPENING].removeprefix(BOM_UTF8).lstrip().startswith(character)


def _wanted(found: Sequence[str]) -> list[str]:
    """Which of the columns that were found are to be read."""
    if missing := [name for name in REQUIRED if name not in found]:
        names = ", ".join(shown(name) for name in found[:_COLUMNS_SHOWN]) or "none"
        more = f" and {len(found) - _COLUMNS_SHOWN} more" if len(found) > _COLUMNS_SHOWN else ""
        raise RefusedError(f"there is no column {' and no column '.join(missing)}; found: {names}{more}")
    wanted = [name for name in (*REQUIRED, VOTER) if name in found]
    for name in wanted:
        if found.count(name) > 1:
            raise RefusedError(f"there are {found.count(name)} columns called {name}")
    return wanted


def _csv_table(data: bytes, wanted: Sequence[str]) -> Any:
    """Reads by several threads, which cut the data at line ends, unless a quoted value holds one.

    Where it does, a row is cut and lost, and the lines are more than the rows.
    """
    is_quoted = data.find(b'"', data.find(b"\n")) >= 0
    if not is_quoted or b"\r" not in data:
        with suppress(pa.ArrowException):
            table = _csv_parsed(data, wanted, newlines_in_values=False)
            if not is_quoted or table.num_rows + 1 == _number_of_lines(data):
                return table
    return _csv_parsed(data, wanted, newlines_in_values=True)


def _csv_parsed(data: bytes, wanted: Sequence[str], *, newlines_in_values: bool) -> Any:
    return pyarrow.csv.read_csv(
        pa.BufferReader(data),
        pyarrow.csv.ReadOptions(block_size=_BLOCK),
        pyarrow.csv.ParseOptions(newlines_in_values=newlines_in_values),
        pyarrow.csv.ConvertOptions(include_columns=wanted, column_types={name: _CSV_TYPES[name] for name in wanted}),
    )


def _row_by_row(rows: Iterable[Row | str], wanted: Sequence[str]) -> Columns:
    """Columns of rows one after the other, a row that cannot be read being the reason why."""
    broken: dict[int, str] = {}
    columns: list[list[bytes | None]] = [[] for _ in wanted]
    for number, row in enumerate(rows, start=1):
        if isinstance(row, str):
            broken[number] = row
        else:
            for column, value in zip(columns, row, strict=True):
                column.append(value)
    arrays = (pa.array(column, _BYTES) for column in columns)
    return Columns(**dict(zip(wanted, arrays, strict=True)), broken=broken)


def _number_of_lines(data: bytes) -> int:
    ends = np.count_nonzero(np.frombuffer(data, np.uint8) == ord("\n"))
    return int(ends) + (not data.endswith(b"\n"))


def _records(data: bytes) -> Iterator[list[str]]:
    """The header and the rows of a CSV file, bytes that are not UTF-8 as surrogates; empty lines are no rows."""
    csv.field_size_limit(_LONGEST_FIELD)
    text = io.TextIOWrapper(io.BytesIO(data), "utf-8-sig", _KEPT, newline="")
    return filter(None, csv.reader(text))


def _csv_rows(data: bytes, header: Sequence[str], wanted: Sequence[str]) -> Iterator[Row | str]:
    rows = _records(data)
    next(rows)
    places = [header.index(name) for name in wanted]
    reason = f"not {len(header)} fields"
    for row in rows:
        yield [row[place].encode("utf-8", _KEPT) for place in places] if len(row) == len(header) else reason


def _ndjson_at_once(data: bytes, voter: Any) -> Columns | None:
    """None where a line is no object or the values are not text, `voter` being the voter's type."""
    names = (*REQUIRED, VOTER)
    schema = pa.schema(zip(names, (*[pa.string()] * len(REQUIRED), voter), strict=True))
    try:
        table = pyarrow.json.read_json(
            pa.BufferReader(data),
            pyarrow.json.ReadOptions(block_size=_BLOCK),
            pyarrow.json.ParseOptions(explicit_schema=schema, unexpected_field_behavior="ignore"),
        )
    except pa.ArrowException:
        return None
    return Columns(**{name: _text(table[name], name) for name in names})


def _lines(data: bytes) -> Iterator[bytes]:
    return (line for line in io.BytesIO(data) if line.strip())


def _ndjson_row(line: bytes) -> Row | str:
    try:
        value = _parsed(line)
        if not isinstance(value, dict):
            return "not a JSON object"
        if not all(isinstance(value.get(name), str | None) for name in MODELS):
            return "a model's name is not text"
        return [_json_bytes(value.get(name)) for name in (*REQUIRED, VOTER)]
    except (ValueError, RecursionError):
        return "not JSON"


def _first_keys(data: bytes) -> list[str]:
    objects = (_parsed(line) for line in _lines(data) if not isinstance(_ndjson_row(line), str))
    return list(next(objects, {}))


def _parsed(line: bytes) -> Any:
    return json.loads(line.decode("utf-8-sig", _KEPT))


def _json_bytes(value: object) -> bytes | None:
    if value is None:
        return None
    text = value if isinstance(value, str) else json.dumps(value)
    return text.encode("utf-8", "surrogatepass")  # an escape may stand for half a character


def _text(column: Text, name: str) -> Text:
    """The column as bytes; a voter may be a number as well."""
    if name == VOTER and pa.types.is_primitive(column.type):
        column = column.cast(pa.large_string())
    try:
        return column.cast(_BYTES)
    except pa.ArrowException:
        raise RefusedError(f"the column {name} holds {column.type}, not text") from None
