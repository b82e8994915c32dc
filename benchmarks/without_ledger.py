"""The arena with a ledger that nothing is written to, only for comparison: `-m benchmarks.without_ledger serve`."""

from itertools import count

import arena.battles.leaves
from arena.cli import main
from arena.ledger.actions import Written

_IDS = count(10**9)


def _nothing(*_arguments: object, **_body: object) -> Written:
    return Written(next(_IDS), b"")


if __name__ == "__main__":
    vars(arena.battles.leaves)["append"] = _nothing
    main()
