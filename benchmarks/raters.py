"""Rates one vote file again and again: `python -m benchmarks.raters RATER VOTES.csv RUNS RESAMPLES`, seconds as JSON.

Run by `benchmarks.ratings`, each rater in a process of its own and under the Python that has its packages. What a
rater does before its clock starts is kind to it: reading the file, imports, whatever its caller would have at hand.
"""

import json
import sys
import time
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from arena.stats.cells import Cells

Run: TypeAlias = Callable[[], object]


def arena(votes: Path, _: int) -> Run:
    """Columns of strings to ratings with intervals and rank ranges, every vote by a voter of its own."""
    from arena.offline.columns import cells_of_columns
    from arena.stats.rating import rate

    first, second, winner, _voter = _strings(votes)
    return lambda: rate(cells_of_columns(first, second, winner))


def arena_clustered(votes: Path, _: int) -> Run:
    from arena.offline.columns import cells_of_columns
    from arena.stats.rating import rate

    columns = _strings(votes)
    return lambda: rate(cells_of_columns(*columns))


def cells(votes: Path, _: int) -> Run:
    """From cells with the voters' products, as a round keeps them."""
    from arena.stats.rating import rate

    kept = _kept(votes)
    return lambda: rate(kept)


def cells_exactly(votes: Path, _: int) -> Run:
    from arena.stats.rating import rate_exactly

    kept = _kept(votes)
    return lambda: rate_exactly(kept)


def arena_file(votes: Path, _: int) -> Run:
    """All that `arena rate` does between its start and the table it prints."""
    from arena.offline.vote_file import read_votes
    from arena.stats.rating import rate

    return lambda: rate(read_votes(votes).cells)


def arena_file_exactly(votes: Path, _: int) -> Run:
    """The same for `--json`."""
    from arena.offline.vote_file import read_votes
    from arena.stats.rating import rate_exactly

    return lambda: rate_exactly(read_votes(votes).cells)


def pyarrow_reads(votes: Path, _: int) -> Run:
    import pyarrow.csv

    return lambda: pyarrow.csv.read_csv(votes)


def polars_reads(votes: Path, _: int) -> Run:
    import polars

    return lambda: polars.read_csv(votes)


def arena_fit(votes: Path, _: int) -> Run:
    """From ready cells, without intervals."""
    from arena.offline.columns import cells_of_columns
    from arena.stats.bradley_terry import fit

    cells = cells_of_columns(*_strings(votes))
    return lambda: fit(cells.counts, side=False)


def arena_rank(votes: Path, _: int) -> Run:
    """Strengths with sandwich intervals; it compiles its optimiser anew for each fit."""
    from arena_rank.models.bradley_terry import BradleyTerry
    from arena_rank.utils.data_utils import PairDataset

    frame = _frame(votes)

    def run() -> object:
        dataset = PairDataset.from_pandas(frame)
        rated = BradleyTerry(dataset.n_competitors).compute_ratings_and_cis(dataset)
        return np.asarray(rated["rating_lower"]), np.asarray(rated["rating_upper"])

    return run


def fastchat(votes: Path, resamples: int) -> Run:
    """The released FastChat's logistic regression by scikit-learn on resampled votes."""
    frame = _frame(votes).replace({"winner": {"both_bad": "tie (bothbad)"}})
    analysis = _fastchat_analysis()
    return lambda: analysis.get_bootstrap_result(frame, analysis.compute_elo_mle_with_tie, resamples)


def weighted_bootstrap(votes: Path, resamples: int) -> Run:
    """What FastChat does since its last release, in our words: distinct votes, their numbers resampled, L-BFGS."""
    import pandas as pd
    from scipy.optimize import minimize
    from scipy.special import expit

    frame = _frame(votes)

    def loss(strengths: Any, pairs: Any, credit: Any, weights: Any) -> tuple[float, Any]:
        p = expit(np.log(10) * (strengths[pairs[:, 0]] - strengths[pairs[:, 1]]))
        slope = np.log(10) * weights * (p - credit)
        gradient = np.zeros_like(strengths)
        np.add.at(gradient, pairs, slope[:, None] * np.array([1.0, -1.0]))
        return -float(weights @ (credit * np.log(p) + (1 - credit) * np.log(1 - p))), gradient

    def run() -> object:
        codes, names = pd.factorize(pd.concat([frame["model_a"], frame["model_b"]]))
        rows = np.ones((len(frame), 3), dtype=np.int32)
        rows[:, :2] = codes.reshape(2, -1).T
        rows[frame["winner"] == "model_a", 2] = 2
        rows[frame["winner"] == "model_b", 2] = 0
        distinct, numbers = np.unique(rows, return_counts=True, axis=0)
        pairs, credit, start = distinct[:, :2], distinct[:, 2] / 2, np.zeros(len(names))
        resampled = np.random.default_rng(0).multinomial(len(frame), numbers / len(frame), resamples) / len(frame)
        strengths = [
            minimize(loss, start, (pairs, credit, weights), "L-BFGS-B", jac=True, options={"gtol": 1e-6}).x
            for weights in resampled
        ]
        return np.quantile(strengths, (0.025, 0.975), axis=0)

    return run


def evalica(votes: Path, resamples: int) -> Run:
    package, columns = import_module("evalica"), _evalica(votes)
    return lambda: package.bootstrap(
        package.bradley_terry, *columns, n_resamples=resamples, bootstrap_method="percentile", random_state=0
    )


def evalica_fit(votes: Path, _: int) -> Run:
    package, columns = import_module("evalica"), _evalica(votes)
    return lambda: package.bradley_terry(*columns)


def choix_fit(votes: Path, _: int) -> Run:
    """From a ready matrix of wins."""
    from choix import ilsr_pairwise_dense

    from arena.offline.columns import cells_of_columns
    from arena.stats.cells import ties, wins

    counts = cells_of_columns(*_strings(votes)).counts
    won = wins(counts) + ties(counts) / 2
    return lambda: ilsr_pairwise_dense(won)


RATERS: Final[dict[str, Callable[[Path, int], Run]]] = {
    rater.__name__: rater
    for rater in (
        arena,
        arena_clustered,
        cells,
        cells_exactly,
        arena_file,
        arena_file_exactly,
        pyarrow_reads,
        polars_reads,
        arena_fit,
        arena_rank,
        fastchat,
        weighted_bootstrap,
        evalica,
        evalica_fit,
        choix_fit,
    )
}


def _strings(votes: Path) -> list[Any]:
    import pyarrow.csv

    table = pyarrow.csv.read_csv(votes)
    return [table.column(name).combine_chunks() for name in ("model_a", "model_b", "winner", "voter")]


def _kept(votes: Path) -> "Cells":
    from arena.offline.columns import cells_of_columns
    from arena.stats.cells import Cells
    from arena.stats.clusters import Grouped

    read = cells_of_columns(*_strings(votes))
    assert isinstance(read.clusters, Grouped)
    return Cells(read.entries, read.counts, read.clusters.gram(len(read.entries)))


def _frame(votes: Path) -> Any:
    import pandas as pd

    return pd.read_csv(votes)


def _evalica(votes: Path) -> tuple[list[str], list[str], list[object]]:
    from evalica import Winner

    winners = {"model_a": Winner.X, "model_b": Winner.Y, "tie": Winner.Draw, "both_bad": Winner.Draw}
    first, second, winner, _voter = (column.to_pylist() for column in _strings(votes))
    return first, second, [winners[each] for each in winner]


class _Absent(ModuleType):
    """Stands in for a module of which nothing is used."""

    def __getattr__(self, name: str) -> None:
        return None


def _fastchat_analysis() -> Any:
    """FastChat's module of ratings, without the web pages and language models that it imports beside them."""
    absent = (
        "fastchat.model.model_registry",
        "fastchat.serve.monitor.basic_stats",
        "fastchat.serve.monitor.clean_battle_data",
        "plotly",
        "plotly.express",
        "pytz",
    )
    sys.modules.update({name: _Absent(name) for name in absent})
    analysis = import_module("fastchat.serve.monitor.elo_analysis")
    for name in absent:
        del sys.modules[name]
    return analysis


def main() -> None:
    name, votes, runs, resamples = sys.argv[1:]
    run = RATERS[name](Path(votes), int(resamples))
    run()
    seconds = []
    for _ in range(int(runs)):
        start = time.perf_counter()
        run()
        seconds.append(time.perf_counter() - start)
    json.dump(seconds, sys.stdout)


if __name__ == "__main__":
    main()
