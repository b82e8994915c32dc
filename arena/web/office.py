"""The office's pages: which role finds which in the menu. What a role may open, its route says itself (`only`)."""

from typing import Final, NamedTuple

from arena.errors import N_


class Place(NamedTuple):
    """A page of the menu: its path, its name as a msgid, and who has it."""

    path: str
    name: str
    roles: frozenset[str]


EVERYONE: Final = frozenset({"operator", "moderator", "auditor"})
MENU: Final = (
    Place("/office", N_("Overview"), EVERYONE),
    Place("/office/queue", N_("Citizens' questions"), frozenset({"moderator"})),
    Place("/office/suggestions", N_("Suggestions"), frozenset({"moderator"})),
    Place("/office/rules", N_("Rules for questions"), frozenset({"moderator"})),
    Place("/office/rounds", N_("Rounds and teams"), frozenset({"operator"})),
    Place("/office/exclusions", N_("Excluded votes"), frozenset({"operator", "auditor"})),
    Place("/office/people", N_("People"), frozenset({"operator"})),
    Place("/office/trail", N_("Trail"), frozenset({"operator", "auditor"})),
    Place("/office/help", N_("How a round runs"), EVERYONE),
)


def menu(role: str) -> tuple[Place, ...]:
    return tuple(place for place in MENU if role in place.roles)
