"""How fast are ratings, beside other projects' on the same votes? `python -m benchmarks.ratings [--quick]`

Each rater runs alone, in a process of its own with one thread, once unmeasured and then several times: medians.
Bootstraps of 100 resamples are timed on fewer where they take long, and scaled up.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.csv

from benchmarks.simulated import Electorate, heavy_tailed
from benchmarks.table import Row, say, table

ROOT: Final = Path(__file__).resolve().parent.parent
PEERS_PYTHON: Final = ROOT / ".venv-peers" / "bin" / "python"
QUIET_AND_ONE_THREAD: Final = {
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "POLARS_MAX_THREADS": "1",
    "RAYON_NUM_THREADS": "1",
    "TQDM_DISABLE": "1",
    "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1",
}
RESAMPLES: Final = 100
VOTES_A_VOTER: Final = 8
SPREAD: Final = 0.4
SEED: Final = 20261122


@dataclass(frozen=True, slots=True)
class Size:
    """Of a file of votes; `resamples` is how many of 100 are timed of the slow bootstraps."""

    entries: int
    votes: int
    resamples: int = RESAMPLES
    voters: bool = True

    def __str__(self) -> str:
        return f"{self.entries} entries, {self.votes:,} votes" + ("" if self.voters else " without voters")


@dataclass(frozen=True, slots=True)
class Plan:
    from_strings: tuple[Size, ...] = (Size(5, 10_000), Size(15, 100_000, 5), Size(15, 1_000_000, 2))
    from_cells: tuple[Size, ...] = tuple(
        Size(entries, votes) for entries in (5, 10, 15) for votes in (1_000, 1_000_000)
    )
    files: tuple[Size, ...] = (Size(15, 1_000_000), Size(15, 1_000_000, voters=False))
    runs: int = 15
    peers_runs: int = 3
    cells_runs: int = 200


QUICK: Final = Plan(
    from_strings=(Size(5, 10_000, 2), Size(15, 100_000, 2)),
    from_cells=(Size(5, 1_000), Size(15, 100_000)),
    files=(Size(15, 100_000), Size(15, 100_000, voters=False)),
    runs=5,
    peers_runs=1,
    cells_runs=50,
)


@dataclass(frozen=True, slots=True)
class Bench:
    """Makes vote files in a directory and times raters on them."""

    plan: Plan
    directory: Path

    def rows(self) -> Iterator[Row]:
        for size in self.plan.from_strings:
            yield from self._beside_peers(size)
        for size in self.plan.from_cells:
            yield from self._from_cells(size)
        for size in self.plan.files:
            yield from self._from_a_file(size)

    def _beside_peers(self, size: Size) -> Iterator[Row]:
        ours = self._seconds("arena", size, self.plan.runs)
        clustered = self._seconds("arena_clustered", size, self.plan.runs)
        evalica = self._seconds("evalica_fit", size, self.plan.peers_runs)
        yield Row(f"{size}: ours", shown(ours))
        yield Row(f"{size}: ours, clustered by voter", times(clustered, ours))
        for peer, seconds in self._with_intervals(size, evalica).items():
            least = 40 if size.votes >= 1_000_000 else 1
            yield Row(f"{size}: {peer}", times(seconds, ours), f"at least {least} x", seconds >= least * ours)
        yield Row(f"{size}: evalica without intervals", times(evalica, ours))
        fit, choix = (self._seconds(rater, size, self.plan.cells_runs) for rater in ("arena_fit", "choix_fit"))
        yield Row(f"{size}: fit alone, ours from cells", shown(fit))
        yield Row(f"{size}: fit alone, choix from a matrix of wins", times(choix, fit))

    def _with_intervals(self, size: Size, evalica: float) -> dict[str, float]:
        """Of the other projects; `evalica` is what its fit without intervals takes, which its bootstrap does once."""
        runs, scale = self.plan.peers_runs, RESAMPLES / size.resamples
        fastchat = self._seconds("fastchat", size, runs, size.resamples, PEERS_PYTHON)
        resampled = self._seconds("evalica", size, runs, size.resamples)
        return {
            "arena-rank": self._seconds("arena_rank", size, runs, python=PEERS_PYTHON),
            "FastChat as released": scale * fastchat,
            "FastChat's later way": self._seconds("weighted_bootstrap", size, runs, python=PEERS_PYTHON),
            "evalica": evalica + scale * (resampled - evalica),
        }

    def _from_cells(self, size: Size) -> Iterator[Row]:
        for rater, what, bar_ms in (("cells", "floats", 1), ("cells_exactly", "official decimals", 10)):
            seconds = self._seconds(rater, size, self.plan.cells_runs)
            yield Row(f"{size}: from cells, {what}", shown(seconds), f"under {bar_ms} ms", seconds < bar_ms / 1000)

    def _from_a_file(self, size: Size) -> Iterator[Row]:
        readers = {
            "pyarrow": self._seconds("pyarrow_reads", size, self.plan.runs),
            "polars": self._seconds("polars_reads", size, self.plan.runs, python=PEERS_PYTHON),
        }
        for rater, what in (("arena_file", "ratings"), ("arena_file_exactly", "official ratings (--json)")):
            ours = self._seconds(rater, size, self.plan.runs)
            for reader, seconds in readers.items():
                measured = f"{shown(ours)} / {shown(seconds)} = {ours / seconds:.1f} x"
                bar = ("at most 3 x", ours <= 3 * seconds) if rater == "arena_file" else ()
                yield Row(f"{size}: CSV file to {what} / bare reading by {reader}", measured, *bar)

    def _seconds(
        self, rater: str, size: Size, runs: int, resamples: int = RESAMPLES, python: Path = Path(sys.executable)
    ) -> float:
        command = (str(python), "-m", "benchmarks.raters", rater, str(self._file(size)), str(runs), str(resamples))
        done = subprocess.run(
            command, cwd=ROOT, env=os.environ | QUIET_AND_ONE_THREAD, stdout=subprocess.PIPE, check=True
        )
        seconds = float(median(json.loads(done.stdout)))
        say(f"{size}: {rater} {shown(seconds)}")
        return seconds

    def _file(self, size: Size) -> Path:
        """Made when first asked for; names, winners and voters as text, in no order."""
        file = self.directory / f"{size}.csv"
        if not file.exists():
            pyarrow.csv.write_csv(text_columns(size), file)
        return file


def text_columns(size: Size) -> pa.Table:
    random, number = np.random.default_rng(SEED), size.votes // VOTES_A_VOTER
    electorate = Electorate(random.normal(0, SPREAD, size.entries))
    votes = electorate.vote(heavy_tailed(size.votes, number, random), random)
    model = np.array([f"model-{place:02}" for place in range(size.entries)])
    voter = np.array([f"voter-{place:06}" for place in range(number)])
    winner = np.array(["model_a", "model_b", "tie", "both_bad"])
    columns = {"model_a": model[votes.first], "model_b": model[votes.second], "winner": winner[votes.outcome]}
    if size.voters:
        columns["voter"] = voter[votes.voter]
    order = random.permutation(size.votes)
    return pa.table({name: column[order] for name, column in columns.items()})


def shown(seconds: float) -> str:
    return f"{seconds:.2f} s" if seconds >= 1 else f"{seconds * 1000:.2f} ms"


def times(seconds: float, ours: float) -> str:
    return f"{shown(seconds)} = {seconds / ours:.1f} x"


def main() -> int:
    parser = argparse.ArgumentParser(description="Times ratings beside other projects' on the same votes.")
    parser.add_argument("--quick", action="store_true", help="fewer votes and runs, under a minute")
    quick = parser.parse_args().quick
    with tempfile.TemporaryDirectory(prefix="arena-bench-") as directory:
        rows = list(Bench(QUICK if quick else Plan(), Path(directory)).rows())
    print(table(rows, quick=quick))
    return 0


if __name__ == "__main__":
    sys.exit(main())
