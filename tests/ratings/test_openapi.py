"""schemathesis finds no fault with the API: every answer is what its OpenAPI document says."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import jsonschema_rs
import pytest

from arena.db import Database
from tests.ratings.pipeline import BALLOTS, Pipeline, cast_ballots, pipeline_of
from tests.support import open_round, round_file

EXAMPLES = 15


@pytest.fixture
def pipeline(sqlite_url: str, teams: str) -> Iterator[Pipeline]:
    db = Database(sqlite_url)
    cast_ballots(db, open_round(db, round_file(teams)), BALLOTS)
    with pipeline_of(db, sqlite_url) as found:
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


def test_the_document_describes_every_route_its_key_and_its_errors(pipeline: Pipeline) -> None:
    document = pipeline.http.get("/api/v1/openapi.json").json()
    assert document["servers"] == [{"url": "/api/v1"}]
    assert set(document["paths"]) == {
        "/rounds",
        "/rounds/{slug}",
        "/rounds/{slug}/ratings",
        "/rounds/{slug}/pairs",
        "/rounds/{slug}/scores",
        "/rounds/{slug}/votes",
    }
    for path in document["paths"].values():
        assert path["get"]["security"] == [{"HTTPBearer": []}]
        assert {"200", "401", "403"} <= set(path["get"]["responses"])
        for status in ("401", "403"):
            assert set(path["get"]["responses"][status]["content"]) == {"application/problem+json"}
