"""A voter's receipt, checked without the arena: alone, against a bundle, and when somebody forged it."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from arena.errors import RefusedError
from arena.offline.check import run_verify
from arena.offline.faults import FaultError
from arena.offline.witnesses import Receipt
from arena.proofs.merkle import leaf_hash
from arena.proofs.notes import promise_text
from tests.ledger.played import OTHER_KEY, entries, fault, forged, resigned, verified
from tests.ledger.receipts import ORIGIN, VOTE, receipt_of
from tests.support import KEY


def read(receipt: Any, tmp_path: Path) -> Receipt:
    (tmp_path / "receipt.json").write_text(json.dumps(receipt), "utf-8")
    return Receipt.read(tmp_path / "receipt.json")


@pytest.fixture
def receipt(bundles: Path) -> dict[str, Any]:
    return receipt_of(bundles / "open")


def test_a_receipt_verifies_alone_and_in_its_bundles(
    bundles: Path, tmp_path: Path, receipt: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    found = read(receipt, tmp_path)
    checkpoint = found.check()
    assert checkpoint is not None
    assert checkpoint.size == 51
    for name in ("open", "closed"):
        assert verified(bundles / name, receipt=found).receipt_at == VOTE
    assert run_verify(None, None, tmp_path / "receipt.json", receipt["key"])
    said = capsys.readouterr().out
    assert repr(entries(bundles / "open")[VOTE]["choice"]) in said
    assert said.endswith("VERIFIED\n")


def test_a_receipt_with_a_promise_alone_says_that_the_proof_is_to_come(
    bundles: Path, tmp_path: Path, receipt: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    assert read(receipt | {"proof": None}, tmp_path).check() is None
    assert run_verify(None, None, tmp_path / "receipt.json", None)
    assert "promise" in capsys.readouterr().out
    assert verified(bundles / "open", receipt=read(receipt | {"proof": None}, tmp_path)).receipt_at == VOTE


def test_a_broken_promise_is_the_arenas_fault(bundles: Path, tmp_path: Path, receipt: dict[str, Any]) -> None:
    """The vote was signed for, and the ledger does not have it: the voter can show so."""
    leaf = receipt["leaf"].replace('"choice":"', '"choice":"x')
    promise = KEY.sign(ORIGIN, promise_text(ORIGIN, leaf_hash(leaf.encode())))
    found = fault(
        bundles / "open", receipt=read(receipt | {"leaf": leaf, "promise": promise, "proof": None}, tmp_path)
    )
    assert (found.place, "does not hold its vote" in found.what) == ("the receipt", True)


def test_a_receipt_of_a_past_that_was_rewritten_convicts_the_bundle(
    bundles: Path, tmp_path: Path, receipt: dict[str, Any]
) -> None:
    def change(ledger: list[dict[str, Any]]) -> None:
        ledger[1]["prompt"] = "0" * 64

    forgery = forged(bundles / "open", tmp_path / "forged", change)
    found = fault(forgery, receipt=read(receipt, tmp_path))
    assert (found.place, "another ledger" in found.what) == ("the receipt", True)


def test_a_bundle_older_than_the_receipt_says_so(bundles: Path, tmp_path: Path) -> None:
    found = fault(bundles / "open", receipt=read(receipt_of(bundles / "closed"), tmp_path))
    assert (found.place, "older" in found.what) == ("entry 51", True)


def test_a_receipt_in_a_strangers_name_accuses_nobody(bundles: Path, tmp_path: Path) -> None:
    """Signed by another key, or of another round: it is the receipt that is named, not the ledger."""
    stranger = receipt_of(bundles / "open", key=OTHER_KEY) | {"proof": None}
    elsewhere = receipt_of(bundles / "open", origin=KEY.origin("stage-2")) | {"proof": None}
    for receipt in (stranger, elsewhere):
        found = fault(bundles / "open", receipt=read(receipt, tmp_path))
        assert (found.place, "signed by" in found.what) == ("the receipt", True)
        assert not run_verify(None, None, tmp_path / "receipt.json", str(KEY.verifier(ORIGIN)))


def other_leaf(receipt: dict[str, Any]) -> None:
    choice = "both_bad" if '"choice":"a"' in receipt["leaf"] else "a"
    receipt["leaf"] = json.dumps(json.loads(receipt["leaf"]) | {"choice": choice}, separators=(",", ":"))


def in_proof(**values: Any) -> Callable[[dict[str, Any]], None]:
    return lambda receipt: receipt["proof"].update(values)


def without_signature(receipt: dict[str, Any]) -> None:
    receipt.update(promise=None, proof=None)


def other_checkpoint(receipt: dict[str, Any]) -> None:
    receipt["proof"]["checkpoint"] = receipt["proof"]["checkpoint"].replace("\n51\n", "\n52\n")


def a_hash_less(receipt: dict[str, Any]) -> None:
    receipt["proof"]["hashes"].pop()


@pytest.mark.parametrize(
    "forge",
    [
        other_leaf,
        without_signature,
        other_checkpoint,
        a_hash_less,
        in_proof(index=VOTE + 1),
        in_proof(index=-1),
        in_proof(index=10**30),
        in_proof(index="ten"),
        in_proof(index=None),
        in_proof(index=[]),
        in_proof(hashes=None),
        in_proof(hashes=[1]),
        in_proof(hashes=["zz"]),
        in_proof(hashes=["00"] * 6),
        in_proof(hashes={}),
        in_proof(checkpoint=None),
        in_proof(checkpoint=7),
        in_proof(checkpoint=""),
        lambda receipt: receipt.update(proof={}),
        lambda receipt: receipt.update(promise=""),
        lambda receipt: receipt.update(promise=receipt["proof"]["checkpoint"]),
        lambda receipt: receipt.update(leaf="{}"),
        lambda receipt: receipt.update(leaf='{"type":"vote.cast"}'),
        lambda receipt: receipt.update(leaf=receipt["leaf"].replace("vote.cast", "vote.bought")),
    ],
)
def test_a_forged_receipt_is_named(
    tmp_path: Path, receipt: dict[str, Any], forge: Callable[[dict[str, Any]], None]
) -> None:
    forge(receipt)
    with pytest.raises(FaultError) as found:
        read(receipt, tmp_path).check()
    assert found.value.place == "the receipt"


def test_an_entry_that_is_no_vote_is_no_receipt(bundles: Path, tmp_path: Path) -> None:
    with pytest.raises(FaultError, match="not a vote"):
        read(receipt_of(bundles / "open", position=1), tmp_path).check()


@pytest.mark.parametrize("name", ["format", "key", "leaf", "promise", "proof"])
@pytest.mark.parametrize("value", [0, 1.5, True, [], "", "x", {"a": 1}, "missing"], ids=repr)
def test_what_is_no_receipt_is_refused_or_named(
    tmp_path: Path, receipt: dict[str, Any], name: str, value: Any
) -> None:
    receipt[name] = value
    if value == "missing":
        del receipt[name]
    with pytest.raises((RefusedError, FaultError)):
        read(receipt, tmp_path).check()


def test_a_receipts_words_cannot_move_the_cursor(
    bundles: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is signed by whoever made it, and the terminal of the reader would obey."""
    escape = "\x1b[2J\x9b1A\nVERIFIED"

    def change(ledger: list[dict[str, Any]]) -> None:
        ledger[VOTE]["choice"] = ledger[VOTE]["round"] = ledger[VOTE]["at"] = escape

    receipt = receipt_of(resigned(bundles / "open", tmp_path / "forged", change))
    read(receipt, tmp_path)
    assert run_verify(None, None, tmp_path / "receipt.json", None)
    said = capsys.readouterr().out
    assert all(letter.isprintable() for letter in said.replace("\n", ""))
    assert said.count("\nVERIFIED\n") == 1
