"""schemathesis finds no fault with the API: every answer is what its OpenAPI document says."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from arena.db import Database
from tests.ratings.pipeline import BALLOTS, Pipeline, cast_ballots, pipeline_of
from tests.support import eventually, open_round, round_file

EXAMPLES = 15


@pytest.fixture
def pipeline(sqlite_url: str, teams: str) -> Iterator[Pipeline]:
    db = Database(sqlite_url)
    cast_ballots(db, open_round(db, round_file(teams)), BALLOTS)
    with pipeline_of(db, sqlite_url) as found:
        assert eventually(lambda: found.get("/rounds/stage-1/checkpoint").status_code == 200)
        yield found
    db.close()


def assert_no_fault(pipeline: Pipeline, folder: Path, *options: str) -> None:
    """Every check, the same cases each time."""
    ran = subprocess.run(
        [
            *(sys.executable, "-m", "schemathesis.cli", "run", f"{pipeline.http.base_url}/api/v1/openapi.json"),
            *(
                "--checks=all",
                f"--max-examples={EXAMPLES}",
                "--generation-deterministic",
                "--suppress-health-check=all",
            ),
            *("--warnings=off", "--continue-on-failure", "--no-color", *options),
        ],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "No issues found" in ran.stdout, ran.stdout


def test_schemathesis_finds_no_fault_with_a_key(pipeline: Pipeline, tmp_path: Path) -> None:
    assert_no_fault(pipeline, tmp_path, f"--header=Authorization: Bearer {pipeline.key}")


def test_schemathesis_finds_no_fault_without_a_key(pipeline: Pipeline, tmp_path: Path) -> None:
    assert_no_fault(pipeline, tmp_path, "--phases=examples,coverage")


def test_every_line_of_votes_is_as_documented(pipeline: Pipeline) -> None:
    document = pipeline.http.get("/api/v1/openapi.json").json()
    content = document["paths"]["/rounds/{slug}/votes"]["get"]["responses"]["200"]["content"]
    assert set(content) == {"application/x-ndjson"}
    validator = jsonschema_rs.validator_for(content["application/x-ndjson"]["schema"])
    lines = pipeline.get("/rounds/stage-1/votes").text.splitlines()
    assert len(lines) == len(BALLOTS)
    for line in lines:
        validator.validate(json.loads(line))


LEDGER = {
    "/rounds/{slug}/checkpoint",
    "/rounds/{slug}/checkpoints/{size}",
    "/rounds/{slug}/proofs/inclusion",
    "/rounds/{slug}/proofs/consistency",
    "/rounds/{slug}/leaves",
}
WITH_KEY = {
    "/rounds",
    "/rounds/{slug}",
    "/rounds/{slug}/ratings",
    "/rounds/{slug}/pairs",
    "/rounds/{slug}/scores",
    "/rounds/{slug}/votes",
}


def test_the_document_describes_every_route_its_key_and_its_errors(pipeline: Pipeline) -> None:
    document = pipeline.http.get("/api/v1/openapi.json").json()
    assert document["servers"] == [{"url": "/api/v1"}]
    assert set(document["paths"]) == WITH_KEY | LEDGER
    for path in WITH_KEY:
        described = document["paths"][path]["get"]
        assert described["security"] == [{"HTTPBearer": []}]
        assert_problems_described(described, "401", "403", "404", "422")


def test_the_document_asks_for_no_key_to_read_a_ledger(pipeline: Pipeline) -> None:
    document = pipeline.http.get("/api/v1/openapi.json").json()
    kinds = set()
    for path in LEDGER:
        described = document["paths"][path]["get"]
        assert "security" not in described
        assert {"200", "304", "404", "422"} == set(described["responses"])
        assert_problems_described(described, "404", "422")
        kinds |= set(described["responses"]["200"]["content"])
    assert kinds == {"text/plain", "application/json", "application/x-ndjson"}


def assert_problems_described(described: dict[str, Any], *statuses: str) -> None:
    for status in statuses:
        assert set(described["responses"][status]["content"]) == {"application/problem+json"}
