"""What an operator may want of an open round, and what is refused at once, by its field."""

from functools import partial

import pytest

from arena.db import Database
from arena.errors import ArenaError, ConflictError, InvalidError
from arena.rounds.wanted import read_wanted
from tests.data import NOWHERE, opened
from tests.rounds.offices import ALLOW, EVERYTHING, FORMS, MOVED, approves, by_code, changes, epochs, proposes
from tests.staff import hire
from tests.support import open_round, round_file


def test_at_least_two_entries_take_part(db: Database) -> None:
    hire(db)
    opened(db, teams=3, may_change=EVERYTHING)
    second = proposes(db, "pause", entry="e3")
    changes(db, "pause", entry="e2")
    for attempt in (partial(proposes, db, "pause", entry="e1"), partial(approves, db, second)):
        with pytest.raises(ConflictError) as refused:
            attempt()
        assert refused.value.code == "last_two"
    assert epochs(db)[-1] == (2, ["e1", "e3"])


@pytest.mark.parametrize(
    ("kind", "fields", "code"),
    [
        ("pause", {"entry": "e9"}, "entry"),
        ("pause", {"entry": ""}, "entry"),
        ("pause", {"reason": "boredom"}, "reason"),
        ("pause", {"reason": "late_joiner"}, "reason"),
        ("pause", {"entry": "e1\0"}, "invalid"),
        ("resume", {}, "takes_part"),
        ("address", {"entry": "e9"}, "entry"),
        ("address", {"base_url": "http://10.0.0.1/v1"}, "base_url"),
        ("address", {"base_url": "http://user:secret@127.0.0.1/v1"}, "base_url"),
        ("address", {"base_url": "ftp://127.0.0.1/v1"}, "base_url"),
        ("address", {"base_url": ""}, "base_url"),
        ("address", {"api_key_env": "sk-12345678"}, "api_key_env"),
        ("address", {"api_key_env": "ARENA_SECRET_KEY"}, "api_key_env"),
        ("address", {"api_key_env": "PGPASSWORD"}, "api_key_env"),
        ("join", {"api_key_env": "ARENA_LEDGER_KEY"}, "api_key_env"),
        ("join", {"base_url": "http://8.8.8.8/v1"}, "base_url"),
        ("address", {"base_url": "http://8.8.8.8/v1", "api_key_env": "TEAM_A_KEY"}, "base_url"),
        ("join", {"base_url": "http://169.254.169.254/"}, "base_url"),
        ("join", {"team_ko": ""}, "team"),
        ("join", {"team_en": "x" * 201}, "team"),
        ("join", {"model": ""}, "model"),
        ("join", {"aliases": "x" * 201}, "aliases"),
        ("join", {"extra_body": "[1]"}, "extra_body"),
        ("join", {"extra_body": '{"top_p": NaN}'}, "extra_body"),
        ("join", {"extra_body": "[" * 5000}, "extra_body"),
        ("join", {"extra_body": '{"name": "\\ud800"}'}, "extra_body"),
        ("fly", {}, "kind"),
    ],
)
def test_what_does_not_fit_is_refused_at_once_by_its_field(
    running: Database, kind: str, fields: dict[str, str], code: str
) -> None:
    form = {"kind": kind} | FORMS.get(kind, {}) | fields
    with pytest.raises(ArenaError) as refused:
        proposes(running, kind, **fields) if kind in FORMS else read_wanted(form, ALLOW)
    assert refused.value.code == code
    for secret in ("secret", "sk-12345678"):
        assert secret not in str(refused.value)


def test_a_team_that_takes_part_does_not_join_again_under_either_name(running: Database) -> None:
    there = round_file(NOWHERE).entries[0].team
    for names in ({"team_ko": there.ko}, {"team_en": there.en}):
        with pytest.raises(InvalidError) as refused:
            proposes(running, "join", **names)
        assert refused.value.code == "team"
    first, second = proposes(running, "join"), proposes(running, "join")
    approves(running, first)
    with pytest.raises(InvalidError):
        approves(running, second)


def test_an_entry_keeps_the_variable_it_has_whatever_its_name(db: Database) -> None:
    hire(db)
    file = round_file(NOWHERE, may_change=EVERYTHING)
    named = file.entries[0].model_copy(update={"api_key_env": "OTHER_KEY"})
    file = file.model_copy(update={"entries": [named, *file.entries[1:]]})
    open_round(db, file)
    changes(db, "address", api_key_env="OTHER_KEY")
    assert by_code(db, "e1").base_url == MOVED
    with pytest.raises(InvalidError):
        proposes(db, "address", entry="e2", api_key_env="OTHER_KEY")


def test_a_team_moves_with_its_own_key_and_with_nobody_elses(db: Database) -> None:
    hire(db)
    file = round_file(NOWHERE, may_change=EVERYTHING)
    keyed = [file.entries[n].model_copy(update={"api_key_env": f"TEAM_{n}_KEY"}) for n in range(2)]
    open_round(db, file.model_copy(update={"entries": [*keyed, *file.entries[2:]]}))
    away = "http://127.0.0.2:9/v1"
    changes(db, "address", base_url=away, api_key_env="TEAM_0_KEY")
    assert by_code(db, "e1").base_url == away
    for kind in ("address", "join"):
        with pytest.raises(InvalidError) as refused:
            proposes(db, kind, base_url=away, api_key_env="TEAM_1_KEY")
        assert refused.value.code == "api_key_env"
    changes(db, "join", base_url=f"{NOWHERE}/late/v1", api_key_env="TEAM_1_KEY")
