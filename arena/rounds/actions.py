"""Writes of rounds."""

import hashlib
import secrets
import tomllib
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import cast

from sqlalchemy import CursorResult, Function, delete, func, update
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select

from arena.errors import RefusedError
from arena.ledger.actions import open_log
from arena.proofs.notes import SigningKey
from arena.rounds.leaves import write_opened
from arena.rounds.queries import find_round, open_round, suggestions_in, suggestions_version
from arena.rounds.rules import EntryFile, RoundFile, rules_hash
from arena.rounds.tables import Epoch, Round, Suggestion
from arena.teams.actions import add_entry
from arena.teams.addresses import refusal
from arena.teams.tables import Entry

SUGGESTIONS = Path(__file__).with_name("suggestions.toml")


def create_round(
    session: Session,
    file: RoundFile,
    *,
    allow: Sequence[str],
    now: datetime,
    demo: bool = False,
    suggestion_locales: Sequence[str] = ("ko", "en"),
) -> Round:
    """Makes a draft round of a round file, with its seed drawn and its suggestions copied in.

    Raises RefusedError when the slug is taken or an endpoint's address is not admitted by `allow`.
    """
    if found := find_round(session, file.slug):
        raise RefusedError(f"slug: a round {found.slug!r} exists already and is {found.state}; choose another slug")
    _check_addresses(file, allow)
    canonical = file.rules.canonical()
    seed = secrets.token_bytes(32)
    round_ = Round(
        slug=file.slug,
        title_ko=file.title.ko,
        title_en=file.title.en,
        demo=demo,
        rules=canonical,
        rules_hash=rules_hash(canonical),
        seed=seed.hex(),
        seed_commitment=hashlib.sha256(seed).hexdigest(),
        opens_at=file.opens_at,
        closes_at=file.closes_at,
        created_at=now,
    )
    session.add(round_)
    session.flush()
    assert round_.id is not None
    for number, entry in enumerate(file.entries, start=1):
        enter(session, round_.id, number, entry)
    _copy_suggestions(session, round_.id, suggestion_locales)
    return round_


def revise_round(session: Session, file: RoundFile, *, allow: Sequence[str]) -> Round:
    """Replaces a draft's title, times, rules and entries by the file's; its seed and suggestions stay.

    Raises RefusedError when there is no such draft or an endpoint's address is not admitted by `allow`.
    """
    _check_addresses(file, allow)
    canonical = file.rules.canonical()
    revised = _update(
        session,
        file.slug,
        "draft",
        title_ko=file.title.ko,
        title_en=file.title.en,
        rules=canonical,
        rules_hash=rules_hash(canonical),
        opens_at=file.opens_at,
        closes_at=file.closes_at,
    )
    round_ = find_round(session, file.slug)
    if round_ is None or round_.id is None:
        raise RefusedError(f"there is no round {file.slug!r}")
    if not revised:
        raise RefusedError(
            f"round {round_.slug!r} is {round_.state}: its rules were frozen at {round_.opened_at:%Y-%m-%d %H:%M:%S}"
            f" UTC with hash {round_.rules_hash}"
        )
    session.execute(delete(Entry).where(col(Entry.round_id) == round_.id))
    for number, entry in enumerate(file.entries, start=1):
        enter(session, round_.id, number, entry)
    return round_


def _check_addresses(file: RoundFile, allow: Sequence[str]) -> None:
    for number, entry in enumerate(file.entries):
        if why := refusal(entry.base_url, allow):
            raise RefusedError(f"entries.{number}.base_url: {why}")


def enter(session: Session, round_id: int, number: int, entry: EntryFile) -> Entry:
    """Makes an entry of a round file the round's `number`-th."""
    return add_entry(
        session,
        round_id,
        f"e{number}",
        names=(entry.team.ko, entry.team.en),
        model=entry.model,
        base_url=entry.base_url,
        api_key_env=entry.api_key_env,
        aliases=entry.aliases,
        extra_body=entry.extra_body,
    )


def _copy_suggestions(session: Session, round_id: int, locales: Sequence[str]) -> None:
    """Those in force in the round before; where there are none, the curated ones."""
    before = session.exec(select(func.max(Round.id)).where(col(Round.id) < round_id)).one()
    in_force = suggestions_in(session, before, suggestions_version(session, before)) if before else []
    kept = [(item.code, item.locale, item.topic, item.text) for item in in_force if item.locale in locales]
    for code, locale, topic, words in kept or _curated(locales):
        session.add(Suggestion(round_id=round_id, code=code, locale=locale, topic=topic, text=words))


def _curated(locales: Sequence[str]) -> list[tuple[str, str, str, str]]:
    """Code, language, topic and text of each."""
    every = tomllib.loads(SUGGESTIONS.read_text("utf-8"))["suggestion"]
    return [(it["id"], it["locale"], it["topic"], it["text"]) for it in every if it["locale"] in locales]


def start_round(session: Session, slug: str, key: SigningKey, now: datetime) -> Round:
    """Opens a draft round: its rules are frozen, and its first pairing epoch and its ledger begin.

    Raises RefusedError when it is no draft or another round is open.
    """
    round_ = find_round(session, slug)
    if round_ is None:
        raise RefusedError(f"there is no round {slug!r}")
    if (other := open_round(session)) is not None and other.slug != slug:
        raise RefusedError(f"round {other.slug!r} is open; close it first: citizens meet one round at a time")
    try:
        with session.begin_nested():
            opened = _update(session, slug, "draft", state="open", opened_at=now)
    except IntegrityError:
        raise RefusedError("another round was opened at this moment; citizens meet one round at a time") from None
    if not opened:
        raise RefusedError(f"round {slug!r} is {round_.state}; only a draft can be opened")
    codes = session.exec(select(Entry.code).where(Entry.round_id == round_.id).order_by(col(Entry.id)))
    epoch = Epoch(round_id=round_.id or 0, number=1, entries=list(codes), started_at=now)
    session.add(epoch)
    session.refresh(round_)
    origin = key.origin(slug)
    open_log(session, round_.id or 0, origin, key.verifier(origin))
    write_opened(session, round_, epoch, key.verifier(origin), now)
    return round_


def held_round(session: Session, round_id: int) -> Round:
    """The round as it stands, which nobody closes or changes before this transaction has ended."""
    _lock(session, round_id, func.pg_advisory_xact_lock_shared)
    return _round_now(session, round_id)


def round_to_change(session: Session, round_id: int) -> Round:
    """The round as it stands; nobody deals in it, changes or closes it, before this transaction has ended."""
    _lock(session, round_id, func.pg_advisory_xact_lock)
    return _round_now(session, round_id)


def _round_now(session: Session, round_id: int) -> Round:
    found = select(Round).where(Round.id == round_id)
    return session.exec(found, execution_options={"populate_existing": True}).one()


def _lock(session: Session, round_id: int, mode: Callable[[int], Function[None]]) -> None:
    """On SQLite a writer is alone anyway. Row locks would do, but those who share one starve who wants it alone."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(mode(round_id).select())


def end_round(session: Session, slug: str, now: datetime) -> Round:
    """Closes an open round: no battle or vote is accepted any more. Raises RefusedError when it is not open."""
    round_ = find_round(session, slug)
    if round_ is None:
        raise RefusedError(f"there is no round {slug!r}")
    _lock(session, round_.id or 0, func.pg_advisory_xact_lock)
    if not _update(session, slug, "open", state="closed", closed_at=now):
        raise RefusedError(f"round {slug!r} is {round_.state}; only an open round can be closed")
    session.refresh(round_)
    return round_


def _update(session: Session, slug: str, in_state: str, **values: object) -> bool:
    """Changes a round that is in this state; False when it is not."""
    updated = session.execute(
        update(Round)
        .where(col(Round.slug) == slug, col(Round.state) == in_state)
        .values(**values)
        .execution_options(synchronize_session=False)
    )
    return cast(CursorResult[object], updated).rowcount == 1
