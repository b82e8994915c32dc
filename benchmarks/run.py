"""Measures everything and prints one table: `python -m benchmarks.run [--quick] [--only ROWS]`.

Loopback only, bounded in time, in a temporary directory; leaves no process behind.
"""

import argparse
import asyncio
import gc
import resource
import signal
import sys
import tempfile
from pathlib import Path

from benchmarks import processes
from benchmarks.client import BenchmarkError
from benchmarks.control import Control
from benchmarks.rows import GROUPS, QUICK, Plan, Rig
from benchmarks.table import Row, say, table

_LIMIT_S = 2400
_OPEN_FILES = 16384


async def measure(plan: Plan, names: list[str]) -> list[Row]:
    """The rows of the named groups; a group that cannot be measured gives one row that says why."""
    rows: list[Row] = []
    with tempfile.TemporaryDirectory(prefix="arena-bench-") as name:
        directory = Path(name)
        with processes.endpoint(directory) as endpoint:
            rig = Rig(plan, directory, endpoint, await Control.open(endpoint.origin))
            for group in names:
                say(f"{group} ...")
                try:
                    rows += await GROUPS[group](rig)
                except (BenchmarkError, OSError) as error:
                    say(f"{group}: {error}")
                    rows.append(Row(group, f"not measured: {error}", met=False))
    return rows


async def bounded(plan: Plan, names: list[str]) -> list[Row]:
    """Ends by itself after _LIMIT_S, and cleanly on SIGTERM."""
    task = asyncio.current_task()
    assert task is not None
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    async with asyncio.timeout(_LIMIT_S):
        return await measure(plan, names)


def main() -> int:
    parser = argparse.ArgumentParser(description="Measures the arena over loopback and prints one table.")
    parser.add_argument("--quick", action="store_true", help="smaller counts, some four minutes")
    parser.add_argument("--only", default=",".join(GROUPS), help=f"some of {','.join(GROUPS)}")
    chosen = parser.parse_args()
    names = chosen.only.split(",")
    if unknown := [name for name in names if name not in GROUPS]:
        parser.error(f"unknown rows: {', '.join(unknown)}")
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(_OPEN_FILES, hard), hard))
    gc.freeze()
    try:
        rows = asyncio.run(bounded(QUICK if chosen.quick else Plan(), names))
    except (KeyboardInterrupt, asyncio.CancelledError, TimeoutError) as error:
        say("took too long" if isinstance(error, TimeoutError) else "interrupted")
        return 130
    print(table(rows, quick=chosen.quick))
    return 1 if any(row.measured.startswith("not measured") for row in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
