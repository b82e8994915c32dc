"""Rates votes by arena-rank, to the limit of its optimiser: run by path under `.venv-peers`, JSON in and out.

In: a list of {"model_a": [...], "model_b": [...], "winner": [...]}. Out: for each, without and with a term for
the side shown first, log-strengths and their variances in the order of the sorted names.
"""

import json
import sys
from math import e

import pandas as pd
from arena_rank.models.bradley_terry import BradleyTerry
from arena_rank.models.contextual_bradley_terry import ContextualBradleyTerry
from arena_rank.utils.data_utils import ContextualPairDataset, PairDataset

# Log-odds rather than Elo; run on until the gradient of the mean loss is rounding error alone.
FIT = {"scale": 1.0, "base": e, "init_rating": 0.0, "ftol": 0.0, "gtol": 1e-13, "hessian_reg": 1e-3}


def without_side(votes: pd.DataFrame) -> dict[str, object]:
    dataset = PairDataset.from_pandas(votes)
    rated = BradleyTerry(dataset.n_competitors, **FIT).compute_ratings_and_cis(dataset)
    return {"strengths": rated["ratings"].tolist(), "variances": rated["variances"].tolist()}


def with_side(votes: pd.DataFrame) -> dict[str, object]:
    """The side is a feature of each vote that is always 1; neither pulled to 0 nor reweighted by pair."""
    dataset = ContextualPairDataset.from_pandas(
        votes.assign(side=1.0), ["side"], reweighted=False, normalize_features=False
    )
    rated = ContextualBradleyTerry(dataset.n_competitors, 1, reg=0.0, **FIT).compute_ratings_and_cis(dataset)
    strengths, side = rated["ratings"].tolist(), rated["coeffs"].tolist()
    return {"strengths": [*strengths, *side], "variances": rated["variances"].tolist()}


tables = [pd.DataFrame(votes) for votes in json.load(sys.stdin)]
json.dump([{"without_side": without_side(table), "with_side": with_side(table)} for table in tables], sys.stdout)
