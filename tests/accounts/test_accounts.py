"""Admins, their sessions, API keys and voters: what is stored gives nobody away."""

from datetime import timedelta
from functools import partial

import pytest
from argon2 import extract_parameters
from argon2.low_level import Type
from sqlalchemy import func, text
from sqlmodel import Session, select

from arena.accounts import actions
from arena.accounts.actions import (
    SESSION_LENGTH,
    create_admin,
    create_key,
    end_session,
    password_fits,
    record_consent,
    start_session,
)
from arena.accounts.queries import SignedIn, admin_by_email, consent_given, key_scopes, signed_in
from arena.accounts.tables import Admin, AdminSession, ApiKey, Consent, Voter
from arena.clock import now
from arena.db import Database
from arena.errors import RefusedError
from tests.data import in_parallel

AT = now()
PASSWORD = "correct horse battery"


@pytest.fixture
def soyeon(db: Database) -> Admin:
    """An operator."""
    return db.writing(lambda session: create_admin(session, "Soyeon@example.org", "operator", PASSWORD, AT))


def sign_in(db: Database, admin: Admin) -> str:
    return db.writing(lambda session: start_session(session, admin.id or 0, AT))


def everything_stored(db: Database) -> str:
    tables = ("voter", "consent", "admin", "admin_session", "api_key")
    with db.reading() as session:
        return str([session.execute(text(f"select * from {table}")).all() for table in tables])


def test_a_password_is_stored_as_an_argon2id_hash_with_a_salt_of_its_own(db: Database, soyeon: Admin) -> None:
    other = db.writing(lambda session: create_admin(session, "dana@example.org", "auditor", PASSWORD, AT))
    parameters = extract_parameters(soyeon.password_hash)
    assert (parameters.type, parameters.salt_len >= 16) == (Type.ID, True)
    assert other.password_hash != soyeon.password_hash
    assert PASSWORD not in everything_stored(db)


def test_a_hash_costs_a_thief_as_much_as_owasp_advises() -> None:
    """By the hash that was made when the program was loaded: those of tests are cheap."""
    parameters = extract_parameters(actions._NOBODY)
    assert parameters.memory_cost >= 19 * 1024
    assert parameters.time_cost >= 2


def test_only_the_password_itself_fits(db: Database, soyeon: Admin) -> None:
    with db.reading() as session:
        found = admin_by_email(session, "soyeon@EXAMPLE.org")
    assert password_fits(found, PASSWORD)
    for wrong in ("", PASSWORD + " ", PASSWORD.upper(), soyeon.password_hash):
        assert not password_fits(found, wrong)


def test_nobody_signs_in_with_an_unknown_address(db: Database, soyeon: Admin) -> None:
    with db.reading() as session:
        assert admin_by_email(session, "nobody@example.org") is None
    assert not password_fits(None, PASSWORD)
    assert not password_fits(None, "")


@pytest.mark.parametrize(
    ("email", "role", "password", "named"),
    [
        ("dana@example.org", "owner", PASSWORD, "role"),
        ("dana", "operator", PASSWORD, "email"),
        ("dana@example.org", "operator", "short", "password"),
    ],
)
def test_an_admin_who_cannot_be_is_refused_by_the_fault(
    db: Database, email: str, role: str, password: str, named: str
) -> None:
    with pytest.raises(RefusedError, match=f"^{named}: ") as refused:
        db.writing(lambda session: create_admin(session, email, role, password, AT))
    assert password not in str(refused.value)


def test_an_address_is_one_admins_however_it_is_written(db: Database, soyeon: Admin) -> None:
    with pytest.raises(RefusedError, match=r"^email: "):
        db.writing(lambda session: create_admin(session, "soyeon@EXAMPLE.org", "auditor", PASSWORD, AT))


def test_a_session_says_who_is_signed_in_until_it_runs_out(db: Database, soyeon: Admin) -> None:
    token = sign_in(db, soyeon)
    with db.reading() as session:
        last = AT + SESSION_LENGTH - timedelta(seconds=1)
        assert signed_in(session, token, AT) == SignedIn(f"operator-{soyeon.id}", "soyeon@example.org", "operator")
        assert signed_in(session, token, last) is not None
        assert signed_in(session, token, AT + SESSION_LENGTH) is None
        assert signed_in(session, token + "x", AT) is None


def test_signing_out_ends_this_session_alone(db: Database, soyeon: Admin) -> None:
    phone, desk = sign_in(db, soyeon), sign_in(db, soyeon)
    db.writing(lambda session: end_session(session, phone))
    with db.reading() as session:
        assert signed_in(session, phone, AT) is None
        assert signed_in(session, desk, AT) is not None


def test_sessions_that_have_run_out_are_swept_away_at_the_next_sign_in(db: Database, soyeon: Admin) -> None:
    sign_in(db, soyeon)
    later = AT + SESSION_LENGTH + timedelta(seconds=1)
    db.writing(lambda session: start_session(session, soyeon.id or 0, later))
    with db.reading() as session:
        assert session.exec(select(func.count()).select_from(AdminSession)).one() == 1


def test_tokens_and_keys_are_stored_as_hashes_alone(db: Database, soyeon: Admin) -> None:
    token = sign_in(db, soyeon)
    key = db.writing(lambda session: create_key(session, "pipeline", ["ratings:read"], AT))
    stored = everything_stored(db)
    assert token not in stored
    assert key.removeprefix("arena_") not in stored


def test_a_key_opens_its_scopes_and_nothing_more(db: Database) -> None:
    def make(session: Session) -> str:
        return create_key(session, "pipeline", ["votes:read", "ratings:read", "votes:read"], AT)

    key = db.writing(make)
    other = db.writing(lambda session: create_key(session, "reader", ["rounds:read"], AT))
    with db.reading() as session:
        assert key_scopes(session, key) == frozenset({"votes:read", "ratings:read"})
        assert key_scopes(session, other) == frozenset({"rounds:read"})
        assert key_scopes(session, key[:-1]) is None
        assert key_scopes(session, session.exec(select(ApiKey.key_hash)).first() or "") is None


@pytest.mark.parametrize(
    ("name", "scopes", "named"),
    [("new", ["all"], "scope"), ("new", [], "scope"), ("pipeline", ["rounds:read"], "name")],
)
def test_a_key_that_cannot_be_is_refused_by_the_fault(db: Database, name: str, scopes: list[str], named: str) -> None:
    db.writing(lambda session: create_key(session, "pipeline", ["rounds:read"], AT))
    with pytest.raises(RefusedError, match=f"^{named}: "):
        db.writing(lambda session: create_key(session, name, scopes, AT))


def test_the_newest_consent_to_a_version_counts_and_old_ones_are_kept(db: Database) -> None:
    for version, publish in (("1", False), ("1", True), ("2", False)):
        consent = partial(record_consent, voter_id="minji", version=version, publish=publish, now=AT)
        db.writing(consent)
    with db.reading() as session:
        newest = {version: consent_given(session, "minji", version) for version in ("1", "2", "3")}
        assert [found and found.publish for found in newest.values()] == [True, False, None]
        assert session.exec(select(func.count()).select_from(Consent)).one() == 3


def test_a_citizen_whose_first_forms_arrive_together_becomes_one_voter(db: Database) -> None:
    def consent(session: Session) -> None:
        record_consent(session, "minji", "1", publish=False, now=AT)

    assert in_parallel([partial(db.writing, consent)] * 8) == [None] * 8
    with db.reading() as session:
        assert session.exec(select(Voter.id)).all() == ["minji"]
