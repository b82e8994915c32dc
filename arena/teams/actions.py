"""Writes of teams and entries."""

import secrets
from typing import Any

from sqlalchemy import update
from sqlmodel import Session, col, select

from arena.teams.tables import Entry, Team


def team_named(session: Session, ko: str, en: str) -> Team:
    """The team with these names, made when it is new."""
    team = session.exec(select(Team).where(Team.name_ko == ko, Team.name_en == en)).first()
    if team is None:
        team = Team(name_ko=ko, name_en=en)
        session.add(team)
        session.flush()
    return team


def add_entry(
    session: Session,
    round_id: int,
    code: str,
    *,
    names: tuple[str, str],
    model: str,
    base_url: str,
    api_key_env: str | None,
    aliases: list[str],
    extra_body: dict[str, Any],
) -> Entry:
    """Enters a team's model in a round; `names` are the team's in Korean and English."""
    team = team_named(session, *names)
    assert team.id is not None
    entry = Entry(
        round_id=round_id,
        team_id=team.id,
        code=code,
        model=model,
        base_url=base_url.rstrip("/"),
        api_key_env=api_key_env,
        address_salt=secrets.token_hex(32),
        aliases=aliases,
        extra_body=extra_body,
    )
    session.add(entry)
    session.flush()
    return entry


def move_entry(session: Session, entry_id: int, base_url: str, api_key_env: str | None) -> None:
    """Gives an entry another address, hidden in the ledger by a salt of its own."""
    values = {"base_url": base_url.rstrip("/"), "api_key_env": api_key_env, "address_salt": secrets.token_hex(32)}
    session.execute(update(Entry).where(col(Entry.id) == entry_id).values(**values))
