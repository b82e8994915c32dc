"""What a scoring pipeline gets as points, and that anyone gets the same figures from the votes."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest

from arena.clock import now
from arena.db import Database
from arena.ratings.actions import close_round
from arena.rounds.tables import Round
from arena.stats.scores import Formula, ScoreRule
from tests.ratings.by_hand import CODES, Ballot, scored_by_hand
from tests.ratings.pipeline import BALLOTS, Pipeline, cast_ballots, pipeline_of
from tests.support import KEY, eventually, open_round, round_file

NAMED: list[Ballot] = [(f"voter {k:02}", *ballot) for k, ballot in enumerate(BALLOTS)]


def stage_with(db: Database, teams: str, **score: Any) -> Round:
    rules = {"points": 25, "formula": "anchored", "anchors": [0.35, 0.65], "min_votes_per_entry": 20}
    return open_round(db, round_file(teams, score=rules | score))


@pytest.fixture
def stage(db: Database, teams: str) -> Round:
    return stage_with(db, teams)


@pytest.fixture
def pipeline(stage: Round, db: Database, database_url: str) -> Iterator[Pipeline]:
    with pipeline_of(db, database_url) as found:
        yield found


def close(db: Database) -> None:
    db.writing(lambda session: close_round(session, "stage-1", KEY, now()))


def test_before_the_round_is_closed_only_provisional_scores_are_given_and_only_on_request(
    db: Database, stage: Round, pipeline: Pipeline
) -> None:
    cast_ballots(db, stage, BALLOTS)
    assert eventually(lambda: pipeline.json("/rounds/stage-1/ratings")["voters"] == len(BALLOTS))

    refused = pipeline.get("/rounds/stage-1/scores")
    assert (refused.status_code, refused.json()["type"]) == (409, "urn:blind-arena:not_final")
    found = pipeline.json("/rounds/stage-1/scores?provisional=true")
    assert (found["provisional"], found["final"]) == (True, False)
    assert {entry["provisional"] for entry in found["entries"]} == {True}
    assert all(entry["points"] for entry in found["entries"])


def test_a_closed_rounds_scores_are_those_of_its_votes_by_its_frozen_rule(
    db: Database, stage: Round, pipeline: Pipeline
) -> None:
    cast_ballots(db, stage, BALLOTS)
    close(db)
    found = pipeline.json("/rounds/stage-1/scores")
    ratings = pipeline.json("/rounds/stage-1/ratings")

    assert (found["final"], found["formula"], found["points"]) == (True, "anchored", 25)
    assert (found["anchors"], found["min_votes_per_entry"]) == (["0.35", "0.65"], 20)
    assert found["rules_hash"] == stage.rules_hash
    assert found["figures_hash"] == ratings["figures_hash"]
    assert [set(entry.pop("team")) for entry in found["entries"]] == [{"ko", "en"}] * 5
    rule = ScoreRule(25, "anchored", "0.35", "0.65", 20)
    assert found["entries"] == scored_by_hand(NAMED, rule)
    votes = {entry["entry"]: entry["votes"] for entry in ratings["entries"]}
    assert {entry["entry"]: entry["provisional"] for entry in found["entries"]} == {
        code: votes[code] < 20 for code in CODES
    }
    assert found["provisional"] == (min(votes.values()) < 20)
    assert found["advice"]["eliminate"] is None
    assert len(found["advice"]["tied"]) > 1


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("formula", get_args(Formula))
def test_every_formula_of_the_rules_is_served(db: Database, database_url: str, teams: str, formula: Formula) -> None:
    stage = stage_with(db, teams, formula=formula, points=10)
    cast_ballots(db, stage, BALLOTS)
    close(db)
    with pipeline_of(db, database_url) as pipeline:
        found = pipeline.json("/rounds/stage-1/scores")
    for entry in found["entries"]:
        del entry["team"]
    assert (found["formula"], found["points"]) == (formula, 10)
    assert (found["anchors"] is None) == (formula != "anchored")
    assert found["entries"] == scored_by_hand(NAMED, ScoreRule(10, formula, "0.35", "0.65", 20))


def test_a_round_without_votes_has_no_points_and_no_advice(db: Database, stage: Round, pipeline: Pipeline) -> None:
    close(db)
    found = pipeline.json("/rounds/stage-1/scores")
    assert {(entry["points"], entry["provisional"]) for entry in found["entries"]} == {(None, True)}
    assert found["advice"] is None


def test_the_votes_that_are_listed_give_the_very_same_figures_on_the_command_line(
    db: Database, stage: Round, pipeline: Pipeline, tmp_path: Path
) -> None:
    """Anyone can do it: `GET /votes`, then `arena rate --json` with the rules' cap."""
    cast_ballots(db, stage, BALLOTS, each_voter=1)
    cast_ballots(db, stage, [("e1", "e4", "b")] * 35, each_voter=35)
    close(db)
    votes = tmp_path / "votes.ndjson"
    votes.write_bytes(pipeline.get("/rounds/stage-1/votes").content)
    ran = subprocess.run(
        [sys.executable, "-m", "arena", "rate", str(votes), "--json", "--votes-per-voter", "30"],
        check=True,
        capture_output=True,
    )
    ratings = pipeline.json("/rounds/stage-1/ratings")
    said = json.loads(ran.stdout)
    assert sum(entry["votes"] for entry in said["entries"]) == 2 * (len(BALLOTS) + 30)
    assert said["figures_hash"] == ratings["figures_hash"]
    for entry in ratings["entries"]:
        del entry["team"]
    assert {name: ratings[name] for name in said} == said
