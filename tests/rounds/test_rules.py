"""Round files: every fault is named by its path, and the rules' hash is one that anybody can compute."""

import copy
import hashlib
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arena.clock import now
from arena.db import Database
from arena.errors import RefusedError
from arena.rounds.actions import create_round
from arena.rounds.rules import Rules, load_rules, parse_round_file, rules_hash
from tests.support import RULES

FILE = """
slug = "stage-1"
title = { ko = "1차 단계평가", en = "Stage 1" }

[rules]
choices = ["a", "b", "tie", "both_bad"]
max_turns = 5
max_battles_per_voter = 30
rated_votes_per_voter = 30
reveal = "after_close"
who = "open"
answer = { max_tokens = 1024, temperature = 0.7, system_prompt = "친절하게 답해요" }
deadlines = { first_token_s = 30, idle_s = 20, total_s = 180 }
pacing = "together"
identity_leak = "exclude"

[rules.score]
points = 25
formula = "anchored"
anchors = [0.35, 0.65]
min_votes_per_entry = 100

[[entries]]
team = { ko = "가 팀", en = "Team A" }
model = "team-a-large"
base_url = "http://127.0.0.1:9101/v1"
api_key_env = "TEAM_A_KEY"
aliases = ["가 팀", "TeamA"]

[[entries]]
team = { ko = "나 팀", en = "Team B" }
model = "team-b-large"
base_url = "http://127.0.0.1:9102/v1"
aliases = []
"""


def replaced(old: str, new: str) -> str:
    assert FILE.count(old) == 1, old
    return FILE.replace(old, new)


def test_a_round_file_is_read() -> None:
    file = parse_round_file(FILE)
    assert (file.slug, file.title.en, len(file.entries)) == ("stage-1", "Stage 1", 2)
    assert file.entries[0].api_key_env == "TEAM_A_KEY"
    assert file.entries[1].api_key_env is None


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("colour", 'colour = "red"\n' + FILE),
        ("rules.max_turn", replaced("max_turns = 5", "max_turns = 5\nmax_turn = 5")),
        ("rules.answer.top_p", replaced("max_tokens = 1024", "max_tokens = 1024, top_p = 1")),
        ("rules.score.weight", replaced("points = 25", "points = 25\nweight = 2")),
        ("entries.1.url", replaced('model = "team-b-large"', 'model = "team-b-large"\nurl = "x"')),
        ("slug", replaced('slug = "stage-1"\n', "")),
        ("title.ko", replaced('ko = "1차 단계평가", ', "")),
        ("rules", FILE.split("[rules]", maxsplit=1)[0] + "[[entries]]" + FILE.split("[[entries]]", 1)[1]),
        ("rules.max_turns", replaced("max_turns = 5\n", "")),
        ("rules.answer.max_tokens", replaced("max_tokens = 1024, ", "")),
        ("rules.deadlines.idle_s", replaced("idle_s = 20, ", "")),
        ("rules.score.formula", replaced('formula = "anchored"\n', "")),
        ("entries.0.model", replaced('model = "team-a-large"\n', "")),
        ("entries", FILE.split("[[entries]]", maxsplit=1)[0]),
        ("slug", replaced('"stage-1"', '"Stage 1"')),
        ("rules.max_turns", replaced("max_turns = 5", "max_turns = 0")),
        ("rules.max_turns", replaced("max_turns = 5", 'max_turns = "5"')),
        ("rules.rated_votes_per_voter", replaced("rated_votes_per_voter = 30", "rated_votes_per_voter = -1")),
        ("rules.reveal", replaced('"after_close"', '"sometimes"')),
        ("rules.who", replaced('who = "open"', 'who = "panel"')),
        ("rules.pacing", replaced('"together"', '"fast"')),
        ("rules.identity_leak", replaced('"exclude"', '"hide"')),
        ("rules.choices", replaced(', "both_bad"]', "]")),
        ("rules.choices.3", replaced('"both_bad"', '"none"')),
        ("rules.answer.temperature", replaced("temperature = 0.7", "temperature = nan")),
        ("rules.answer.temperature", replaced("temperature = 0.7", "temperature = 3")),
        ("rules.deadlines.total_s", replaced("total_s = 180", "total_s = 0")),
        ("rules.deadlines.total_s", replaced("total_s = 180", "total_s = inf")),
        ("rules.score.formula", replaced('"anchored"', '"elo"')),
        ("rules.score.anchors", replaced("[0.35, 0.65]", "[0.65, 0.35]")),
        ("rules.score.anchors", replaced("[0.35, 0.65]", "[0.5, 0.5]")),
        ("rules.score.anchors", replaced("[0.35, 0.65]", "[-0.1, 0.65]")),
        ("rules.score.anchors", replaced("[0.35, 0.65]", "[0.35, 1.1]")),
        ("rules.score.anchors", replaced("[0.35, 0.65]", "[0.35]")),
        ("rules.score.points", replaced("points = 25", "points = 0")),
        ("entries.0.api_key_env", replaced('"TEAM_A_KEY"', '"sk-123"')),
        ("entries.0.extra_body.since", replaced('"TEAM_A_KEY"', '"TEAM_A_KEY"\nextra_body = { since = 2026-01-01 }')),
        ("entries.1.team.ko", replaced('ko = "나 팀"', 'ko = "가 팀"')),
        ("entries.1.team.en", replaced('en = "Team B"', 'en = "Team A"')),
        ("opens_at", "opens_at = 2026-12-01T00:00:00\n" + FILE),
        ("closes_at", "opens_at = 2026-12-01T00:00:00Z\ncloses_at = 2026-11-01T00:00:00Z\n" + FILE),
    ],
)
def test_a_fault_is_named_by_its_path(path: str, text: str) -> None:
    with pytest.raises(RefusedError) as refused:
        parse_round_file(text)
    assert any(line.startswith(path) and line[len(path)] in ":." for line in str(refused.value).splitlines())


def test_every_fault_has_a_line_of_its_own() -> None:
    with pytest.raises(RefusedError) as refused:
        parse_round_file('colour = "red"\n' + replaced("max_turns = 5", "max_turns = 0"))
    assert [line.split(":")[0] for line in sorted(str(refused.value).splitlines())] == ["colour", "rules.max_turns"]


def test_what_is_no_toml_is_refused_with_the_line() -> None:
    with pytest.raises(RefusedError, match=r"not TOML.*line 2"):
        parse_round_file('slug = "x"\nslug == 3')


def test_an_inward_endpoint_is_refused_by_path_unless_it_is_allowed(db: Database) -> None:
    file = parse_round_file(replaced("127.0.0.1:9101", "8.8.8.8"))
    with pytest.raises(RefusedError, match=r"^entries\.1\.base_url: 127\.0\.0\.1 .*ARENA_ENDPOINT_ALLOW"):
        db.writing(lambda session: create_round(session, file, allow=[], now=now()))
    made = db.writing(lambda session: create_round(session, file, allow=["127.0.0.0/8"], now=now()))
    assert made.state == "draft"


def test_a_slug_is_taken_once(db: Database) -> None:
    file = parse_round_file(FILE)
    db.writing(lambda session: create_round(session, file, allow=["127.0.0.0/8"], now=now()))
    with pytest.raises(RefusedError, match=r"^slug: "):
        db.writing(lambda session: create_round(session, file, allow=["127.0.0.0/8"], now=now()))


def es6_number(value: float) -> str:
    """A number as RFC 8785 has it, for those that rules hold: whole ones bare, the rest at their shortest."""
    return str(int(value)) if value == int(value) else repr(value)


def canonical(value: Any) -> str:
    """RFC 8785 for what rules hold: text, numbers of everyday size, lists, tables with ASCII keys."""
    if isinstance(value, dict):
        return "{" + ",".join(f"{json.dumps(key)}:{canonical(value[key])}" for key in sorted(value)) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(canonical, value)) + "]"
    return es6_number(value) if isinstance(value, int | float) else json.dumps(value, ensure_ascii=False)


def test_the_hash_is_the_sha256_of_the_rules_as_canonical_json(db: Database) -> None:
    file = parse_round_file(FILE)
    expected = (
        '{"answer":{"max_tokens":1024,"system_prompt":"친절하게 답해요","temperature":0.7},'
        '"choices":["a","b","tie","both_bad"],'
        '"deadlines":{"first_token_s":30,"idle_s":20,"total_s":180},'
        '"identity_leak":"exclude","max_battles_per_voter":30,"max_turns":5,"pacing":"together",'
        '"rated_votes_per_voter":30,"reveal":"after_close",'
        '"score":{"anchors":[0.35,0.65],"formula":"anchored","min_votes_per_entry":100,"points":25},'
        '"who":"open"}'
    )
    made = db.writing(lambda session: create_round(session, file, allow=["127.0.0.0/8"], now=now()))
    assert made.rules == expected
    assert made.rules_hash == hashlib.sha256(expected.encode("utf-8")).hexdigest()


@st.composite
def rules(draw: st.DrawFn) -> dict[str, Any]:
    seconds = st.integers(1, 3600) | st.integers(1, 36000).map(lambda tenths: tenths / 10)
    file = copy.deepcopy(RULES)
    file["max_turns"] = draw(st.integers(1, 50))
    file["max_battles_per_voter"] = draw(st.integers(1, 10**6))
    file["answer"]["temperature"] = draw(st.integers(0, 200).map(lambda hundredths: hundredths / 100))
    file["answer"]["system_prompt"] = draw(st.text(max_size=50))
    file["deadlines"] = {key: draw(seconds) for key in file["deadlines"]}
    file["score"]["anchors"] = sorted(draw(st.sets(st.integers(0, 100), min_size=2, max_size=2)))
    file["score"]["anchors"] = [hundredths / 100 for hundredths in file["score"]["anchors"]]
    return file


def shuffled(value: Any, order: Callable[[list[str]], list[str]]) -> Any:
    """The same table with its keys written down in another order, at every depth."""
    return {key: shuffled(value[key], order) for key in order(list(value))} if isinstance(value, dict) else value


@given(rules(), st.data())
def test_the_order_of_the_keys_does_not_matter_and_the_canonical_form_is_rfc_8785(
    file: dict[str, Any], data: st.DataObject
) -> None:
    text = Rules.model_validate(file).canonical()
    again = Rules.model_validate(shuffled(file, lambda keys: data.draw(st.permutations(keys)))).canonical()
    assert text == again == canonical(file)
    assert rules_hash(text) == hashlib.sha256(canonical(file).encode()).hexdigest()
    assert load_rules(text) == Rules.model_validate(file)


@pytest.mark.parametrize(("old", "new"), [("max_turns = 5", "max_turns = 4"), ("0.35, 0.65", "0.35, 0.66")])
def test_other_rules_have_another_hash(old: str, new: str) -> None:
    one, other = (rules_hash(parse_round_file(text).rules.canonical()) for text in (FILE, replaced(old, new)))
    assert one != other
