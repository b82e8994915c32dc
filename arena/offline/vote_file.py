"""Any vote file: found, unpacked, read by its format and counted."""

import gzip
import sys
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final, TypeAlias

from arena.errors import RefusedError
from arena.offline.columns import Columns, Counted, count_votes
from arena.offline.formats import opens_with, read_csv, read_ndjson, read_parquet

Reader: TypeAlias = Callable[[bytes], Columns]

STANDARD_INPUT: Final = Path("-")
READERS: Final[Mapping[str, Reader]] = {
    ".csv": read_csv,
    ".json": read_ndjson,
    ".jsonl": read_ndjson,
    ".ndjson": read_ndjson,
    ".parquet": read_parquet,
}

_GZIP: Final = b"\x1f\x8b"
_PARQUET: Final = b"PAR1"


def read_votes(file: Path, votes_per_voter: int | None = None) -> Counted:
    """Reads and counts a vote file, `-` being standard input (see `count_votes` for what is counted).

    The format is that of the name's ending, or else of the content. Raises RefusedError, which names the
    file, when it cannot be read or holds what cannot be rated.
    """
    try:
        data = _content(file)
        return count_votes(_reader(file, data)(data), votes_per_voter)
    except RefusedError as refusal:
        raise RefusedError(f"{file}: {refusal}") from None


def _content(file: Path) -> bytes:
    try:
        data = sys.stdin.buffer.read() if file == STANDARD_INPUT else file.read_bytes()
        if data.startswith(_GZIP):
            data = gzip.decompress(data)
    except OSError as error:
        raise RefusedError(f"cannot be read: {error.strerror or error}") from None
    except (EOFError, zlib.error) as error:
        raise RefusedError(f"cannot be unpacked: {error}") from None
    if not data:
        raise RefusedError("is empty")
    return data


def _reader(file: Path, data: bytes) -> Reader:
    if file.suffix in READERS:
        return READERS[file.suffix]
    if data.startswith(_PARQUET):
        return read_parquet
    return read_ndjson if opens_with(data, b"{") or opens_with(data, b"[") else read_csv
