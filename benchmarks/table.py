"""What every benchmark prints: progress, and one Markdown table of what was measured beside what it should be."""

import os
import platform
import time
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Row:
    """`met` is None where there is no bar."""

    what: str
    measured: str
    bar: str = ""
    met: bool | None = None


def say(text: str) -> None:
    print(f"{time.strftime('%H:%M:%S')}  {text}", flush=True)


def table(rows: list[Row], *, quick: bool) -> str:
    marks = {True: "yes", False: "no", None: ""}
    lines = ["| what | measured | bar | met |", "|---|---|---|---|"]
    lines += [f"| {row.what} | {row.measured} | {row.bar} | {marks[row.met]} |" for row in rows]
    machine = f"{os.cpu_count()} cores, Python {platform.python_version()}, {platform.system()} {platform.release()}"
    note = "; a quick run with smaller counts, no basis for the bars" if quick else ""
    return "\n".join([f"{time.strftime('%Y-%m-%d')}, {machine}{note}", "", *lines])
