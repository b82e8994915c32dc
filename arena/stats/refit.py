"""The fit of a round from which some votes were taken."""

from collections.abc import Sequence

from arena.stats.bradley_terry import Fit, fit, obstacle
from arena.stats.cells import Counts


def refit(entries: Sequence[str], counts: Counts, *, side: bool) -> Fit | None:
    """None where these cells have no finite fit, or one so far out that floats cannot find it."""
    if obstacle(entries, counts, side=side):
        return None
    try:
        return fit(counts, side=side)
    except ArithmeticError:
        return None
