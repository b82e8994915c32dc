"""Whatever lies in a bundle's folder: one clear message, no trace, in bounded time and memory."""

import json
import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from arena.errors import RefusedError
from tests.ledger.played import fault, kept
from tests.offline.hostile import VALUES, message
from tests.support import KEY

FILES = ("round.json", "ledger.jsonl", "checkpoints.jsonl", "votes.jsonl")
FIGURES = ("ratings.json", "scores.json")
DEEP = b'{"a":' * 100_000 + b"1" + b"}" * 100_000
LONGEST = 500


@pytest.fixture
def folder(bundles: Path, tmp_path: Path) -> Path:
    """The bundle of a closed round."""
    return shutil.copytree(bundles / "closed", tmp_path / "bundle")


def gone(file: Path) -> None:
    file.unlink()


def empty(file: Path) -> None:
    file.write_bytes(b"")


def directory(file: Path) -> None:
    file.unlink()
    file.mkdir()


def dangling(file: Path) -> None:
    file.unlink()
    file.symlink_to("nowhere")


def itself(file: Path) -> None:
    file.unlink()
    file.symlink_to(file.name)


def endless(file: Path) -> None:
    file.unlink()
    file.symlink_to("/dev/zero")


def pipe(file: Path) -> None:
    file.unlink()
    os.mkfifo(file)


def cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-7])


def not_utf8(file: Path) -> None:
    file.write_bytes(file.read_bytes().replace(b"stage-1", b"stage\xff1").replace(b"e2", b"e\xff"))


def half_a_letter(file: Path) -> None:
    file.write_bytes(file.read_bytes().replace(b"stage-1", b"\\ud800").replace(b"e2", b"\\ud800"))


def nul(file: Path) -> None:
    file.write_bytes(b"\0" * 1000)


def deep(file: Path) -> None:
    file.write_bytes(DEEP + b"\n")


def not_a_number(file: Path) -> None:
    file.write_bytes(b'{"size":NaN,"entry":NaN,"type":NaN,"format":NaN,"seed":Infinity}\n')


def a_list(file: Path) -> None:
    file.write_bytes(b"[]\n")


def utf16(file: Path) -> None:
    file.write_bytes(file.read_text("utf-8").encode("utf-16"))


def twice(file: Path) -> None:
    """Its first name comes once more, in front, with what another reader might take."""
    head, name, rest = re.split(rb'("\w+":)', file.read_bytes(), maxsplit=1)
    file.write_bytes(head + name + b'"x",' + name + rest)


@pytest.mark.parametrize("name", [*FILES, *FIGURES])
@pytest.mark.parametrize(
    "spoil",
    [
        gone,
        empty,
        directory,
        dangling,
        itself,
        endless,
        pipe,
        cut,
        not_utf8,
        half_a_letter,
        nul,
        deep,
        not_a_number,
        a_list,
        utf16,
        twice,
    ],
)
def test_a_file_that_is_not_what_it_should_be_is_named(
    folder: Path, name: str, spoil: Callable[[Path], None]
) -> None:
    spoil(folder / name)
    said = message(folder)
    assert name in said or "entry" in said or "entries" in said
    assert len(said) < LONGEST + len(str(folder))


@pytest.mark.parametrize("spoil", [empty, directory, endless, pipe, cut, nul, deep])
def test_a_parquet_file_that_is_none_is_named(folder: Path, spoil: Callable[[Path], None]) -> None:
    spoil(folder / "votes.parquet")
    assert "votes.parquet" in message(folder)


@pytest.mark.parametrize("spoil", [gone, empty, directory, endless, pipe, nul, deep, a_list])
def test_a_checkpoint_file_that_is_none_is_named(folder: Path, tmp_path: Path, spoil: Callable[[Path], None]) -> None:
    from arena.offline.witnesses import KeptCheckpoint, Receipt

    for read in (KeptCheckpoint.read, Receipt.read):
        file = tmp_path / "held.txt"
        file.write_text("x")
        spoil(file)
        with pytest.raises(RefusedError, match=r"held\.txt"):
            read(file)
        file.rmdir() if file.is_dir() else file.unlink(missing_ok=True)


def test_a_bundle_that_is_no_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    for folder in (tmp_path / "nowhere", tmp_path / "file", tmp_path):
        assert "round.json" in message(folder)


# Values


@pytest.mark.parametrize("value", VALUES, ids=lambda value: repr(value)[:20])
def test_any_value_in_what_the_bundle_says_of_itself_is_noticed(folder: Path, value: Any) -> None:
    about = json.loads((folder / "round.json").read_text("utf-8"))
    for name in about.keys() - {"software", "title", "erased"}:
        if about[name] == value:
            continue
        (folder / "round.json").write_text(json.dumps(about | {name: value}), "utf-8")
        message(folder)


@pytest.mark.parametrize("value", [None, True, -1, 1.5, 1e400, "3", [], {}])
def test_the_number_of_the_erased_is_a_number(folder: Path, value: Any) -> None:
    about = json.loads((folder / "round.json").read_text("utf-8"))
    (folder / "round.json").write_text(json.dumps(about | {"erased": value}), "utf-8")
    if value is not True:
        assert "erased" in message(folder)


def test_an_empty_ledger_verifies_nothing(bundles: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(bundles / "open", tmp_path / "bundle")
    for name in FILES[1:]:
        (folder / name).write_bytes(b"")
    assert "ledger.jsonl" in message(folder)


def test_a_checkpoint_of_another_round_accuses_nobody(bundles: Path) -> None:
    held = kept(bundles / "open")
    other = type(held.checkpoint)(KEY.origin("stage-9"), 10**6, held.checkpoint.root)
    found = fault(bundles / "open", kept=type(held)(KEY.sign(other.origin, other.text()), other))
    assert (found.place, "stage-9" in found.what) == ("the checkpoint given", True)
