"""Reads the corpus of personal data: lines whose personal parts stand as {kind:text}."""

import re
from pathlib import Path
from typing import NamedTuple

from arena.screening.personal import KINDS, MARKS

HERE = Path(__file__).parent
_PART = re.compile(r"\{(" + "|".join(KINDS) + r"):([^}]*)\}")


class Line(NamedTuple):
    """What somebody types, what is to become of it, and how many things of each kind are in it."""

    typed: str
    masked: str
    counts: dict[str, int]


def read(name: str) -> list[Line]:
    lines = (HERE / name).read_text(encoding="utf-8").splitlines()
    return [_line(line) for line in lines if line and not line.startswith("#")]


def _line(line: str) -> Line:
    line = re.sub(r"\\u([0-9a-f]{4})", lambda found: chr(int(found[1], 16)), line)
    kinds = [found[1] for found in _PART.finditer(line)]
    marks = {str(kind): mark for kind, mark in MARKS.items()}
    return Line(
        typed=_PART.sub(lambda found: found[2], line),
        masked=_PART.sub(lambda found: marks[found[1]], line),
        counts={kind: kinds.count(kind) for kind in kinds},
    )
