"""Tampering is tried by SQL, without the key, and the verifier names the entry.

Whoever has SQL drops the triggers first. What is caught only with a checkpoint from before says so by its name.
"""

import shutil
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import inspect, text

from arena.clock import now
from arena.db import Database
from arena.errors import RefusedError
from arena.proofs.leaves import timestamp
from tests.data import answered, closes, voted, voter
from tests.ledger.attacks import (
    TARGET,
    back_date,
    forge_row,
    insert_leaf,
    move,
    on_target,
    other_choice,
    rewrite,
    roots_again,
    sign_again,
    sql,
    target,
)
from tests.ledger.played import (
    bundle_of,
    entries,
    fault,
    kept,
    place,
    played_round,
    rows,
    sequenced,
    signed_range,
    verified,
)

DAY = timedelta(days=1)


@pytest.fixture
def db(played: Database) -> Database:
    """An open round whose triggers an attacker has dropped."""
    tables = inspect(played.engine).get_table_names()
    with played.engine.begin() as connection:
        if connection.dialect.name == "postgresql":
            for table in tables:
                connection.execute(text(f'ALTER TABLE "{table}" DISABLE TRIGGER ALL'))
        else:
            for name in connection.execute(text("SELECT name FROM sqlite_master WHERE type = 'trigger'")).scalars():
                connection.execute(text(f"DROP TRIGGER {name}"))
    return played


@pytest.fixture
def before(db: Database, tmp_path: Path) -> Path:
    """The bundle that a reader fetched before."""
    return bundle_of(db, tmp_path / "before")


# By SQL: the tables of votes and battles


@pytest.mark.parametrize(
    "change",
    [
        lambda db: on_target(db, "choice = :choice", choice=other_choice(db)),
        lambda db: on_target(db, "excluded = :yes, excluded_why = 'mistake'", yes=True),
        lambda db: back_date(db, now() - DAY),
        lambda db: sql(db, "UPDATE battle SET voter_id = 'citizen-5' WHERE id = :id", id=target(db).battle_id),
        lambda db: sql(db, "DELETE FROM vote WHERE id = :id", id=target(db).id),
    ],
    ids=["its choice", "whether it counts", "its time", "its voter", "dropped"],
)
def test_a_changed_vote_is_named(db: Database, tmp_path: Path, change: Callable[[Database], None]) -> None:
    change(db)
    assert fault(bundle_of(db, tmp_path / "after")).place == f"entry {TARGET}"


def test_an_exclusion_that_is_taken_back_in_silence_is_named(db: Database, before: Path, tmp_path: Path) -> None:
    battle = entries(before)[place(before, "vote.excluded")]["battles"]
    (out,) = [row for row in rows(before, "votes.jsonl") if row["battle"] in battle and row["excluded"]][:1]
    sql(db, "UPDATE vote SET excluded = :no, excluded_why = NULL WHERE battle_id = :id", no=False, id=out["battle"])
    assert fault(bundle_of(db, tmp_path / "after")).place == f"entry {out['entry']}"


def test_swapped_sides_are_named_once_the_round_is_closed(db: Database, tmp_path: Path) -> None:
    sql(db, "UPDATE battle SET entry_a = entry_b, entry_b = entry_a WHERE id = :id", id=target(db).battle_id)
    closes(db)
    assert fault(bundle_of(db, tmp_path / "after")).place == f"entry {TARGET}"


def test_a_vote_that_the_ledger_does_not_know_is_named(db: Database, tmp_path: Path) -> None:
    battle = answered(db, voter(db, "citizen-9"))
    sequenced(db)
    sql(
        db,
        "INSERT INTO vote (battle_id, receipt, choice, cast_at, excluded) VALUES (:battle, 'r', 'a', :at, :no)",
        battle=battle.id,
        at=now(),
        no=False,
    )
    found = fault(bundle_of(db, tmp_path / "after"))
    assert (found.place, battle.id in found.what) == ("votes.jsonl", True)


# By SQL: the ledger itself


@pytest.mark.parametrize(
    ("position", "body"),
    [
        (TARGET, {}),
        (TARGET, {"at": timestamp(now() - DAY)}),
        (49, {"reason": "automated_voting"}),
        (1, {"prompt": "0" * 64}),
    ],
    ids=["a choice", "a time", "a reason", "a question"],
)
def test_a_changed_entry_lies_in_the_range_that_is_named(
    db: Database, before: Path, tmp_path: Path, position: int, body: dict[str, str]
) -> None:
    """Its vote's row is changed with it, so that all tables agree."""
    if position == TARGET:
        choice = {"choice": other_choice(db)} if not body else {}
        on_target(db, "choice = :choice", choice=choice.get("choice", target(db).choice))
        if "at" in body:
            back_date(db, datetime.fromisoformat(body["at"]))
        body = body | choice
    rewrite(db, position, **body)
    after = bundle_of(db, tmp_path / "after")
    expected = f"entry {position}" if "at" in body else signed_range(before, position)
    assert fault(after).place == expected
    assert fault(after, kept=kept(before)).place == expected


def test_a_dropped_entry_is_named(db: Database, before: Path, tmp_path: Path) -> None:
    """Where it was, now the voter's next battle stands, though the one before never ended."""
    sql(db, "DELETE FROM leaf WHERE position = :at", at=TARGET)
    assert fault(bundle_of(db, tmp_path / "gap")).place == f"entry {TARGET}"
    sql(db, "DELETE FROM vote WHERE id = (SELECT max(id) FROM vote WHERE leaf_id NOT IN (SELECT id FROM leaf))")
    move(db, TARGET + 1, -1)
    roots_again(db)
    assert fault(bundle_of(db, tmp_path / "shifted"), kept=kept(before)).place == f"entry {TARGET}"


def test_a_whole_battle_that_is_dropped_lies_in_the_range_that_is_named(
    db: Database, before: Path, tmp_path: Path
) -> None:
    """The last of its voter's, so that nothing else tells of it."""
    vote = entries(before)[12]
    sql(db, "DELETE FROM leaf WHERE position IN (11, 12)")
    sql(db, "DELETE FROM vote WHERE battle_id = :id", id=vote["battle"])
    move(db, 13, -2)
    roots_again(db)
    found = fault(bundle_of(db, tmp_path / "after"), kept=kept(before))
    assert found.place == signed_range(before, 12)


def test_an_inserted_battle_lies_in_the_range_that_is_named(db: Database, before: Path, tmp_path: Path) -> None:
    round_, stranger, battle = played_round(db), "0" * 32, "f" * 32
    like = entries(before)[1]
    move(db, 7, 2)
    facts = {"battle": battle, "voter": stranger, "rules": round_.rules_hash}
    at = datetime.fromisoformat(like["at"])
    insert_leaf(db, "battle.started", 7, at, **facts, epoch=1, k=0, prompt=like["prompt"], pair=like["pair"])
    leaf = insert_leaf(db, "vote.cast", 8, at, **facts, choice="a", turns=[like["prompt"]])
    roots_again(db)
    forge_row(db, battle, leaf, at)
    after = bundle_of(db, tmp_path / "after")
    found = fault(after, kept=kept(before))
    assert found.place in (signed_range(before, 7), "entry 8")


def test_reordered_entries_lie_in_the_range_that_is_named(db: Database, before: Path, tmp_path: Path) -> None:
    sql(db, "UPDATE leaf SET position = 1000 WHERE position = 49")
    sql(db, "UPDATE leaf SET position = 49 WHERE position = 48")
    sql(db, "UPDATE leaf SET position = 48 WHERE position = 1000")
    roots_again(db)
    assert fault(bundle_of(db, tmp_path / "after"), kept=kept(before)).place in ("entry 48", signed_range(before, 48))


def test_a_vote_without_a_battle_is_named_once_the_sequencer_took_it(
    db: Database, before: Path, tmp_path: Path
) -> None:
    facts = {"battle": "f" * 32, "voter": "0" * 32, "rules": played_round(db).rules_hash}
    insert_leaf(db, "vote.cast", None, now(), **facts, choice="a", turns=[])
    assert verified(bundle_of(db, tmp_path / "waiting"), kept=kept(before)).entries == 51
    sequenced(db)
    assert fault(bundle_of(db, tmp_path / "taken"), kept=kept(before)).place == "entry 51"


def test_a_back_dated_entry_at_the_end_is_named(db: Database, tmp_path: Path) -> None:
    begun = answered(db, voter(db, "citizen-9"))
    insert_leaf(db, "battle.ended", None, now() - timedelta(minutes=2), battle=begun.id, state="expired")
    sequenced(db)
    found = fault(bundle_of(db, tmp_path / "after"))
    assert (found.place, "is dated" in found.what) == ("entry 52", True)


def test_an_invented_voter_with_whole_battles_is_not_told_from_a_real_one(
    db: Database, before: Path, tmp_path: Path
) -> None:
    """The limit of any ledger: it keeps what was written, and cannot know who was there. See docs/ledger.md."""
    voted(db, voter(db, "nobody"), "a", now())
    sequenced(db)
    assert verified(bundle_of(db, tmp_path / "after"), kept=kept(before)).votes == 20


# By SQL: the past is made to be signed once more, or cut off


def test_a_past_that_the_sequencer_signed_once_more_needs_a_checkpoint_from_before(
    db: Database, before: Path, tmp_path: Path
) -> None:
    rewrite(db, TARGET, choice=(choice := other_choice(db)))
    on_target(db, "choice = :choice", choice=choice)
    sign_again(db, TARGET)
    after = bundle_of(db, tmp_path / "after")
    assert verified(after).votes == 19
    assert fault(after, kept=kept(before)).place == "entries 0 to 50"
    assert fault(after, kept=kept(before, 13)).place == "entries 0 to 12"


def test_entries_that_are_cut_off_need_a_checkpoint_from_before(db: Database, before: Path, tmp_path: Path) -> None:
    """The exclusions that come later are taken out of the votes as well."""
    sql(db, "DELETE FROM checkpoint WHERE size > 21")
    sql(db, "UPDATE vote SET excluded = :no, excluded_why = NULL", no=False)
    after = bundle_of(db, tmp_path / "after")
    assert verified(after).entries == 21
    assert fault(after, kept=kept(before)).place == "entry 21"
    assert verified(after, kept=kept(before, 21)).entries == 21


def test_a_closed_round_that_is_cut_off_says_so_itself(db: Database, tmp_path: Path) -> None:
    closes(db)
    sql(db, "DELETE FROM checkpoint WHERE size > 51")
    found = fault(bundle_of(db, tmp_path / "after"))
    assert (found.place, "state" in found.what) == ("round.json", True)


def test_without_any_checkpoint_there_is_no_bundle(db: Database, tmp_path: Path) -> None:
    sql(db, "DELETE FROM checkpoint")
    with pytest.raises(RefusedError, match="no signed checkpoint"):
        bundle_of(db, tmp_path / "after")


def test_fewer_checkpoints_name_a_wider_range(db: Database, before: Path, tmp_path: Path) -> None:
    sql(db, "DELETE FROM checkpoint WHERE size < 51")
    assert verified(bundle_of(db, tmp_path / "fewer"), kept=kept(before)).checkpoints == 1
    rewrite(db, 1, prompt="0" * 64)
    assert fault(bundle_of(db, tmp_path / "after")).place == "entries 0 to 50"


@pytest.mark.parametrize("played_url", ["sqlite"], indirect=True)
def test_a_restored_backup_is_caught_by_a_newer_checkpoint(
    played: Database, played_sqlite: Path, tmp_path: Path
) -> None:
    """At once by what is missing; and when the arena has gone on, by what was signed twice."""
    voted(played, voter(played, "citizen-9"), "a", now())
    sequenced(played)
    newer = kept(bundle_of(played, tmp_path / "before"))
    shutil.copy(played_sqlite, tmp_path / "restored.db")
    restored = Database(f"sqlite:///{tmp_path / 'restored.db'}")
    assert fault(bundle_of(restored, tmp_path / "restored"), kept=newer).place == "entry 51"
    for _ in range(2):
        voted(restored, voter(restored, "citizen-10"), "b", now())
        sequenced(restored)
    assert fault(bundle_of(restored, tmp_path / "went on"), kept=newer).place == "entries 0 to 52"
    restored.close()


def test_an_older_bundle_is_caught_by_a_newer_checkpoint(db: Database, before: Path, tmp_path: Path) -> None:
    voted(db, voter(db, "citizen-9"), "a", now())
    sequenced(db)
    newer = kept(bundle_of(db, tmp_path / "newer"))
    assert fault(before, kept=newer).place == "entry 51"


# By SQL: the round


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ("rules = replace(rules, '_turns\"\\:3', '_turns\"\\:4')", "rules"),
        ("rules = replace(rules, 'after_close', 'never')", "rules"),
        ("rules_hash = seed_commitment", "rules_hash"),
        ("seed_commitment = rules_hash", "seed_commitment"),
    ],
)
@pytest.mark.parametrize("closed", [False, True])
def test_changed_rules_are_named_by_the_opening(
    db: Database, tmp_path: Path, change: str, named: str, closed: bool
) -> None:
    if closed:
        closes(db)
    sql(db, f"UPDATE round SET {change}")
    after = bundle_of(db, tmp_path / "after")
    found = fault(after)
    assert (found.place, named in found.what) == ("entry 0", True)


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE round SET seed = seed_commitment",
        "UPDATE entry SET model = 'another' WHERE code = 'e2'",
        "UPDATE entry SET aliases = '[\"another\"]' WHERE code = 'e2'",
    ],
)
def test_another_seed_or_model_than_was_committed_to_is_named(db: Database, tmp_path: Path, change: str) -> None:
    closes(db)
    sql(db, change)
    assert fault(bundle_of(db, tmp_path / "after")).place == "entry 0"


def test_another_team_for_an_entry_is_named(db: Database, tmp_path: Path) -> None:
    sql(db, "UPDATE team SET name_en = 'Another' WHERE id = (SELECT team_id FROM entry WHERE code = 'e2')")
    assert fault(bundle_of(db, tmp_path / "after")).place == "round.json"


def test_an_outage_given_to_another_entry_is_named(db: Database, before: Path, tmp_path: Path) -> None:
    closes(db)
    sql(db, "UPDATE outage SET entry_id = (SELECT id FROM entry WHERE code = 'e3')")
    assert fault(bundle_of(db, tmp_path / "after")).place == f"entry {place(before, 'outage.began')}"


@pytest.mark.parametrize(("column", "file"), [("ratings", "ratings.json"), ("scores", "scores.json")])
def test_changed_final_figures_are_named(db: Database, tmp_path: Path, column: str, file: str) -> None:
    closes(db)
    sql(db, f"UPDATE rating_snapshot SET {column} = :figures", figures='{"entries":[]}')
    assert fault(bundle_of(db, tmp_path / "after")).place == file


def test_votes_miscounted_at_the_closing_are_named(db: Database, tmp_path: Path) -> None:
    """A vote is hidden while the final figures are made, and put back."""
    on_target(db, "excluded = :yes", yes=True)
    closes(db)
    on_target(db, "excluded = :no", no=False)
    after = bundle_of(db, tmp_path / "after")
    assert fault(after).place == f"entry {place(after, 'round.scored')}"
