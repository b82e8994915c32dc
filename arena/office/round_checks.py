"""What is looked at before a round opens, and what its operators see of its entries."""

import os
from datetime import datetime

from sqlmodel import Session, col, func, select

from arena.accounts.trail import acts_on
from arena.battles.tables import Battle
from arena.office.endpoint_test import uncovered
from arena.office.round_acts import hindrance, holds_key, is_choice
from arena.office.round_desk import plan_of, waiting_changes
from arena.office.round_pages import CheckRow, ClosePage, DraftPage, EntryRow, LastTest, OpenPage, Standing
from arena.office.round_toml import fingerprint, round_data
from arena.proofs.notes import SigningKey
from arena.rounds.queries import open_round, rules_of, view
from arena.rounds.tables import Round
from arena.teams.queries import NamedEntry, entries_of, entry

ACTS_READ = 1000
"""Of the trail, in search of tests."""


def draft_page(session: Session, round_: Round, key: SigningKey, locale: str, now: datetime) -> DraftPage:
    rows, checks = looked_at(session, round_, key, locale, now)
    return DraftPage(
        round=view(round_, locale, operator=True),
        opens_at=round_.opens_at,
        rules_hash=round_.rules_hash,
        entries=rows,
        checks=checks,
        can_open=hindrance(session, round_, now) is None,
    )


def open_page(
    session: Session,
    round_: Round,
    key: SigningKey,
    locale: str,
    now: datetime,
    *,
    problem: str | None = None,
    typed: str = "",
) -> OpenPage:
    """Of a draft."""
    rows, checks = looked_at(session, round_, key, locale, now)
    return OpenPage(
        round=view(round_, locale, operator=True),
        seen=fingerprint(round_data(session, round_)),
        rules_hash=round_.rules_hash,
        entries=tuple(row.team for row in rows),
        may_change=rules_of(round_).may_change,
        checks=checks,
        hindrance=hindrance(session, round_, now),
        problem=problem,
        typed=typed,
    )


def close_page(
    session: Session,
    round_: Round,
    locale: str,
    now: datetime,
    *,
    problem: str | None = None,
    fault: str = "",
    typed: str = "",
    why: str = "",
) -> ClosePage:
    """Of an open round."""
    round_id = round_.id or 0
    plan = plan_of(session, round_id)
    return ClosePage(
        round=view(round_, locale, operator=True),
        early=round_.closes_at is not None and now < round_.closes_at,
        by_choice=is_choice(round_, now),
        votes=_battles(session, round_id, "voted"),
        going=_battles(session, round_id, "streaming", "votable"),
        fewest=plan["fewest"] if plan else None,
        wanted=rules_of(round_).score.min_votes_per_entry,
        waiting_changes=waiting_changes(session, round_id),
        problem=problem,
        fault=fault,
        typed=typed,
        why=why,
    )


def looked_at(
    session: Session, round_: Round, key: SigningKey, locale: str, now: datetime
) -> tuple[tuple[EntryRow, ...], tuple[CheckRow, ...]]:
    """A draft's entries, and whether all is ready."""
    tests = last_tests(session, round_.slug)
    rows = tuple(entry_row(session, round_, named, locale, tests) for named in entries_of(session, round_.id or 0))
    failing = tuple(row.team for row in rows if row.test and not row.test.good)
    untested = tuple(row.team for row in rows if row.test is None)
    checks = (
        CheckRow("endpoints", _standing(failing, untested), failing or untested),
        _check_aliases(rows),
        CheckRow("keys", *_keys(rows)),
        CheckRow("dates", _dates(round_, now)),
        CheckRow("alone", "bad" if open_round(session) else "ok"),
        CheckRow("ledger", "ok" if holds_key(session, round_, key) else "bad"),
    )
    return rows, checks


def entry_row(
    session: Session, round_: Round, named: NamedEntry, locale: str, tests: dict[str, LastTest]
) -> EntryRow:
    held = entry(session, named.id)
    return EntryRow(
        code=named.code,
        team=named.name(locale),
        model=held.model,
        base_url=held.base_url,
        key_variable=held.api_key_env,
        key_present=not held.api_key_env or bool(os.environ.get(held.api_key_env)),
        aliases=len(held.aliases),
        uncovered=uncovered(session, named.id, round_),
        test=tests.get(named.code),
    )


def last_tests(session: Session, slug: str) -> dict[str, LastTest]:
    """Each entry's newest test since the round was changed last: of its questions, the one that went worst."""
    tests: dict[str, LastTest] = {}
    for act in acts_on(session, slug, limit=ACTS_READ):
        if act.outcome == "done" and act.what in ("round.create", "round.revise"):
            break
        if act.outcome == "done" and act.what == "endpoint.test":
            for fact in sorted(act.detail["found"], key=lambda fact: bool(fact["good"])):
                found = LastTest(act.at, fact["ending"], fact["good"], fact["first_token_ms"])
                tests.setdefault(fact["entry"], found)
    return tests


def _standing(bad: tuple[str, ...], unsure: tuple[str, ...]) -> Standing:
    return "bad" if bad else "unsure" if unsure else "ok"


def _check_aliases(rows: tuple[EntryRow, ...]) -> CheckRow:
    none = tuple(row.team for row in rows if not row.aliases)
    some = tuple(row.team for row in rows if row.uncovered)
    return CheckRow("aliases", _standing(none, some), none or some)


def _keys(rows: tuple[EntryRow, ...]) -> tuple[Standing, tuple[str, ...]]:
    without = tuple(row.team for row in rows if not row.key_present)
    return ("bad" if without else "ok"), without


def _dates(round_: Round, now: datetime) -> Standing:
    if round_.closes_at and round_.closes_at <= now:
        return "bad"
    return "ok" if round_.closes_at else "unsure"


def _battles(session: Session, round_id: int, *states: str) -> int:
    found = select(func.count()).select_from(Battle).where(Battle.round_id == round_id, col(Battle.state).in_(states))
    return session.exec(found).one()
