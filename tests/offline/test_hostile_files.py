"""Whatever is no vote is named, and whatever cannot be rated is refused in one line."""

import gzip
import io
import json
from contextlib import suppress
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet
import pytest
from hypothesis import given
from hypothesis import strategies as st

from arena.errors import RefusedError
from arena.offline.columns import MAX_ENTRIES
from arena.offline.vote_file import read_votes
from arena.stats.clusters import Independent
from tests.offline.votes import GOOD, HEADER, OUTCOME, ROW, Vote, as_csv, as_ndjson, as_parquet, assert_counted, read


def refusal(folder: Path, name: str, content: bytes) -> str:
    with pytest.raises(RefusedError) as refused:
        read(folder, name, content)
    said = str(refused.value)
    assert said.startswith(f"{folder / name}: ")
    assert "\n" not in said
    assert len(said) < 1000
    return said.removeprefix(f"{folder / name}: ")


def test_votes_without_a_voter_column_are_independent(tmp_path: Path) -> None:
    counted = read(tmp_path, "v.csv", HEADER + GOOD * 3)
    assert isinstance(counted.cells.clusters, Independent)
    assert counted.cells.clusters.voters == 3


@pytest.mark.parametrize(("name", "content"), [("v.csv", HEADER + GOOD), ("v.ndjson", ROW)])
def test_a_cap_needs_a_voter_column(tmp_path: Path, name: str, content: bytes) -> None:
    with pytest.raises(RefusedError, match="no column voter"):
        read(tmp_path, name, content, 1)


@pytest.mark.parametrize(
    ("rows", "unusable"),
    [
        (b",y,tie\n" + GOOD, {1: "model_a is missing"}),
        (GOOD + b'x,"",tie\n', {2: "model_b is missing"}),
        (GOOD + b"  ,y,tie\n", {2: "model_a is missing"}),
        (GOOD + b"x,x,tie\n", {2: "the same model on both sides"}),
        (GOOD + b"x,y\n" + GOOD + b"x,y,tie,\n", {2: "not 3 fields", 4: "not 3 fields"}),
        (GOOD + b"x\xff,y,tie\n" + b"x,\xb0\xa1,tie\n", {2: "model_a is not UTF-8", 3: "model_b is not UTF-8"}),
        (GOOD + b"\xff\n" + b"x,\xff,tie\n", {2: "not 3 fields", 3: "model_b is not UTF-8"}),
        (b'"x\nx",y,tie\n\n\nx,x,tie\n', {2: "the same model on both sides"}),
        (b",y,tie\n" + b"x\n" + GOOD, {1: "model_a is missing", 2: "not 3 fields"}),
        (GOOD + b'"x,y,tie\nx,y,tie\n', {2: "not 3 fields"}),
    ],
)
def test_rows_of_csv_that_are_no_votes_are_named(tmp_path: Path, rows: bytes, unusable: dict[int, str]) -> None:
    counted = read(tmp_path, "v.csv", HEADER + rows)
    assert counted.unusable == unusable
    assert list(counted.unusable) == sorted(unusable)
    assert counted.cells.counts.sum() == max(rows.count(GOOD), 1)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"oops", "not JSON"),
        (b'{"model_a": "x"', "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (ROW.strip().replace(b"}", b', "voter": ' + b"1" * 5000 + b"}"), "not JSON"),
        (b"3", "not a JSON object"),
        (b'["model_a"]', "not a JSON object"),
        (b'{"model_a": 4, "model_b": "y", "winner": "tie"}', "a model's name is not text"),
        (b'{"model_a": "x", "model_b": ["y"], "winner": "tie"}', "a model's name is not text"),
        (b'{"model_b": "y", "winner": "tie"}', "model_a is missing"),
        (b'{"model_a": "x", "model_b": null, "winner": "tie"}', "model_b is missing"),
        (b'{"model_a": "\xff", "model_b": "y", "winner": "tie"}', "model_a is not UTF-8"),
        (b'{"model_a": "\\ud800", "model_b": "y", "winner": "tie"}', "model_a is not UTF-8"),
    ],
)
def test_lines_of_ndjson_that_are_no_votes_are_named(tmp_path: Path, line: bytes, reason: str) -> None:
    counted = read(tmp_path, "v.ndjson", ROW + line + b"\n\n" + ROW)
    assert counted.unusable == {2: reason}
    assert counted.cells.counts.sum() == 2


def test_a_voter_of_ndjson_may_be_a_number_or_missing(tmp_path: Path) -> None:
    voters = [b', "voter": 7', b', "voter": 7', b', "voter": null', b""]
    numbers = b"".join(ROW.replace(b"}", voter + b"}") for voter in voters)
    mixed = numbers + ROW.replace(b"}", b', "voter": "7"}')
    assert read(tmp_path, "v.ndjson", numbers).cells.clusters.voters == 3
    assert read(tmp_path, "v.ndjson", mixed).cells.clusters.voters == 3


def test_a_voter_of_parquet_may_be_a_number(tmp_path: Path) -> None:
    table = {"model_a": ["x"] * 3, "model_b": ["y"] * 3, "winner": ["tie"] * 3, "voter": [7, 7, None]}
    pyarrow.parquet.write_table(pa.table(table), tmp_path / "v.parquet")
    assert read_votes(tmp_path / "v.parquet").cells.clusters.voters == 2


@pytest.mark.parametrize("winner", [b"", b"Model_A", b"model_c", b"tie ", b"\xff", b"1", b"w" * 5000])
@pytest.mark.parametrize("broken", [b"", b"x\n"], ids=["", "after a broken row"])
def test_an_unknown_outcome_is_refused_with_its_row(tmp_path: Path, winner: bytes, broken: bytes) -> None:
    said = refusal(tmp_path, "v.csv", HEADER + GOOD + broken + b"x,y," + winner + b"\n" + b"x,y,later\n")
    assert said.startswith("row 3: " if broken else "row 2: ")
    assert (repr(winner.decode(errors="backslashreplace"))[:40] if winner else "missing") in said
    assert all(known in said for known in OUTCOME)


@pytest.mark.parametrize("winner", [b"null", b"1", b"true", b'["tie"]', b'"draw"'])
def test_an_unknown_outcome_of_ndjson_is_refused_with_its_row(tmp_path: Path, winner: bytes) -> None:
    said = refusal(tmp_path, "v.ndjson", ROW * 4 + ROW.replace(b'"tie"', winner))
    assert said.startswith("row 5: ")
    assert ("missing" if winner == b"null" else json.loads(winner) if b"draw" in winner else winner.decode()) in said


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("v.csv", b"", "is empty"),
        ("v.csv", b"\n\n", "no column model_a"),
        ("v.csv", b"x,y,tie\n" * 3, "found: 'x', 'y', 'tie'"),
        ("v.csv", b"model_a;model_b;winner\n", "found: 'model_a;model_b;winner'"),
        ("v.csv", b"model_a,left\n", "no column model_b and no column winner"),
        ("v.csv", b"model_a,model_b,winner,winner\nx,y,tie,model_a\n", "2 columns called winner"),
        ("v.csv", b"\xff\xfem\0o\0d\0e\0l\0_\0a\0", "no column model_a"),
        ("v.csv", b",".join(b"c%d" % n for n in range(5000)) + b"\n", "and 4980 more"),
        ("v.csv.gz", b"\x1f\x8bnot packed", "cannot be"),
        ("v.csv.gz", gzip.compress(HEADER, mtime=0)[:-9], "cannot be unpacked"),
        ("v.parquet", HEADER + GOOD, "cannot be read as Parquet"),
        ("v.parquet", b"PAR1" + b"\0" * 50 + b"PAR1", "cannot be read as Parquet"),
        ("v.json", b' [{"model_a": "x"}]', "one object a line"),
        ("v.ndjson", b'{"left": "x", "right": "y", "winner": "tie"}\n', "found: 'left', 'right', 'winner'"),
    ],
)
def test_a_file_that_cannot_be_rated_is_refused_in_one_line(
    tmp_path: Path, name: str, content: bytes, says: str
) -> None:
    assert says in refusal(tmp_path, name, content)


def test_a_missing_file_and_a_folder_are_refused(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "nowhere.csv"):
        with pytest.raises(RefusedError, match="cannot be read: "):
            read_votes(path)


@pytest.mark.parametrize(
    ("table", "says"),
    [
        ({"model_a": ["x"], "winner": ["tie"]}, "no column model_b"),
        ({"model_a": [1], "model_b": ["y"], "winner": ["tie"]}, "the column model_a holds int64"),
        ({"model_a": [["x"]], "model_b": ["y"], "winner": ["tie"]}, "the column model_a holds list"),
        ({"model_a": ["x"], "model_b": ["y"], "winner": [0.5]}, "the column winner holds double"),
        ({"model_a": ["x"], "model_b": ["y"], "winner": ["tie"], "voter": [{"id": 1}]}, "the column voter holds"),
        ({"model_a": ["x"], "model_b": ["y"], "winner": [None]}, "row 1: winner is missing"),
    ],
)
def test_parquet_of_other_columns_is_refused(tmp_path: Path, table: dict[str, list[object]], says: str) -> None:
    pyarrow.parquet.write_table(pa.table(table), file := io.BytesIO())
    assert says in refusal(tmp_path, "v.parquet", file.getvalue())


def test_too_many_models_are_refused_with_the_limit(tmp_path: Path) -> None:
    rows = b"".join(b"m%d,y,tie\n" % number for number in range(100_000))
    said = refusal(tmp_path, "v.csv", HEADER + rows)
    assert "100001 different models" in said
    assert str(MAX_ENTRIES) in said


@pytest.mark.parametrize("name", ["v.csv", "v.ndjson"])
def test_fields_of_any_length_are_read(tmp_path: Path, name: str) -> None:
    vote = ("x", "y", "tie", "long " * 2_000_000)
    content = as_csv([vote]) if name == "v.csv" else as_ndjson([vote])
    counted = read(tmp_path, name, content)
    assert_counted(counted.cells, [vote])


def test_names_may_hold_anything_that_is_text(tmp_path: Path) -> None:
    votes: list[Vote] = [("모델 가", "[bold]x\n\x1b[31m", "tie", None), ("NA", "null", "both_bad", None)]
    assert_counted(read(tmp_path, "v.csv", as_csv(votes)).cells, votes)


@given(st.binary(max_size=300))
def test_no_bytes_end_in_anything_but_votes_or_a_refusal(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    folder = tmp_path_factory.mktemp("votes")
    parquet = as_parquet([("x", "y", "tie", None)])
    for name, data in {
        "v": content,
        "v.csv": HEADER + content,
        "v.ndjson": ROW + content,
        "v.parquet": parquet[: len(content)] + parquet[-8:],
        "v.gz": gzip.compress(HEADER + content, mtime=0),
    }.items():
        with suppress(RefusedError):
            read(folder, name, data)
