"""QR codes as one SVG path."""

import re
from dataclasses import dataclass

import segno

QUIET = 4
"""Modules around a QR code that stay light (ISO/IEC 18004)."""


@dataclass(frozen=True, slots=True)
class QrCode:
    """`size` is the side of the square in modules, with its quiet zone; `path` draws the dark ones."""

    size: int
    path: str


def qr_code(text: str) -> QrCode:
    code = segno.make(text, error="m", micro=False)
    runs = (
        (run.start() + QUIET, y, run.end() - run.start())
        for y, row in enumerate(code.matrix, start=QUIET)
        for run in re.finditer(rb"\x01+", bytes(row))
    )
    return QrCode(len(code.matrix) + 2 * QUIET, "".join(f"M{x} {y}h{n}v1h-{n}z" for x, y, n in runs))
