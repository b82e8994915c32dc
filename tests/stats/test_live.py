import json
from math import sqrt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arena.stats.cells import OUTCOMES, Outcome
from arena.stats.live import Skill, start, update

ENTRIES = ("x", "y", "z")
votes = st.tuples(st.permutations(ENTRIES), st.sampled_from(OUTCOMES))


def test_everybody_starts_alike_with_an_ordinal_of_zero() -> None:
    state = start(ENTRIES)

    assert list(state) == list(ENTRIES)
    assert {skill.ordinal for skill in state.values()} == {0}


@pytest.mark.parametrize(("outcome", "better", "worse"), [("a", "x", "y"), ("b", "y", "x")])
def test_the_preferred_side_rises_and_the_other_falls(outcome: Outcome, better: str, worse: str) -> None:
    state = update(start(ENTRIES), "x", "y", outcome)

    assert state[better].mu > start(ENTRIES)[better].mu > state[worse].mu
    assert state[better].sigma < start(ENTRIES)[better].sigma
    assert state["z"] == start(ENTRIES)["z"]


def test_a_first_win_moves_both_as_the_models_paper_says() -> None:
    """Weng and Lin (2011), algorithm 4, for two equal sides; OpenSkill adds its drift tau to the variance first."""
    mu, sigma, beta, tau = 25, 25 / 3, 25 / 6, 25 / 300
    variance = sigma**2 + tau**2
    c = sqrt(2 * variance + 2 * beta**2)
    shift = variance / c / 2
    narrowed = sqrt(variance * (1 - sqrt(variance) / c * variance / c**2 / 4))

    state = update(start(("x", "y")), "x", "y", "a")
    assert state["x"] == pytest.approx((mu + shift, narrowed), rel=1e-12)
    assert state["y"] == pytest.approx((mu - shift, narrowed), rel=1e-12)


def test_a_tie_brings_the_two_closer() -> None:
    apart = update(start(ENTRIES), "x", "y", "a")
    tied = update(apart, "x", "y", "tie")

    assert 0 < tied["x"].mu - tied["y"].mu < apart["x"].mu - apart["y"].mu


def test_both_bad_counts_as_a_tie() -> None:
    apart = update(start(ENTRIES), "x", "y", "a")

    assert update(apart, "y", "x", "both_bad") == update(apart, "y", "x", "tie")


def test_a_state_is_not_changed_in_place() -> None:
    before = start(ENTRIES)
    update(before, "x", "y", "a")

    assert before == start(ENTRIES)


@given(st.lists(votes, max_size=20), st.permutations(ENTRIES), st.sampled_from(OUTCOMES))
def test_a_state_goes_on_from_json_as_if_never_stored(
    history: list[tuple[list[str], Outcome]], pair: list[str], outcome: Outcome
) -> None:
    state = start(ENTRIES)
    for (first, second, _), past in history:
        state = update(state, first, second, past)
    stored = {entry: Skill(*skill) for entry, skill in json.loads(json.dumps(state)).items()}

    assert update(stored, pair[0], pair[1], outcome) == update(state, pair[0], pair[1], outcome)


def test_an_unknown_entry_and_an_entry_against_itself_are_refused() -> None:
    with pytest.raises(KeyError, match="nobody"):
        update(start(ENTRIES), "x", "nobody", "a")
    with pytest.raises(ValueError, match="itself"):
        update(start(ENTRIES), "x", "x", "a")
