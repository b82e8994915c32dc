"""Which prompts the queue shows and in which order: read from the URL, written back into it, nothing else kept."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, Final, Literal, NamedTuple, Self, get_args
from urllib.parse import parse_qs, urlencode, urlsplit

State = Literal["todo", "held", "flagged", "escalated", "approved", "hidden", "rejected", "all"]
Order = Literal["oldest", "newest"]

PATH: Final = "/office/queue"
STATES: Final[tuple[State, ...]] = get_args(State)
SEARCH_LIMIT: Final = 100


class Cell(NamedTuple):
    """What the index `ix_review_state` finds at one place, in the order of ids; `others`: not the reader's own."""

    state: str
    flagged: bool
    others: bool = False


def _cells(*states: str) -> tuple[Cell, ...]:
    return tuple(Cell(state, flagged) for state in states for flagged in (True, False))


HANDED_ON: Final = tuple(Cell("escalated", flagged, others=True) for flagged in (True, False))
"""What other moderators handed on: what the reader handed on is nothing for them to do."""
GROUPS: Final[dict[State, tuple[tuple[Cell, ...], ...]]] = {
    "todo": (
        _cells("held"),
        (*HANDED_ON, Cell("waiting", flagged=True)),
        (Cell("waiting", flagged=False),),
    ),
    "held": (_cells("held"),),
    "flagged": (
        (Cell("held", flagged=True),),
        (HANDED_ON[0], Cell("waiting", flagged=True)),
    ),
    "escalated": (_cells("escalated"),),
    "approved": (_cells("approved"),),
    "hidden": (_cells("hidden"),),
    "rejected": (_cells("rejected"),),
    "all": (_cells("held", "waiting", "escalated", "approved", "hidden", "rejected"),),
}
"""Each filter's groups: all of the first come before any of the second."""


def cells_of(state: State) -> tuple[Cell, ...]:
    return tuple(cell for group in GROUPS[state] for cell in group)


class Place(NamedTuple):
    """Where a page begins: the group of the prompt beside it, and its id. Written `1.4711`."""

    group: int
    id: int

    def __str__(self) -> str:
        return f"{self.group}.{self.id}"

    @classmethod
    def read(cls, text: str) -> Self | None:
        """None for what is no place."""
        group, _, number = text.partition(".")
        fits = group.isdecimal() and len(group) == 1 and number.isdecimal() and len(number) <= 10
        return cls(int(group), min(int(number), 2**31 - 1)) if fits else None


@dataclass(frozen=True, slots=True)
class Filter:
    """`round` is a slug, or empty for the newest; `flag` a finding's code; `q` is searched in the text."""

    round: str = ""
    state: State = "todo"
    language: str = ""
    flag: str = ""
    q: str = ""
    order: Order = "oldest"
    after: str = ""
    before: str = ""

    @classmethod
    def read(cls, values: Iterable[tuple[str, str]]) -> Self:
        """Of a query's names and values; what is not understood is left out."""
        given = {name: value.strip() for name, value in values}
        return cls(
            round=given.get("round", "")[:64],
            state=next((state for state in STATES if state == given.get("state")), "todo"),
            language=given.get("language", "")[:8],
            flag=given.get("flag", "")[:40],
            q=given.get("q", "").replace("\0", "")[:SEARCH_LIMIT],
            order="newest" if given.get("order") == "newest" else "oldest",
            after=given.get("after", ""),
            before=given.get("before", ""),
        )

    @classmethod
    def of_path(cls, path: str) -> Self:
        """Of a path such as `/office/queue?state=held`."""
        query = parse_qs(urlsplit(path).query)
        return cls.read((name, values[-1]) for name, values in query.items())

    def path(self, **changes: Any) -> str:
        """The address of this list with some things changed; from its beginning unless a place is among them."""
        wanted = replace(self, **({"after": "", "before": ""} | changes))
        names = ("round", "state", "language", "flag", "q", "order", "after", "before")
        query = {name: str(getattr(wanted, name)) for name in names}
        usual = {"state": "todo", "order": "oldest"}
        said = {name: value for name, value in query.items() if value and value != usual.get(name)}
        return f"{PATH}?{urlencode(said)}" if said else PATH

    @property
    def beginning(self) -> Self:
        return replace(self, after="", before="")

    @property
    def here(self) -> str:
        return self.path(after=self.after, before=self.before)

    @property
    def narrowed(self) -> bool:
        """Whether more than the state and the round chooses."""
        return bool(self.language or self.flag or self.q)
