"""What the verifier finds wrong."""

from typing import Final

_SHOWN: Final = 200


class FaultError(Exception):
    """The first thing that is wrong; `place` says where, such as "entry 17"."""

    def __init__(self, place: str, what: str) -> None:
        self.place, self.what = place, what
        super().__init__(f"{place}: {what}")


def at_entry(position: int, what: str) -> FaultError:
    return FaultError(f"entry {position}", what)


def brief(value: object) -> str:
    """A value of a file as a message quotes it: printable and short."""
    try:
        text = repr(value)
    except RecursionError:
        return "something nested too deeply"
    return text if len(text) <= _SHOWN else text[:_SHOWN] + "..."
