"""Reads of teams and entries."""

from dataclasses import dataclass

from sqlmodel import Session, col, select

from arena.teams.tables import Entry, Team


@dataclass(frozen=True, slots=True)
class NamedEntry:
    """An entry with its team's names. Never handed to anything a voter sees before a reveal."""

    id: int
    code: str
    name_ko: str
    name_en: str

    def name(self, locale: str) -> str:
        return self.name_ko if locale == "ko" else self.name_en


def entries_of(session: Session, round_id: int) -> tuple[NamedEntry, ...]:
    """A round's entries in the order they were entered."""
    rows = session.exec(
        select(Entry.id, Entry.code, Team.name_ko, Team.name_en)
        .join(Team, col(Team.id) == Entry.team_id)
        .where(Entry.round_id == round_id)
        .order_by(col(Entry.id))
    )
    return tuple(NamedEntry(int(id_ or 0), code, ko, en) for id_, code, ko, en in rows)


def entry(session: Session, entry_id: int) -> Entry:
    """The entry with this id. Raises NoResultFound when there is none."""
    return session.exec(select(Entry).where(Entry.id == entry_id)).one()


def giveaways(session: Session, round_id: int) -> tuple[str, ...]:
    """All that would name one of a round's entries: teams' names, models' names, aliases; sorted, each once."""
    rows = session.exec(
        select(Team.name_ko, Team.name_en, Entry.model, Entry.aliases)
        .join(Team, col(Team.id) == Entry.team_id)
        .where(Entry.round_id == round_id)
    )
    return tuple(sorted({name for ko, en, model, aliases in rows for name in (ko, en, model, *aliases)}))
