"""Small graphs against SciPy's components and against every cycle there is."""

from itertools import combinations, permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.sparse.csgraph import connected_components

from arena.stats.cells import Floats
from arena.stats.connectivity import has_negative_cycle, largest_group, strongly_connected_groups

Edges = NDArray[np.bool_]


@st.composite
def graphs(draw: st.DrawFn) -> Edges:
    size = draw(st.integers(1, 7))
    density = draw(st.sampled_from([0.1, 0.3, 0.6]))
    seed = draw(st.integers(0, 2**32 - 1))
    edges: Edges = np.random.default_rng(seed).random((size, size)) < density
    return edges


@st.composite
def constraints(draw: st.DrawFn) -> Floats:
    """Weights -1, 1 and infinity (no edge) between up to 5 nodes, as ratings use them, and other small integers."""
    size = draw(st.integers(2, 5))
    weight = st.sampled_from([-1.0, 1.0, np.inf, np.inf]) | st.integers(-3, 9).map(float)
    weights = np.array(draw(st.lists(weight, min_size=size**2, max_size=size**2))).reshape(size, size)
    weights[np.arange(size), np.arange(size)] = np.inf
    return weights


@given(graphs())
def test_groups_are_the_strongly_connected_components(edges: Edges) -> None:
    _, labels = connected_components(edges, connection="strong")
    groups = strongly_connected_groups(edges)

    assert {frozenset(group) for group in groups} == {
        frozenset(np.flatnonzero(labels == label).tolist()) for label in labels
    }


@given(graphs())
def test_groups_and_their_nodes_are_in_order(edges: Edges) -> None:
    groups = strongly_connected_groups(edges)

    assert list(groups) == sorted(groups)
    assert all(list(group) == sorted(group) for group in groups)


def test_edges_are_not_changed_in_place() -> None:
    ring = np.roll(np.eye(4, dtype=bool), 1, axis=1)
    before = ring.copy()

    assert strongly_connected_groups(ring) == ((0, 1, 2, 3),)
    assert (ring == before).all()


@pytest.mark.parametrize(
    ("groups", "largest"),
    [
        ([(0, 2), (1, 3, 4)], (1, 3, 4)),
        ([(0, 2), (1, 3)], (0, 2)),
        ([(0,), (1,)], ()),
    ],
)
def test_the_largest_group_is_the_first_of_several_and_never_a_single_node(
    groups: list[tuple[int, ...]], largest: tuple[int, ...]
) -> None:
    assert largest_group(groups) == largest


def lightest_cycle(weights: Floats) -> float:
    """The least sum of weights round any cycle that meets no node twice."""
    nodes = range(len(weights))
    cycles = (
        order
        for size in range(2, len(nodes) + 1)
        for some in combinations(nodes, size)
        for order in permutations(some)
    )
    return float(min(weights[order, np.roll(order, -1)].sum() for order in cycles))


@given(constraints())
def test_a_negative_cycle_is_found_exactly_when_there_is_one(weights: Floats) -> None:
    assert has_negative_cycle(weights) == (lightest_cycle(weights) < 0)
