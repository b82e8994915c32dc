"""`arena export` and `arena verify` as processes: exit codes, one clear line, and nothing needed but the bundle."""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from arena.db import Database
from arena.offline.bundle import CHECKPOINTS, LEDGER, ROUND
from tests.data import closes
from tests.ledger.played import entries, forged, rows
from tests.ledger.receipts import receipt_of


@dataclass(frozen=True, slots=True)
class Ran:
    code: int
    out: str
    err: str

    @property
    def last(self) -> str:
        return self.out.splitlines()[-1]


@pytest.fixture
def folder(bundles: Path, tmp_path: Path) -> Path:
    """A working folder with the bundle of a closed round, and with settings that no command could use."""
    shutil.copytree(bundles / "closed", tmp_path / "work" / "bundle")
    (tmp_path / "work" / ".env").write_text("ARENA_DATABASE_URL=nonsense\n")
    return tmp_path / "work"


def run(folder: Path, *arguments: str, **settings: str) -> Ran:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("ARENA_")}
    path = {"PYTHONPATH": str(Path(__file__).parents[2])}
    command = [sys.executable, "-m", "arena", *arguments]
    done = subprocess.run(
        command, cwd=folder, env=clean | path | settings, capture_output=True, text=True, check=False, timeout=60
    )
    return Ran(done.returncode, done.stdout, done.stderr)


def key(folder: Path) -> str:
    return str(json.loads((folder / "bundle" / ROUND).read_text("utf-8"))["key"])


def keep(folder: Path, number: int = 2) -> str:
    """The name of a file with a checkpoint."""
    (folder / "kept.txt").write_text(rows(folder / "bundle", CHECKPOINTS)[number]["note"], "utf-8")
    return "kept.txt"


def hand_out(folder: Path, **changed: object) -> str:
    """The name of a file with a receipt."""
    (folder / "receipt.json").write_text(json.dumps(receipt_of(folder / "bundle") | changed), "utf-8")
    return "receipt.json"


def test_a_bundle_verifies_where_there_is_nothing_else(folder: Path) -> None:
    ran = run(folder, "verify", "bundle")
    assert (ran.code, ran.last, ran.err) == (0, "VERIFIED", "")
    assert "stage-1: 53 entries, 9 signed checkpoints" in ran.out
    assert "agree to the last digit" in ran.out
    assert "compare the key" in ran.out


@pytest.mark.parametrize(
    ("announced", "says"),
    [
        (None, "no end had been announced at the opening"),
        ("2999-01-01T00:00:00.000Z", "before the end that was announced at the opening, 2999-01-01"),
        ("now", "at the end that was announced at the opening"),
    ],
)
def test_it_says_whether_the_round_was_closed_when_it_was_announced(
    folder: Path, tmp_path: Path, announced: str | None, says: str
) -> None:
    closed = next(entry["at"] for entry in entries(folder / "bundle") if entry["type"] == "round.closed")
    end = closed if announced == "now" else announced
    forged(folder / "bundle", tmp_path / "announced", lambda ledger: ledger[0].update(closes_at=end))
    ran = run(tmp_path, "verify", "announced")
    assert (ran.code, ran.last) == (0, "VERIFIED")
    assert f"closed {closed}" in ran.out
    assert says in ran.out


def test_a_checkpoint_and_a_key_from_before_are_held_against_it(folder: Path) -> None:
    ran = run(folder, "verify", "bundle", "--checkpoint", keep(folder), "--key", key(folder))
    assert (ran.code, ran.last) == (0, "VERIFIED")
    assert "is of this same ledger" in ran.out
    assert "compare the key" not in ran.out


def test_what_fails_first_is_named_with_exit_1(folder: Path) -> None:
    ledger = (folder / "bundle" / LEDGER).read_bytes()
    second = entries(folder / "bundle")[5]["battle"].encode()
    (folder / "bundle" / LEDGER).write_bytes(ledger.replace(second, b"0" * 32))
    ran = run(folder, "verify", "bundle")
    assert (ran.code, ran.err) == (1, "")
    assert ran.out.startswith("FAILED at entry 5: ")
    assert len(ran.out.splitlines()) == 1


@pytest.mark.parametrize("arguments", [["bundle"], ["--receipt", "receipt.json"]], ids=["bundle", "receipt"])
def test_another_key_is_a_failure(folder: Path, arguments: list[str]) -> None:
    hand_out(folder)
    other = key(folder).replace("stage-1+", "stage-2+")
    ran = run(folder, "verify", *arguments, "--key", other)
    assert (ran.code, "FAILED at " in ran.out, other in ran.out or "not the one given" in ran.out) == (1, True, True)


def test_a_receipt_verifies_alone_and_with_its_bundle(folder: Path) -> None:
    receipt = hand_out(folder)
    alone = run(folder, "verify", "--receipt", receipt)
    assert (alone.code, alone.last) == (0, "VERIFIED")
    assert "the ledger of 53 entries holds it" in alone.out
    within = run(folder, "verify", "bundle", "--receipt", receipt, "--key", key(folder))
    assert (within.code, within.last) == (0, "VERIFIED")
    assert "the receipt's vote is entry 10" in within.out


def test_a_forged_receipt_fails(folder: Path) -> None:
    receipt = hand_out(folder, leaf=json.dumps({"type": "vote.cast", "choice": "a"}))
    for arguments in (["--receipt", receipt], ["bundle", "--receipt", receipt]):
        ran = run(folder, "verify", *arguments)
        assert (ran.code, ran.out.startswith("FAILED at the receipt: ")) == (1, True)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["nowhere"], "nowhere/round.json"),
        ([], "expected the folder"),
        (["--checkpoint", "kept.txt"], "expected the folder"),
        (["bundle", "--checkpoint", "nowhere"], "nowhere"),
        (["bundle", "--receipt", "nowhere"], "nowhere"),
        (["bundle", "--receipt", "bundle/round.json"], "expected a receipt"),
        (["bundle", "--checkpoint", "bundle/README.md"], "README.md"),
        (["bundle", "--nonsense"], "--nonsense"),
    ],
)
def test_what_cannot_be_verified_is_refused_in_one_line(folder: Path, arguments: list[str], says: str) -> None:
    keep(folder)
    ran = run(folder, "verify", *arguments)
    assert (ran.code, ran.out, ran.err.count("\n")) == (2, "", 1), ran
    assert ran.err.startswith("arena: ")
    assert says in ran.err


def test_progress_is_shown_on_standard_error_alone(folder: Path) -> None:
    primary, secondary = os.openpty()
    with subprocess.Popen(
        [sys.executable, "-m", "arena", "verify", str(folder / "bundle")],
        stdout=subprocess.PIPE,
        stderr=secondary,
        text=True,
    ) as running:
        os.close(secondary)
        said, shown = running.communicate()[0], os.read(primary, 10_000).decode()
    os.close(primary)
    assert (running.returncode, said.splitlines()[-1]) == (0, "VERIFIED")
    assert ("verifying" in shown, "VERIFIED" in shown, "verifying" in said) == (True, False, False)


def test_a_round_is_exported_and_verified(played: Database, played_url: str, tmp_path: Path) -> None:
    settings = {"ARENA_DATABASE_URL": played_url}
    made = run(tmp_path, "export", "stage-1", "--out", "open", **settings)
    assert (made.code, made.err) == (0, "")
    assert made.out.splitlines()[0] == "open: 51 entries, 19 votes, 0 conversations erased"
    assert "sealed" in made.out
    closes(played)
    assert run(tmp_path, "export", "stage-1", "--out", "closed", **settings).code == 0
    for name in ("open", "closed"):
        assert run(tmp_path, "verify", name).code == 0
    for slug, out, says in (("stage-9", "other", "'stage-9'"), ("stage-1", "open", "not empty")):
        refused = run(tmp_path, "export", slug, "--out", out, **settings)
        assert (refused.code, refused.out, says in refused.err) == (2, "", True)
