"""What the trail's template may see."""

from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode


@dataclass(frozen=True, slots=True)
class TrailFilter:
    """What is looked for, as it was typed; empty is everything.

    `what` is an act or a group of them; `since` and `until` are days in Seoul, such as 2026-08-01, both included.
    """

    who: str = ""
    what: str = ""
    subject: str = ""
    outcome: str = ""
    since: str = ""
    until: str = ""

    @property
    def fields(self) -> dict[str, str]:
        values = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return {name: value for name, value in values.items() if value}

    @property
    def query(self) -> str:
        """As in a URL."""
        return urlencode(self.fields)


@dataclass(frozen=True, slots=True)
class Difference:
    """From what to what; `name` is empty where the whole thing changed. None is nothing."""

    name: str
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True)
class ActRow:
    """An act in the reader's language. `kind` is its group, `path` the subject's page, `email` the person's;
    `more` is name by name what else is known of it."""

    id: int
    at: datetime
    who: str
    email: str | None
    kind: str
    words: str
    subject: str
    path: str | None
    done: bool
    why: str
    reason: str
    note: str
    differences: tuple[Difference, ...]
    more: dict[str, str]


@dataclass(frozen=True, slots=True)
class Choices:
    """Values and names to choose from, under a heading."""

    name: str
    options: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class TrailPage:
    """`older` is the query of the next page; `problem` a translated sentence about the filter."""

    filter: TrailFilter
    people: tuple[tuple[str, str], ...]
    whats: tuple[Choices, ...]
    acts: tuple[ActRow, ...] = ()
    older: str | None = None
    newest: bool = True
    problem: str | None = None
