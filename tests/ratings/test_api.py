"""What a scoring pipeline gets, over a real socket, on both databases."""

import json
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlmodel import select

from arena.accounts.actions import SCOPES, create_key, token_hash
from arena.accounts.tables import Voter
from arena.clock import now
from arena.db import Database
from arena.proofs.notes import Checkpoint, note_text
from arena.ratings.actions import close_round, store
from arena.rounds.actions import create_round
from arena.rounds.pairing import pseudonym
from arena.rounds.tables import Round
from tests.data import rated_now
from tests.ratings.by_hand import rated_by_hand
from tests.ratings.pipeline import BALLOTS, Ballot, Pipeline, cast_ballots, pipeline_of
from tests.support import KEY, Citizen, eventually, open_round, round_file

CODES = ["e1", "e2", "e3", "e4", "e5"]
SCORES = "/rounds/stage-1/scores?provisional=true"
LISTS = ["/rounds", "/rounds/stage-1", "/rounds/stage-1/ratings", "/rounds/stage-1/pairs", SCORES]
ROUTES = [*LISTS, "/rounds/stage-1/votes"]
SCOPE = {
    "/rounds": "rounds:read",
    "/rounds/stage-1": "rounds:read",
    "/rounds/stage-1/ratings": "ratings:read",
    "/rounds/stage-1/pairs": "ratings:read",
    SCORES: "ratings:read",
    "/rounds/stage-1/votes": "votes:read",
}


@dataclass(frozen=True, slots=True)
class Standing:
    """`keys` holds, for each scope, a key with that scope alone."""

    pipeline: Pipeline
    keys: dict[str, str]

    def get(self, path: str, **headers: str) -> httpx.Response:
        return self.pipeline.get(path, **headers)


@pytest.fixture
def stage(db: Database, teams: str) -> Round:
    """An open round of five teams without votes."""
    return open_round(db, round_file(teams))


@pytest.fixture
def pipeline(stage: Round, db: Database, database_url: str) -> Iterator[Pipeline]:
    with pipeline_of(db, database_url) as found:
        yield found


@pytest.fixture(scope="module")
def standing(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory, teams: str) -> Iterator[Standing]:
    """A pipeline at an arena whose votes do not change, for what does not depend on the database."""
    file = shutil.copy(sqlite_template, tmp_path_factory.mktemp("standing") / "arena.db")
    db = Database(f"sqlite:///{file}")
    cast_ballots(db, open_round(db, round_file(teams)), BALLOTS)
    keys = {}
    for scope in SCOPES:
        make = partial(create_key, name=scope, scopes=[scope], now=now())
        keys[scope] = db.writing(make)
    with pipeline_of(db, f"sqlite:///{file}") as pipeline:
        rated(pipeline, len(BALLOTS))
        yield Standing(pipeline, keys)
    db.close()


def rated(pipeline: Pipeline, votes: int, path: str = "/rounds/stage-1/ratings") -> dict[str, Any]:
    """The ratings once they hold this many votes."""

    def entries_of_votes() -> int:
        return sum(entry["votes"] for entry in pipeline.json(path)["entries"])

    assert eventually(lambda: entries_of_votes() == 2 * votes)
    return pipeline.json(path)


def lines(pipeline: Pipeline, query: str = "", slug: str = "stage-1") -> list[dict[str, Any]]:
    answer = pipeline.get(f"/rounds/{slug}/votes{query}")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("application/x-ndjson")
    assert answer.text.endswith("\n") or not answer.text
    return [json.loads(line) for line in answer.text.splitlines()]


def assert_problem(answer: Any, status: int) -> dict[str, Any]:
    """RFC 9457: the media type, and a body that repeats the status."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    body: dict[str, Any] = answer.json()
    assert set(body) == {"type", "title", "status", "detail"}
    assert body["status"] == status
    assert re.fullmatch(r"urn:blind-arena:[a-z_]+", body["type"])
    assert body["title"]
    assert body["detail"]
    return body


def test_a_citizens_vote_is_in_the_ratings_soon_after(pipeline: Pipeline) -> None:
    minji = Citizen(str(pipeline.http.base_url))
    minji.battle("a")
    minji.close()
    found = rated(pipeline, 1)
    assert sorted((entry["wins"], entry["losses"], entry["ties"]) for entry in found["entries"]) == [
        (0, 0, 0),
        (0, 0, 0),
        (0, 0, 0),
        (0, 1, 0),
        (1, 0, 0),
    ]
    assert pipeline.json("/rounds/stage-1")["votes"] == 1


def test_ratings_are_what_the_statistics_say_of_the_votes(db: Database, stage: Round, pipeline: Pipeline) -> None:
    cast_ballots(db, stage, BALLOTS)
    found = rated(pipeline, len(BALLOTS))
    expected = rated_by_hand([(f"voter {k}", *ballot) for k, ballot in enumerate(BALLOTS)])

    assert (found["state"], found["why"], found["final"]) == ("ok", None, False)
    for name, said in expected.items():
        if name != "entries":
            assert found[name] == said
    assert found["rules_hash"] == stage.rules_hash
    signed = Checkpoint.parse(note_text(pipeline.get("/rounds/stage-1/checkpoint").text))
    assert found["ledger"] == {"size": signed.size, "root": signed.root.hex()}
    assert datetime.fromisoformat(found["computed_at"]).tzinfo is not None
    assert [entry["entry"] for entry in found["entries"]] == CODES
    assert [set(entry.pop("team")) for entry in found["entries"]] == [{"ko", "en"}] * 5
    assert found["entries"] == expected["entries"]
    assert all(entry["interval"] for entry in found["entries"])


def test_without_votes_nothing_is_rated_and_it_says_why(pipeline: Pipeline) -> None:
    found = pipeline.json("/rounds/stage-1/ratings")
    assert found["state"] == "not_ratable"
    assert found["why"] == {"code": "no_votes", "entries": CODES}
    assert {entry["rating"] for entry in found["entries"]} == {None}
    assert {entry["votes"] for entry in found["entries"]} == {0}


def test_votes_that_do_not_connect_the_entries_are_counted_but_not_rated(
    db: Database, stage: Round, pipeline: Pipeline
) -> None:
    cast_ballots(db, stage, [("e1", "e2", "a"), ("e2", "e1", "a")])
    found = rated(pipeline, 2)
    assert (found["state"], found["why"]["code"]) == ("not_ratable", "not_connected")
    assert found["why"]["entries"] == ["e3", "e4", "e5"]
    assert (found["entries"][0]["wins"], found["entries"][0]["losses"]) == (1, 1)
    assert found["entries"][0]["rating"] is None


def test_pairs_count_every_choice_by_who_stood_where(db: Database, stage: Round, pipeline: Pipeline) -> None:
    cast_ballots(db, stage, BALLOTS)
    rated(pipeline, len(BALLOTS))
    found = pipeline.json("/rounds/stage-1/pairs")
    pairs = {tuple(pair["entries"]): pair for pair in found["pairs"]}
    assert len(pairs) == 10
    assert sum(pair["battles"] for pair in pairs.values()) == len(BALLOTS)
    assert pairs["e1", "e2"] == {
        "entries": ["e1", "e2"],
        "battles": 16,
        "wins": [12, 4],
        "ties": 0,
        "both_bad": 0,
        "by_side": [
            {"a": "e1", "b": "e2", "counts": {"a": 12, "b": 0, "tie": 0, "both_bad": 0}},
            {"a": "e2", "b": "e1", "counts": {"a": 4, "b": 0, "tie": 0, "both_bad": 0}},
        ],
    }
    assert (pairs["e2", "e3"]["wins"], pairs["e2", "e3"]["ties"]) == ([0, 6], 4)
    assert (pairs["e3", "e4"]["wins"], pairs["e3", "e4"]["both_bad"]) == ([10, 0], 4)
    assert (pairs["e1", "e3"]["battles"], pairs["e1", "e3"]["wins"]) == (0, [0, 0])


def test_of_a_voter_only_as_many_votes_are_rated_as_the_rules_say_but_all_are_listed(
    db: Database, teams: str, database_url: str
) -> None:
    capped = open_round(db, round_file(teams, rated_votes_per_voter=2))
    ballots: list[Ballot] = [("e1", "e2", "a"), ("e2", "e1", "a"), ("e1", "e2", "a"), ("e1", "e2", "a")]
    cast_ballots(db, capped, ballots, each_voter=4)
    with pipeline_of(db, database_url) as pipeline:
        found = rated(pipeline, 2)
        assert (found["entries"][0]["wins"], found["entries"][0]["losses"]) == (1, 1)
        assert len(lines(pipeline)) == 4


def test_votes_are_listed_as_cast_in_the_words_of_public_arena_data(
    db: Database, stage: Round, pipeline: Pipeline
) -> None:
    cast_ballots(db, stage, BALLOTS, each_voter=7)
    found = lines(pipeline)
    words = {"a": "model_a", "b": "model_b", "tie": "tie", "both_bad": "tie (bothbad)"}
    assert [(v["model_a"], v["model_b"], v["winner"]) for v in found] == [
        (a, b, words[choice]) for a, b, choice in BALLOTS
    ]
    assert all(set(v) == {"id", "voter", "model_a", "model_b", "winner", "at", "excluded"} for v in found)
    assert len({v["voter"] for v in found}) == -(-len(BALLOTS) // 7)
    with db.reading() as session:
        ids = session.exec(select(Voter.id)).all()
    assert {v["voter"] for v in found} == {pseudonym(bytes.fromhex(stage.seed), id_) for id_ in ids}
    assert all(datetime.fromisoformat(v["at"]).tzinfo is not None for v in found)


def test_the_cursor_goes_through_all_votes_once_in_a_stable_order(
    db: Database, stage: Round, pipeline: Pipeline
) -> None:
    many = BALLOTS * 40  # more than one page of the arena's own reading
    cast_ballots(db, stage, many)
    every = lines(pipeline)
    ids = [vote["id"] for vote in every]
    assert len(ids) == len(many)
    assert ids == sorted(set(ids))
    assert lines(pipeline) == every
    assert lines(pipeline, f"?after={ids[416]}") == every[417:]
    assert lines(pipeline, f"?after={ids[-1]}") == []
    assert lines(pipeline, f"?after={2**63 - 1}") == []

    cast_ballots(db, stage, [("e1", "e2", "b")])
    (newest,) = lines(pipeline, f"?after={ids[-1]}")
    assert newest["id"] > ids[-1]
    assert newest["winner"] == "model_b"


def test_rounds_tell_their_state_entries_and_counts(db: Database, stage: Round, pipeline: Pipeline) -> None:
    cast_ballots(db, stage, BALLOTS)
    (found,) = pipeline.json("/rounds")["rounds"]
    assert found == pipeline.json("/rounds/stage-1")
    assert (found["slug"], found["state"], found["demo"]) == ("stage-1", "open", False)
    assert found["title"] == {"ko": "1차 단계평가", "en": "Stage 1"}
    assert found["rules_hash"] == stage.rules_hash
    assert found["votes"] == len(BALLOTS)
    assert [entry["entry"] for entry in found["entries"]] == CODES


def test_a_draft_is_not_shown(db: Database, teams: str, pipeline: Pipeline) -> None:
    draft = round_file(teams, slug="secret-plan")
    db.writing(lambda session: create_round(session, draft, allow=["127.0.0.0/8"], now=now()))
    assert "secret-plan" not in pipeline.get("/rounds").text
    for route in ROUTES[1:]:
        assert_problem(pipeline.get(route.replace("stage-1", "secret-plan")), 404)


def test_a_closed_rounds_figures_stay(db: Database, stage: Round, pipeline: Pipeline, teams: str) -> None:
    cast_ballots(db, stage, BALLOTS)
    db.writing(lambda session: close_round(session, "stage-1", KEY, now()))
    before = [pipeline.get(path) for path in ("/rounds/stage-1/ratings", "/rounds/stage-1/pairs")]
    assert before[0].json()["final"] is True
    assert before[0].json()["state"] == "ok"
    assert pipeline.json("/rounds/stage-1")["state"] == "closed"

    following = open_round(db, round_file(teams, slug="stage-2"))
    cast_ballots(db, stage, [("e1", "e2", "b")] * 5)
    cast_ballots(db, following, BALLOTS)
    rated(pipeline, len(BALLOTS), "/rounds/stage-2/ratings")
    after = [pipeline.get(path) for path in ("/rounds/stage-1/ratings", "/rounds/stage-1/pairs")]
    assert [answer.content for answer in after] == [answer.content for answer in before]
    assert [answer.headers["etag"] for answer in after] == [answer.headers["etag"] for answer in before]
    assert [round_["slug"] for round_ in pipeline.json("/rounds")["rounds"]] == ["stage-2", "stage-1"]
    assert len(lines(pipeline, slug="stage-2")) == len(BALLOTS)


def test_news_has_another_etag(db: Database, stage: Round, pipeline: Pipeline) -> None:
    cast_ballots(db, stage, BALLOTS)
    rated(pipeline, len(BALLOTS))
    before = {path: pipeline.get(path).headers["etag"] for path in LISTS}
    cast_ballots(db, stage, [("e1", "e2", "a")])
    rated(pipeline, len(BALLOTS) + 1)
    for path, etag in before.items():
        assert pipeline.get(path, If_None_Match=etag).status_code == 200


def test_a_worker_that_was_late_does_not_replace_final_figures(
    db: Database, stage: Round, pipeline: Pipeline
) -> None:
    cast_ballots(db, stage, BALLOTS)
    db.writing(lambda session: close_round(session, "stage-1", KEY, now()))
    final = pipeline.get("/rounds/stage-1/ratings").content
    cast_ballots(db, stage, [("e1", "e2", "b")])
    late = rated_now(db)
    db.writing(lambda session: store(session, stage.id or 0, late, now()))
    assert pipeline.get("/rounds/stage-1/ratings").content == final


@pytest.mark.parametrize("path", LISTS)
def test_what_is_known_already_is_not_sent_again(standing: Standing, path: str) -> None:
    first = standing.get(path)
    etag = first.headers["etag"]
    assert re.fullmatch(r'"[0-9a-f]+"', etag)
    for given in (etag, f"W/{etag}", f'"other", {etag}', "*"):
        again = standing.get(path, If_None_Match=given)
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", etag)
    assert standing.get(path, If_None_Match='"other"').content == first.content
    assert first.headers["cache-control"] == "private, no-cache"


@pytest.mark.parametrize("path", ROUTES)
def test_only_a_key_with_the_scope_is_let_in(standing: Standing, path: str) -> None:
    for given in (
        "",
        "Bearer",
        "Bearer nonsense",
        f"Basic {standing.pipeline.key}",
        f"Bearer {token_hash(standing.pipeline.key)}",
    ):
        answer = standing.get(path, Authorization=given)
        assert_problem(answer, 401)
        assert answer.headers["www-authenticate"] == "Bearer"
        assert answer.headers["x-content-type-options"] == "nosniff"
    assert_problem(standing.pipeline.http.get(f"/api/v1{path}", params={"key": standing.pipeline.key}), 401)

    for scope, key in standing.keys.items():
        answer = standing.get(path, Authorization=f"Bearer {key}")
        if scope == SCOPE[path]:
            assert answer.status_code == 200
        else:
            assert SCOPE[path] in assert_problem(answer, 403)["detail"]


@pytest.mark.parametrize(
    "path",
    [*(path.replace("stage-1", slug) for path in ROUTES[1:] for slug in ("stage-9", "Not%20a%20slug")), "/nothing"],
)
def test_what_is_not_there_is_a_problem_document(standing: Standing, path: str) -> None:
    assert_problem(standing.get(path), 404)


@pytest.mark.parametrize("after", ["-1", "x", "1.5", str(2**63), ""])
def test_a_cursor_that_is_none_is_refused(standing: Standing, after: str) -> None:
    assert "after" in assert_problem(standing.get(f"/rounds/stage-1/votes?after={after}"), 422)["detail"]


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_the_api_is_for_reading(standing: Standing, method: str) -> None:
    answer = standing.pipeline.http.request(
        method, "/api/v1/rounds/stage-1/ratings", headers={"Authorization": f"Bearer {standing.pipeline.key}"}
    )
    assert "method" in assert_problem(answer, 405)["type"]
    assert "GET" in answer.headers["allow"]
