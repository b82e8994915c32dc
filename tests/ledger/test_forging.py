"""Forging is tried by an operator who has the key and signs whatever is wanted; the verifier names the entry."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from arena.proofs.leaves import sealed
from arena.proofs.notes import rotation_text
from arena.rounds.pairing import pair_salt
from tests.ledger.attacks import TARGET
from tests.ledger.played import (
    OTHER_KEY,
    TWO,
    Entries,
    entries,
    fault,
    forged,
    kept,
    place,
    rows,
    signed_range,
    verified,
)
from tests.support import KEY


@pytest.fixture
def signed(bundles: Path) -> Path:
    """The bundle of an open round, signed by the operator."""
    return bundles / "open"


@pytest.fixture
def closed(bundles: Path) -> Path:
    return bundles / "closed"


def change_choice(ledger: Entries) -> None:
    ledger[TARGET]["choice"] = "both_bad" if ledger[TARGET]["choice"] == "a" else "a"


def other_key(ledger: Entries) -> None:
    ledger[0]["key"] = str(OTHER_KEY.verifier(KEY.origin("stage-1")))


def test_a_ledger_signed_with_another_key_is_known_by_the_key(signed: Path, tmp_path: Path) -> None:
    forgery = forged(signed, tmp_path / "forged", other_key, OTHER_KEY)
    assert verified(forgery).votes == 19
    found = fault(forgery, kept=kept(signed))
    assert (found.place, "key" in found.what) == ("entry 0", True)
    assert fault(forgery, key=entries(signed)[0]["key"]).place == "entry 0"


def test_a_key_that_signs_what_the_opening_does_not_name_is_named(signed: Path, tmp_path: Path) -> None:
    forgery = forged(signed, tmp_path / "forged", lambda _: None, OTHER_KEY)
    assert fault(forgery).place == signed_range(signed, 0)


def test_a_key_handed_over_by_nobody_is_named(signed: Path, tmp_path: Path) -> None:
    follower = OTHER_KEY.verifier(KEY.origin("stage-1"))

    def rotate(ledger: Entries) -> None:
        note = OTHER_KEY.sign(follower.name, rotation_text(follower))
        last = ledger[-1]
        ledger.append(last | {"type": "key.rotated", "key": str(follower), "note": note})

    assert fault(forged(signed, tmp_path / "forged", rotate)).place == "entry 51"


def test_two_ledgers_of_one_size_need_a_checkpoint_from_before(signed: Path, tmp_path: Path) -> None:
    forgery = forged(signed, tmp_path / "forged", change_choice)
    assert verified(forgery).votes == 19
    assert verified(forgery, key=entries(signed)[0]["key"]).votes == 19
    found = fault(forgery, kept=kept(signed))
    assert (found.place, "two different ledgers" in found.what) == ("entries 0 to 50", True)
    assert fault(signed, kept=kept(forgery)).place == "entries 0 to 50"


def test_a_changed_choice_in_a_closed_round_changes_its_figures(closed: Path, tmp_path: Path) -> None:
    """An operator who forges a vote, and signs it, has to forge the figures as well."""
    assert fault(forged(closed, tmp_path / "forged", change_choice)).place == f"entry {place(closed, 'round.scored')}"


def seed(closed: Path) -> bytes:
    return bytes.fromhex(json.loads((closed / "round.json").read_text("utf-8"))["seed"])


def dealt(closed: Path, position: int, codes: list[str]) -> dict[str, Any]:
    """A battle that was started with another pair."""
    entry = entries(closed)[position]
    canonical = json.dumps(codes, separators=(",", ":")).encode()
    return entry | {"pair": sealed(pair_salt(seed(closed), entry["battle"]), canonical)}


def test_a_pair_that_the_seed_did_not_fix_is_named(closed: Path, tmp_path: Path) -> None:
    votes = {row["battle"]: row for row in rows(closed, "votes.jsonl")}
    vote = votes[entries(closed)[9]["battle"]]
    swapped = dealt(closed, 9, [vote["model_b"], vote["model_a"]])
    found = fault(forged(closed, tmp_path / "forged", lambda ledger: ledger.__setitem__(9, swapped)))
    assert (found.place, "pair" in found.what) == ("entry 9", True)


def test_a_place_passed_over_without_a_reason_is_named(closed: Path, tmp_path: Path) -> None:
    """The second battle of a voter gets the pair of the third."""
    votes = {row["battle"]: row for row in rows(closed, "votes.jsonl")}
    third = votes[entries(closed)[11]["battle"]]
    skipping = dealt(closed, 9, [third["model_a"], third["model_b"]]) | {"k": entries(closed)[11]["k"]}
    found = fault(forged(closed, tmp_path / "forged", lambda ledger: ledger.__setitem__(9, skipping)))
    assert (found.place, "passes over place" in found.what) == ("entry 9", True)


def test_an_entry_dated_long_before_those_in_front_of_it_is_named(signed: Path, tmp_path: Path) -> None:
    found = fault(forged(signed, tmp_path / "forged", lambda ledger: ledger[3].update(at="2100-01-01T00:00:00.000Z")))
    assert (found.place, "is dated" in found.what) == ("entry 4", True)


ONE = [TWO[0], TWO[0]]


def put(position: int, **body: Any) -> Callable[[Entries], None]:
    return lambda ledger: ledger[position].update(body)


@pytest.mark.parametrize(
    ("position", "change"),
    [
        (49, put(49, persons=ONE)),
        (49, put(49, persons=TWO[:1])),
        (49, put(49, reason="because")),
        (49, put(49, reason=None)),
        (49, put(49, battles=["f" * 32])),
        (49, put(49, reason="late_joiner")),
        (49, put(49, reason="mistake")),
        (50, put(50, reason="automated_voting")),
        (51, lambda ledger: ledger.append(ledger[49])),
        (51, lambda ledger: ledger.append(ledger[50])),
        (21, put(21, persons=ONE)),
        (21, put(21, change="replace")),
        (21, put(21, entries=["e1", "e2"])),
        (21, put(21, epoch=7)),
        (21, put(21, entry="e9")),
        (1, put(1, k=20)),
        (1, put(1, epoch=2)),
        (1, put(1, rules="0" * 64)),
        (2, put(2, voter="0" * 32)),
        (2, put(2, choice="c")),
        (2, put(2, round="stage-2")),
        (2, put(2, at="yesterday")),
        (2, put(2, type="vote.bought")),
        (42, put(42, state="voted")),
        (0, put(0, rules_hash="0" * 64)),
        (0, put(0, closes_at="in a week")),
        (0, put(0, closes_at=7)),
        (0, put(0, type="round.closed")),
        (3, lambda ledger: ledger.insert(3, ledger[2])),
        (3, lambda ledger: ledger.insert(3, ledger[1])),
        (51, lambda ledger: ledger.append(ledger[0])),
        (51, lambda ledger: ledger.append(ledger[-1] | {"type": "round.scored"})),
        (51, lambda ledger: ledger.append(ledger[1] | {"battle": "f" * 32, "voter": ledger[47]["voter"]})),
    ],
)
def test_what_the_rules_do_not_allow_is_named_though_it_is_signed(
    signed: Path, tmp_path: Path, position: int, change: Callable[[Entries], None]
) -> None:
    assert fault(forged(signed, tmp_path / "forged", change)).place == f"entry {position}"


def test_no_vote_is_dated_after_the_end_that_was_announced(signed: Path, tmp_path: Path) -> None:
    last = max(n for n, entry in enumerate(entries(signed)) if entry["type"] == "vote.cast")
    at = entries(signed)[last]["at"]
    assert verified(forged(signed, tmp_path / "in time", put(0, closes_at=at))).closes_at == at
    found = fault(forged(signed, tmp_path / "late", put(0, closes_at="2000-01-01T00:00:00.000Z")))
    assert (found.place, "announced end" in found.what) == ("entry 2", True)


def test_nothing_comes_after_the_closing(closed: Path, tmp_path: Path) -> None:
    def late(ledger: Entries) -> None:
        ledger.append(ledger[-1] | {"type": "vote.excluded", "battles": [], "reason": "mistake", "persons": TWO})

    assert fault(forged(closed, tmp_path / "forged", late)).place == "entry 53"


def test_a_round_that_promises_a_reveal_owes_its_seed(closed: Path, tmp_path: Path) -> None:
    withheld = tmp_path / "withheld"
    shutil.copytree(closed, withheld)
    about = json.loads((closed / "round.json").read_text("utf-8"))
    (withheld / "round.json").write_text(json.dumps(about | {"seed": None}), "utf-8")
    votes = (row | {"model_a": None, "model_b": None} for row in rows(closed, "votes.jsonl"))
    (withheld / "votes.jsonl").write_text("".join(f"{json.dumps(row, separators=(',', ':'))}\n" for row in votes))
    found = fault(withheld)
    assert (found.place, "seed" in found.what) == ("round.json", True)
