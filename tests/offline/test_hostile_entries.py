"""Hostile entries that are signed, as whoever made the bundle has a key: named, in bounded time and memory."""

import resource
import shutil
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from arena.errors import RefusedError
from arena.offline.faults import FaultError
from tests.ledger.played import Entries, entries, fault, forged, resigned, verified
from tests.offline.hostile import VALUES, message


def positions(ledger: Entries) -> list[int]:
    """One entry of each type."""
    first = {entry["type"]: position for position, entry in reversed(list(enumerate(ledger)))}
    return sorted(first.values())


@pytest.mark.parametrize("value", VALUES, ids=lambda value: repr(value)[:20])
@pytest.mark.parametrize("name", ["open", "closed"])
def test_any_value_in_an_entry_that_is_signed_is_taken_or_named(
    bundles: Path, tmp_path: Path, name: str, value: Any
) -> None:
    """The operator's key is in hostile hands. What an entry does not need may be anything; nothing else breaks."""
    ledger = entries(bundles / name)
    for position in positions(ledger):
        for field in ledger[position]:

            def change(forged_: Entries, position: int = position, field: str = field) -> None:
                forged_[position][field] = value

            folder = resigned(bundles / name, tmp_path / "forged", change)
            with suppress(FaultError, RefusedError):
                verified(folder)
            shutil.rmtree(folder)


@pytest.mark.parametrize("name", ["open", "closed"])
def test_an_entry_that_lacks_a_name_is_named(bundles: Path, tmp_path: Path, name: str) -> None:
    ledger = entries(bundles / name)
    for position in positions(ledger):
        for field in ledger[position]:

            def change(forged_: Entries, position: int = position, field: str = field) -> None:
                del forged_[position][field]

            message(resigned(bundles / name, tmp_path / "forged", change))
            shutil.rmtree(tmp_path / "forged")


@pytest.mark.parametrize("k", [10**18, 2**63, 10**9, 20, -1])
def test_a_place_far_away_is_named_without_counting_up_to_it(bundles: Path, tmp_path: Path, k: int) -> None:
    def change(ledger: Entries) -> None:
        ledger[1]["k"] = k

    assert fault(forged(bundles / "open", tmp_path / "forged", change)).place == "entry 1"


def many(ledger: Entries) -> None:
    ledger[0]["entries"] = [ledger[0]["entries"][0] | {"entry": f"e{number}"} for number in range(20_000)]


def test_a_crowd_of_entries_is_named_without_pairing_them(bundles: Path, tmp_path: Path) -> None:
    assert fault(forged(bundles / "open", tmp_path / "forged", many)).place == "entry 0"


def test_deep_entries_are_named(bundles: Path, tmp_path: Path) -> None:
    for depth in (200, 300, 500, 2000):
        lines = (bundles / "open" / "ledger.jsonl").read_bytes().splitlines(keepends=True)
        nested = b'{"a":' * depth + b"1" + b"}" * depth
        lines[1] = lines[1].replace(b'"at":', b'"aa":' + nested + b',"at":')
        folder = shutil.copytree(bundles / "open", tmp_path / str(depth))
        (folder / "ledger.jsonl").write_bytes(b"".join(lines))
        assert message(folder).startswith("entr")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'"k":0', b'"k":0,"k":0'),
        (b'"k":0', b'"k": 0'),
        (b'"k":0', b'"k":0.0'),
        (b'"k":0', b'"k":-0'),
        (b'"k":0', b'"k":00'),
        (b'"epoch":1', b'"epoch":1e0'),
        (b"stage-1", b"stage\\u002d1"),
        (b"battle.started", b"battle\\u002estarted"),
        (b"{", b"\xef\xbb\xbf{"),
        (b'"type"', b'"typ\xcc\x81e"'),
    ],
)
def test_an_entry_that_is_written_in_another_way_is_no_entry(
    bundles: Path, tmp_path: Path, old: bytes, new: bytes
) -> None:
    folder = shutil.copytree(bundles / "open", tmp_path / "bundle")
    lines = (folder / "ledger.jsonl").read_bytes().splitlines(keepends=True)
    assert old in lines[1]
    lines[1] = lines[1].replace(old, new, 1)
    (folder / "ledger.jsonl").write_bytes(b"".join(lines))
    assert message(folder).startswith("entry 1: ")


def test_hostile_sizes_need_little_time_and_memory(bundles: Path, tmp_path: Path) -> None:
    """In a process that may use 10 s of processor and 2 GB of addresses."""

    def change(ledger: Entries) -> None:
        ledger[0]["rules"]["max_battles_per_voter"] = 2**53 - 1
        ledger[0]["rules"]["rated_votes_per_voter"] = 2**53 - 1
        ledger[1]["k"] = 2**53 - 1
        ledger[0]["epoch"] = ledger[1]["epoch"] = 2**53 - 1

    def limits() -> None:
        resource.setrlimit(resource.RLIMIT_CPU, (20, 20))
        resource.setrlimit(resource.RLIMIT_AS, (2 << 30, 2 << 30))

    folder = forged(bundles / "open", tmp_path / "forged", change)
    (folder / "checkpoints.jsonl").write_bytes(b'{"size":' + b"9" * 4000 + b',"note":"' + b"x" * 10**6 + b'"}\n')
    done = subprocess.run(
        [sys.executable, "-m", "arena", "verify", str(folder)],
        preexec_fn=limits,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr.count("Traceback")) in ((1, 0), (2, 0)), done.stderr
