"""`arena rate` as a person meets it."""

import csv
import io
import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from math import log
from pathlib import Path

import pytest

from arena.cli import main
from arena.offline.command import ROWS_SHOWN

ROOT = Path(__file__).parents[2]
DATA = ROOT / "tests" / "stats" / "data"
EXAMPLE = ROOT / "docs" / "examples" / "votes.csv"
OF_EXAMPLE = (
    "GPT 3.5 Turbo (16k)",
    "command-light",
    "Weaver 12k",
    "Dolly v2 (12B)",
    "Open-Assistant StableLM SFT-7 (7B)",
)
HEADER = "model_a,model_b,winner,voter\n"


@dataclass(frozen=True, slots=True)
class Ran:
    code: int
    out: str
    err: str


Arena = Callable[..., Ran]


@pytest.fixture
def rate(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Arena:
    """Runs `arena rate ARGUMENTS` at a terminal of this width."""

    def run(*arguments: str | Path, width: int = 80, stdin: bytes = b"") -> Ran:
        with monkeypatch.context() as patch:
            patch.setattr(sys, "argv", ["arena", "rate", *map(str, arguments)])
            patch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
            patch.setenv("COLUMNS", str(width))
            with pytest.raises(SystemExit) as ended:
                main()
        written = capsys.readouterr()
        return Ran(int(ended.value.code or 0), written.out, written.err)

    return run


def llmfao() -> list[list[str]]:
    """The public votes in the columns of a vote file."""
    outcomes = {"left": "model_a", "right": "model_b", "tie": "tie"}
    with (DATA / "llmfao.csv").open(encoding="utf-8", newline="") as file:
        return [[row["left"], row["right"], outcomes[row["winner"]], row["worker"]] for row in csv.DictReader(file)]


def written(rows: list[list[str]], line_end: str = "\n") -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator=line_end).writerows(rows)
    return HEADER + text.getvalue()


def test_llmfao_gets_its_published_ratings(rate: Arena, tmp_path: Path) -> None:
    votes = tmp_path / "llmfao.csv"
    votes.write_text(written(llmfao()), encoding="utf-8")
    ran = rate(votes, "--json", "--no-side")
    assert (ran.code, ran.err) == (0, "")
    body = json.loads(ran.out)
    assert (body["state"], body["method"], body["voters"], body["side"]) == ("ok", "bt-half-cr1", 124, None)

    with (DATA / "llmfao-golden.csv").open(encoding="utf-8", newline="") as file:
        golden = [row for row in csv.DictReader(file) if row["algorithm"] == "bradley_terry"]
    published = {row["item"]: log(float(row["score"])) for row in golden}
    middle = sum(published.values()) / len(published)
    for entry in body["entries"]:
        expected = 1000 + 400 / log(10) * (published[entry["entry"]] - middle)
        assert float(entry["rating"]) == pytest.approx(expected, abs=1e-6)
    assert [entry["entry"] for entry in body["entries"]] == sorted(published)


def test_the_example_holds_the_llmfao_votes_on_five_models() -> None:
    rows = [row for row in llmfao() if row[0] in OF_EXAMPLE and row[1] in OF_EXAMPLE]
    assert EXAMPLE.read_text(encoding="utf-8") == written(rows)


def test_the_installed_command_rates_the_example() -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "arena", "rate", EXAMPLE], capture_output=True, encoding="utf-8", check=True
    )
    assert ran.stderr == ""
    assert all(model.split()[0] in ran.stdout for model in OF_EXAMPLE)
    assert "291 votes, by 79 voters. Method bt-half-side-cr1, version 1." in ran.stdout


def test_standard_input_is_read_as_well(rate: Arena) -> None:
    assert rate("-", stdin=EXAMPLE.read_bytes()).out == rate(EXAMPLE).out


@pytest.mark.parametrize("width", [80, 120])
def test_the_table_fits_the_terminal_and_has_no_colour_in_a_pipe(rate: Arena, width: int) -> None:
    ran = rate(EXAMPLE, width=width)
    assert ran.code == 0
    assert max(map(len, ran.out.splitlines())) <= width
    assert "\x1b" not in ran.out


def test_the_order_of_the_rows_changes_no_digit(rate: Arena, tmp_path: Path) -> None:
    header, *rows = EXAMPLE.read_text("utf-8").splitlines(keepends=True)
    (tmp_path / "reversed.csv").write_text(header + "".join(reversed(rows)), "utf-8")
    assert rate(tmp_path / "reversed.csv", "--json").out == rate(EXAMPLE, "--json").out


def test_rows_that_are_no_votes_are_told_and_the_rest_is_rated(rate: Arena, tmp_path: Path) -> None:
    broken = tmp_path / "broken.csv"
    broken.write_text(EXAMPLE.read_text("utf-8") + "x\n" * 12 + ",y,tie,1\n", "utf-8")
    ran = rate(broken)
    assert (ran.code, ran.out) == (0, rate(EXAMPLE).out)
    told = [f"row {row}: not 4 fields" for row in range(292, 292 + ROWS_SHOWN)]
    counted = ["rows left out: 12 (not 4 fields)", "rows left out: 1 (model_a is missing)"]
    assert ran.err.splitlines() == told + counted

    strict = rate(broken, "--strict")
    assert (strict.code, strict.out) == (2, "")
    assert strict.err.splitlines()[-1] == f"arena: {broken}: 13 rows are no votes, and --strict allows none"


def test_strict_rates_a_file_without_fault(rate: Arena) -> None:
    assert rate(EXAMPLE, "--strict") == rate(EXAMPLE)


def test_an_unknown_outcome_ends_everything(rate: Arena, tmp_path: Path) -> None:
    (tmp_path / "v.csv").write_text(EXAMPLE.read_text("utf-8") + "x,y,draw,1\n", "utf-8")
    ran = rate(tmp_path / "v.csv")
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith(f"arena: {tmp_path / 'v.csv'}: row 292: unknown winner 'draw'; expected one of: ")


@pytest.mark.parametrize("rows", ["", "x,x,tie,1\n"])
def test_a_file_without_a_single_vote_is_refused(rate: Arena, tmp_path: Path, rows: str) -> None:
    (tmp_path / "v.csv").write_text(HEADER + rows, "utf-8")
    ran = rate(tmp_path / "v.csv", "--json")
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.endswith(f"arena: {tmp_path / 'v.csv'}: there are no votes in it\n")


def test_only_the_first_votes_of_each_voter_count_when_asked(rate: Arena) -> None:
    votes = {
        cap: sum(entry["votes"] for entry in json.loads(rate(EXAMPLE, "--json", *cap).out)["entries"])
        for cap in [("--votes-per-voter", "1"), ("--votes-per-voter", "1000"), ()]
    }
    assert list(votes.values()) == [2 * 79, 2 * 291, 2 * 291]
    assert rate(EXAMPLE, "--votes-per-voter", "0").code == 2


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        ("x,y,model_a,1\n", "some models have only won or only lost against the others"),
        ("x,y,tie,1\nz,w,tie,1\n", "some models never met the others"),
        ("x,y,model_a,1\ny,x,model_a,1\n", "--no-side"),
        ("x,y,model_a,1\ny,x,model_b,1\nx,y,model_b,2\ny,x,model_a,2\n", "No intervals: too few voters"),
    ],
)
def test_votes_that_do_not_give_everything_say_why_in_words(
    rate: Arena, tmp_path: Path, rows: str, says: str
) -> None:
    (tmp_path / "v.csv").write_text(HEADER + rows, "utf-8")
    ran = rate(tmp_path / "v.csv")
    assert (ran.code, ran.err) == (0, "")
    assert says in " ".join(ran.out.split())


def test_without_the_side_s_effect_votes_won_by_the_first_are_ratable(rate: Arena, tmp_path: Path) -> None:
    (tmp_path / "v.csv").write_text(HEADER + "x,y,model_a,1\ny,x,model_a,1\n", "utf-8")
    assert json.loads(rate(tmp_path / "v.csv", "--json").out)["why"]["code"] == "side_not_estimable"
    assert json.loads(rate(tmp_path / "v.csv", "--json", "--no-side").out)["state"] == "ok"


def test_the_command_line_starts_without_what_only_vote_files_need() -> None:
    imported = "import arena.cli, arena.app, sys; print('pyarrow' in sys.modules)"
    ran = subprocess.run([sys.executable, "-c", imported], capture_output=True, text=True, check=True)
    assert ran.stdout == "False\n"
