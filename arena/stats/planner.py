"""How many votes a round needs: before it starts, and from what its votes have shown so far."""

from math import ceil, inf, isfinite
from typing import Final

from arena.stats.arithmetic import Real, quantile

POWER: Final = 0.8


def votes_per_pair(
    entries: int, win_share: float, *, ties: float, power: float = POWER, design_effect: float = 1.0
) -> int:
    """Votes that each pair of entries needs for one difference to exclude zero at 95 % with this power.

    `win_share` counts a tie as half a win, `ties` is the share of ties; every pair meets equally often. A vote
    (1, 1/2 or 0) has variance w (1 - w) - ties / 4, and a difference fitted from all pairs of n entries that lie
    close together has 2/n of the variance that the pair's own votes would give it:

        votes = design_effect (2/n) (z_error + z_power)^2 (w (1 - w) - ties / 4) / (w - 1/2)^2, rounded up,

    with normal quantiles to four places, as tables print them. Raises ValueError for what no round can have.
    """
    difference = abs(win_share - 0.5)
    possible = entries >= 2 and 0 < difference < 0.5 and 0 <= ties <= 1 - 2 * difference
    if not (possible and 0.5 <= power < 1 and 0 < design_effect < inf):
        raise ValueError(f"no plan for {entries=}, {win_share=}, {ties=}, {power=}, {design_effect=}")
    z = round(float(quantile()), 4) + round(float(_power_quantile(power)), 4)
    variance = win_share * (1 - win_share) - ties / 4
    return ceil(design_effect * 2 / entries * variance * (z / difference) ** 2)


def votes_needed(gap: Real, error: Real, votes: int, comparisons: int) -> int | None:
    """The further votes that probably (80 %) make a difference exclude zero at 95 %.

    `gap` and its standard error `error` are today's, from `votes` votes; the error is taken to shrink with the square
    root of the votes while the gap stays. `comparisons` differences shall hold together (Bonferroni). None for a gap
    of 0, or so near that no number of votes is enough. Raises ValueError for a negative or unbounded input.
    """
    if not (isfinite(gap) and isfinite(error) and error >= 0 and votes >= 0 and comparisons >= 1):
        raise ValueError(f"no plan from {gap=}, {error=}, {votes=}, {comparisons=}")
    if gap == 0:
        return None
    number = type(gap)
    ratio = (number(quantile(comparisons)) + number(_power_quantile(POWER))) * error / gap
    total = ratio * ratio * votes
    return max(0, ceil(total) - votes) if isfinite(total) else None


def design_effect(clustered_variance: Real, vote_level_variance: Real) -> Real | None:
    """By how much votes of the same voter, going together, multiply the votes needed (Kish 1965).

    Both are variances of the same difference; None where votes alone give none.
    """
    return clustered_variance / vote_level_variance if vote_level_variance > 0 else None


def _power_quantile(power: float) -> str:
    """The one-sided normal quantile of this probability."""
    return quantile(confidence=2 * power - 1)
