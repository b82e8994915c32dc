"""What hostile bundles hold, and what is said of them."""

from pathlib import Path
from typing import Any

import pytest

from arena.errors import RefusedError
from arena.offline.faults import FaultError
from tests.ledger.played import verified

VALUES: list[Any] = [
    *(None, True, -1, 0, 1.5, 10**18, 10**30, 1e308, "", "e1", "\0", "9" * 50),
    *([], [[]], {}, {"a": None}),
]


def message(folder: Path) -> str:
    """What is said of a bundle that cannot be right; nothing else may be raised."""
    with pytest.raises((FaultError, RefusedError)) as found:
        verified(folder)
    said = str(found.value)
    assert "\n" not in said
    return said
