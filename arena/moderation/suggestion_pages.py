"""What the templates of suggestions may see. Topics are names as msgids."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from arena.web.pages import Locale


@dataclass(frozen=True, slots=True)
class RoundChoice:
    """A round whose suggestions may be worked on."""

    slug: str
    title: str
    state: str


@dataclass(frozen=True, slots=True)
class Problem:
    """What was refused, in a translated sentence, and for which field of the form if for one."""

    field: str
    message: str


@dataclass(frozen=True, slots=True)
class DraftView:
    """A proposal; `mine` when the reader may not approve it. `review` is the citizen's prompt it comes from."""

    id: int
    text: str
    topic: str
    locale: str
    state: str
    proposed_by: str
    proposed_at: datetime
    edited_by: str | None
    edited_at: datetime | None
    decided_by: str | None
    decided_at: datetime | None
    review: int | None
    mine: bool
    reason: str
    note: str


@dataclass(frozen=True, slots=True)
class ItemView:
    """A published suggestion; `going` when the next version is without it."""

    code: str
    text: str
    topic: str
    locale: str
    going: bool


@dataclass(frozen=True, slots=True)
class TopicGroup:
    """A topic's suggestions in force by language, and how many wait for a decision or a version."""

    code: str
    name: str
    items: Mapping[Locale, tuple[ItemView, ...]]
    waiting: Mapping[Locale, int]


@dataclass(frozen=True, slots=True)
class Balance:
    """How one language's suggestions are spread: topics without any, and one that has more than its share."""

    locale: Locale
    total: int
    missing: tuple[str, ...]
    heavy: str | None


@dataclass(frozen=True, slots=True)
class VersionView:
    """A version; the first is what the round was made with, and nobody published it."""

    number: int
    note: str
    by: str | None
    at: datetime | None


@dataclass(frozen=True, slots=True)
class SuggestionsPage:
    """The desk. `round` is None when none is open or in preparation; `closed` are rounds to look back at."""

    rounds: tuple[RoundChoice, ...]
    round: RoundChoice | None
    closed: tuple[RoundChoice, ...]
    waiting: tuple[DraftView, ...]
    approved: tuple[DraftView, ...]
    declined: tuple[DraftView, ...]
    groups: tuple[TopicGroup, ...]
    balance: tuple[Balance, ...]
    going: int
    versions: tuple[VersionView, ...]
    problem: Problem | None


@dataclass(frozen=True, slots=True)
class WritingPage:
    """A form for a question: a new one, or of a citizen's prompt. `kept` is what its fields hold.

    `why` says why the citizen's words may not be taken over, as a msgid.
    """

    round: RoundChoice
    review: int | None
    why: str | None
    kept: Mapping[str, str]
    problem: Problem | None
    topics: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class ActView:
    """What somebody did or tried with a proposal; `text` is what it then said, where the trail may tell."""

    at: datetime
    who: str
    what: str
    done: bool
    why: str
    text: str


@dataclass(frozen=True, slots=True)
class DraftPage:
    """A proposal with what may be done with it; `seen` comes back with each form. `form` is where `problem` is."""

    round: RoundChoice
    reader: str
    draft: DraftView
    seen: str
    open: bool
    kept: Mapping[str, str]
    reasons: tuple[str, ...]
    acts: tuple[ActView, ...]
    form: str
    problem: Problem | None
    topics: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class ShownView:
    """A suggestion as the landing page shows it."""

    text: str
    topic: str
    locale: str


@dataclass(frozen=True, slots=True)
class NextPage:
    """What publishing will do, and how it will look; `shuffle` numbers the handfuls by language.

    `marked_by` says by code who marked what goes; `barred`: the reader did, so another one publishes.
    """

    round: RoundChoice
    number: int
    new: tuple[DraftView, ...]
    going: tuple[ItemView, ...]
    marked_by: Mapping[str, str]
    barred: bool
    staying: int
    shown: Mapping[Locale, tuple[ShownView, ...]]
    shuffle: int
    seen: str
    note: str
    problem: Problem | None


@dataclass(frozen=True, slots=True)
class VersionPage:
    """A version as it was: all of it, and what came and went with it."""

    round: RoundChoice
    version: VersionView
    versions: tuple[VersionView, ...]
    came: tuple[ItemView, ...]
    went: tuple[ItemView, ...]
    groups: tuple[TopicGroup, ...]
