"""What a round's suggestions are about, and the handful of them that a citizen sees."""

import hashlib
from collections.abc import Iterable, Sequence
from typing import Final

from arena.errors import N_
from arena.rounds.pairing import order
from arena.rounds.tables import Suggestion

TOPICS: Final[dict[str, str]] = {
    "everyday": N_("Daily life"),
    "recipe": N_("Cooking"),
    "health-habit": N_("Health"),
    "trip": N_("Travel"),
    "public-service": N_("Law and administration"),
    "comparison": N_("Choosing well"),
    "work": N_("Work"),
    "message": N_("Letters and messages"),
    "writing": N_("Writing"),
    "study": N_("Study"),
    "concept": N_("Simply explained"),
    "mathematics": N_("Mathematics"),
    "puzzle": N_("Puzzles"),
    "technology": N_("Technology"),
    "coding": N_("Programming"),
    "spreadsheet": N_("Spreadsheets"),
    "culture": N_("Culture"),
}
"""Each topic's name, as a msgid."""


def topic_name(topic: str) -> str:
    """A topic's name, as a msgid."""
    return TOPICS.get(topic, topic)


def handful(every: Sequence[Suggestion], locale: str, *, limit: int, shuffle: int) -> list[Suggestion]:
    """`limit` suggestions in the reader's language, on as many topics as there can be; `shuffle` picks them.

    Where there is none in that language, those of others are offered.
    """
    offered = [item for item in every if item.locale == locale] or list(every)
    digest = hashlib.sha256(str(shuffle).encode()).digest()
    return _mixed((offered[i] for i in order(digest, len(offered))), limit)


def _mixed(shuffled: Iterable[Suggestion], limit: int) -> list[Suggestion]:
    """The first of each topic, then the others."""
    firsts: dict[str, Suggestion] = {}
    others = [item for item in shuffled if firsts.setdefault(item.topic, item) is not item]
    return [*firsts.values(), *others][:limit]
