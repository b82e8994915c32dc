"""Reads of teams and entries."""

from dataclasses import dataclass

from sqlmodel import Session, col, select

from arena.teams.addresses import origin_of
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


def keys_in_use(session: Session) -> list[tuple[int, str, str]]:
    """Of all rounds' entries that name a key's variable: the team's id, the variable, who gets the key."""
    rows = session.exec(select(Entry.team_id, Entry.api_key_env, Entry.base_url).where(col(Entry.api_key_env) != ""))
    return [(team_id, name, origin_of(url)) for team_id, name, url in rows if name]


def is_anothers_key(session: Session, names: tuple[str, str], variable: str | None, url: str) -> bool:
    """Whether another team than that of these names uses the variable for another origin than the one of `url`."""
    team = session.exec(select(Team.id).where(Team.name_ko == names[0], Team.name_en == names[1])).first()
    uses = keys_in_use(session) if variable else []
    return any(name == variable and id_ != team and origin != origin_of(url) for id_, name, origin in uses)


def giveaways(session: Session, round_id: int) -> tuple[str, ...]:
    """All that would name one of a round's entries: teams' names, models' names, aliases; sorted, each once."""
    rows = session.exec(
        select(Team.name_ko, Team.name_en, Entry.model, Entry.aliases)
        .join(Team, col(Team.id) == Entry.team_id)
        .where(Entry.round_id == round_id)
    )
    return tuple(sorted({name for ko, en, model, aliases in rows for name in (ko, en, model, *aliases)}))
