"""What the verifier finds wrong."""


class FaultError(Exception):
    """The first thing that is wrong; `place` says where, such as "entry 17"."""

    def __init__(self, place: str, what: str) -> None:
        self.place, self.what = place, what
        super().__init__(f"{place}: {what}")


def at_entry(position: int, what: str) -> FaultError:
    return FaultError(f"entry {position}", what)
