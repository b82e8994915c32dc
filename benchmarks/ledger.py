"""What the ledger costs a vote: the same votes with it and without, in turns: `python -m benchmarks.ledger`."""

import asyncio
import statistics
import tempfile
from contextlib import ExitStack
from pathlib import Path

from benchmarks.control import Control
from benchmarks.processes import Server, arena, endpoint
from benchmarks.votes import Votes, as_fast_as_possible, paced, voters

TURNS = 3
VOTES = 300
A_SECOND = 200.0


async def _measure(servers: dict[str, Server], control: Control) -> None:
    fast: dict[str, list[Votes]] = {name: [] for name in servers}
    steady: dict[str, list[Votes]] = {name: [] for name in servers}
    for turn in range(TURNS):
        order = list(servers) if turn % 2 else list(reversed(servers))
        for name in order:
            fast[name].append(await as_fast_as_possible(servers[name], await voters(servers[name], control, VOTES)))
            steady[name].append(await paced(servers[name], await voters(servers[name], control, VOTES), A_SECOND))
    for what, found in (("32 at a time", fast), (f"{A_SECOND:.0f} a second", steady)):
        pairs = zip(*(_milliseconds(found[name]) for name in ("with", "without")), strict=True)
        for figure, (with_, without) in zip(("p50", "p99"), pairs, strict=True):
            ratio = with_ / without
            print(f"votes, {what}: {figure} {with_:.2f} ms with the ledger, {without:.2f} without: {ratio:.2f} x")


def _milliseconds(runs: list[Votes]) -> tuple[float, float]:
    """The medians of the runs' p50 and p99."""
    p50 = statistics.median(statistics.median(run.took) for run in runs)
    p99 = statistics.median(statistics.quantiles(run.took, n=100)[98] for run in runs)
    return p50 * 1000, p99 * 1000


async def _run() -> None:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="arena-bench-")))
        upstream = stack.enter_context(endpoint(folder))
        servers = {
            "with": stack.enter_context(arena(folder / "with", upstream.origin)),
            "without": stack.enter_context(arena(folder / "without", upstream.origin, "benchmarks.without_ledger")),
        }
        await _measure(servers, await Control.open(upstream.origin))


if __name__ == "__main__":
    asyncio.run(_run())
