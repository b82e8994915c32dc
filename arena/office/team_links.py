"""Links by which teams see their own entry: made, shown once, ended."""

import secrets
from collections import defaultdict
from datetime import datetime
from typing import Final, cast

from sqlalchemy import CursorResult, update
from sqlmodel import Session, col, select

from arena.accounts.actions import token_hash
from arena.errors import N_, ConflictError, NotFoundError
from arena.office.team_pages import FreshLink, LinkView, TeamLinks, TeamLinksPage
from arena.rounds.queries import find_round, view
from arena.rounds.tables import Round
from arena.teams.queries import NamedEntry, entries_of
from arena.teams.tables import Entry, TeamLink

LINKS_SHOWN: Final = 3
NOT_OPENED = N_("Links can be made from the opening of the round on.")
ENDED = N_("This link was ended already.")


def links_page(
    session: Session, slug: str, locale: str, *, fresh: tuple[str, str] | None = None
) -> TeamLinksPage:  # fmt: skip
    """A round's entries with their newest links; `fresh` is an entry's code and the address just made for it."""
    round_ = _round(session, slug)
    named = entries_of(session, round_.id or 0)
    links = _newest(session, round_)
    names = {entry.code: entry.name(locale) for entry in named}
    return TeamLinksPage(
        round=view(round_, locale, operator=True),
        teams=tuple(TeamLinks(entry.code, names[entry.code], links[entry.id]) for entry in named),
        fresh=FreshLink(names[fresh[0]], fresh[1]) if fresh else None,
    )


def make_link(session: Session, slug: str, code: str, by: str, now: datetime) -> str:
    """Makes a link to the page of an entry; returns its token, of which only the hash is stored.

    Raises NotFoundError for an unknown round or entry, ConflictError for a draft, whose entries may still go.
    """
    round_ = _round(session, slug)
    if round_.state == "draft":
        raise ConflictError(NOT_OPENED, code="not_opened")
    token = secrets.token_urlsafe(32)
    entry = _entry(session, round_, code)
    session.add(TeamLink(entry_id=entry.id, token_hash=token_hash(token), made_by=by, made_at=now))
    return token


def end_link(session: Session, slug: str, link_id: int, now: datetime) -> str:
    """Ends a link; returns its entry's code. Raises NotFoundError, or ConflictError when it was ended before."""
    round_ = _round(session, slug)
    owner = select(Entry.code).join(TeamLink, col(TeamLink.entry_id) == Entry.id)
    code = session.exec(owner.where(TeamLink.id == link_id, Entry.round_id == round_.id)).first()
    if code is None:
        raise NotFoundError
    ended = session.execute(
        update(TeamLink).where(col(TeamLink.id) == link_id, col(TeamLink.ended_at).is_(None)).values(ended_at=now)
    )
    if cast(CursorResult[object], ended).rowcount != 1:
        raise ConflictError(ENDED, code="ended")
    return code


def entry_of_token(session: Session, token: str) -> Entry:
    """Whose page a link's token opens. Raises NotFoundError for an unknown or ended one."""
    found = session.exec(
        select(Entry)
        .join(TeamLink, col(TeamLink.entry_id) == Entry.id)
        .where(TeamLink.token_hash == token_hash(token), col(TeamLink.ended_at).is_(None))
    ).first()
    if found is None:
        raise NotFoundError
    return found


def _round(session: Session, slug: str) -> Round:
    found = find_round(session, slug)
    if found is None:
        raise NotFoundError
    return found


def _entry(session: Session, round_: Round, code: str) -> NamedEntry:
    for entry in entries_of(session, round_.id or 0):
        if entry.code == code:
            return entry
    raise NotFoundError


def _newest(session: Session, round_: Round) -> defaultdict[int, tuple[LinkView, ...]]:
    """By entry id, its newest links."""
    links: defaultdict[int, tuple[LinkView, ...]] = defaultdict(tuple)
    of_round = select(TeamLink).join(Entry, col(Entry.id) == TeamLink.entry_id).where(Entry.round_id == round_.id)
    for link in session.exec(of_round.order_by(col(TeamLink.id).desc())):
        if len(links[link.entry_id]) < LINKS_SHOWN:
            links[link.entry_id] += (LinkView(link.id or 0, link.made_by, link.made_at, link.ended_at),)
    return links
