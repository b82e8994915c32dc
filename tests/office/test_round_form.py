"""The form of a round, understood and checked, and shown again; round files both ways. No database is needed."""

import json
import tomllib
from typing import Any

import pytest

from arena.office.round_fields import MOST_TEAMS, START, read, renumbered, shown, teams_in, with_team
from arena.office.round_form import OTHER_HOST, Known, filled, from_file
from arena.office.round_toml import file_data, fingerprint, toml
from arena.rounds.rules import Rules, parse_round_file
from arena.rounds.wanted import IN_CLEAR
from tests.office.rounds import ALLOW, EXAMPLE, form, team


def faults(**replaced: Any) -> dict[str, str]:
    return dict(filled(form(**replaced), ALLOW).faults)


def test_a_new_form_begins_with_the_rules_of_the_example_file_and_two_empty_teams() -> None:
    example = tomllib.loads(EXAMPLE.read_text("utf-8"))["rules"]
    assert Rules.model_validate(START["rules"]).canonical() == Rules.model_validate(example).canonical()
    assert teams_in(shown(START)) == 2


def test_a_form_without_faults_makes_a_round_file() -> None:
    found = filled(form(closes_at="2026-12-15T09:00", rules__may_change=["pause", "join"]), ALLOW)
    assert found.faults == {}
    file = found.file
    assert file is not None
    assert (file.slug, file.title.ko, len(file.entries)) == ("stage-1", "1차", 2)
    assert file.closes_at is not None
    assert file.closes_at.isoformat() == "2026-12-15T09:00:00+09:00"
    assert file.rules.may_change == ("pause", "join")
    assert file.rules.score.anchors == [0.35, 0.65]
    entry = file.entries[0]
    assert entry.aliases == ["a 팀", "Teama"]
    assert entry.extra_body == {"top_p": 0.95}
    assert entry.api_key_env == "TEAM_A_KEY"


def test_all_faults_are_found_at_once_and_each_lies_beside_its_field() -> None:
    found = faults(
        slug="Stage 1!",
        title__ko="",
        opens_at="2026-12-02T09:00",
        closes_at="2026-12-01T09:00",
        rules__max_turns="many",
        rules__answer__temperature="hot",
        rules__score__anchors=["0.65", "0.35"],
        **{
            "entries.0.team.en": "Team b",
            "entries.0.base_url": "http://10.0.0.1/v1",
            "entries.0.model": "",
            "entries.1.api_key_env": "ARENA_SECRET_KEY",
            "entries.1.extra_body": "{top_p",
            "entries.1.aliases": "x" * 201,
        },
    )
    assert list(found) == [
        "slug",
        "title.ko",
        "closes_at",
        "rules.max_turns",
        "rules.answer.temperature",
        "rules.score.anchors",
        "entries.0.model",
        "entries.0.base_url",
        "entries.1.team.en",
        "entries.1.api_key_env",
        "entries.1.aliases",
        "entries.1.extra_body",
    ]


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("rules__max_turns", "0"),
        ("rules__max_turns", "1.5"),
        ("rules__max_turns", "9" * 400),
        ("rules__answer__max_tokens", "٣"),
        ("rules__answer__temperature", "nan"),
        ("rules__deadlines__total_s", "1e999"),
        ("rules__score__anchors", ["0.5"]),
        ("rules__score__anchors", ["nan", "inf"]),
        ("rules__reveal", "perhaps"),
        ("rules__may_change", ["rules"]),
        ("rules__may_change", ["pause", "pause"]),
        ("rules__choices", "a\nb"),
        ("rules__who", "friends"),
        ("opens_at", "tomorrow"),
        ("opens_at", "0001-01-01T00:00"),
        ("slug", "new"),
        ("slug", "s" * 65),
    ],
)
def test_what_cannot_be_is_refused_beside_its_field(path: str, value: str | list[str]) -> None:
    assert list(faults(**{path: value})) == [path.replace("__", ".")]


@pytest.mark.parametrize("extra", ["[1]", '{"a": null}', '{"a": "\\ud800"}', "[" * 100_000, '{"a": 1e400}'])
def test_settings_for_an_endpoint_that_no_round_file_could_hold_are_refused(extra: str) -> None:
    assert list(faults(**{"entries.0.extra_body": extra})) == ["entries.0.extra_body"]


def test_a_round_needs_two_teams_and_has_at_most_fifty() -> None:
    one = filled({name: value for name, value in form().items() if not name.startswith("entries.1.")}, ALLOW)
    assert list(one.faults) == ["entries"]
    many = form()
    for number in range(2, 51):
        many |= team(number, f"t{number}")
    assert list(filled(many, ALLOW).faults) == ["entries"]


def test_a_variable_that_is_no_teams_may_stay_only_where_the_draft_has_it() -> None:
    fields = form(**{"entries.0.api_key_env": "SHARED_KEY"})
    url = fields["entries.0.base_url"][0]
    assert filled(fields, ALLOW, Known(present={(url, "SHARED_KEY")})).faults == {}
    assert filled(fields, ALLOW, Known(present={("http://127.0.0.1:9/other/v1", "SHARED_KEY")})).file is None


def test_a_key_goes_to_one_host_only() -> None:
    there = Known(places={"TEAM_A_KEY": {"http://127.0.0.1:9"}})
    assert filled(form(**{"entries.0.base_url": "http://127.0.0.1:9/new/path"}), ALLOW, there).faults == {}
    for elsewhere in ("http://127.0.0.1:10/v1", "http://127.0.0.2:9/v1", "https://127.0.0.1:9/v1"):
        found = filled(form(**{"entries.0.base_url": elsewhere}), ALLOW, there)
        assert found.faults == {"entries.0.base_url": OTHER_HOST}
        assert found.form["entries.0.base_url"] == [elsewhere]
        assert filled(form(**{"entries.0.base_url": elsewhere, "entries.0.api_key_env": ""}), ALLOW, there).file
    two = form(**{"entries.1.api_key_env": "TEAM_A_KEY", "entries.1.base_url": "http://127.0.0.2:9/v1"})
    assert filled(two, ALLOW).faults == {"entries.1.base_url": OTHER_HOST}
    both = Known(places={"TEAM_A_KEY": {"http://127.0.0.1:9", "http://127.0.0.2:9"}})
    assert filled(two, ALLOW, both).faults == {}, "the command line may have paired it so"


def test_no_key_crosses_the_internet_in_clear() -> None:
    for url in ("http://8.8.8.8/v1", "http://[2001:4860:4860::8888]/v1"):
        assert faults(**{"entries.0.base_url": url}) == {"entries.0.base_url": IN_CLEAR}
        assert faults(**{"entries.0.base_url": url, "entries.0.api_key_env": ""}) == {}
        fields = form(**{"entries.0.base_url": url})
        assert filled(fields, [*ALLOW, "8.8.8.0/24", "2001:4860::/32"]).faults == {}
    assert faults(**{"entries.0.base_url": "https://8.8.8.8/v1"}) == {}


def test_what_was_typed_is_shown_again_whatever_it_was() -> None:
    typed = form(rules__max_turns="many", opens_at="soon", **{"entries.1.extra_body": "{top_p"})
    found = filled(typed, ALLOW)
    assert found.form == typed


def test_a_form_shows_what_it_was_made_of() -> None:
    fields = form(
        opens_at="2026-12-01T09:00",
        rules__answer__system_prompt="\n  two\nlines ",
        rules__identity_allow="가온\n가온 하늘",
        rules__may_change=["address"],
    )
    assert shown(read(fields)) == fields


def test_teams_are_added_and_removed_and_numbered_anew() -> None:
    three = with_team(form())
    assert teams_in(three) == 3
    left = renumbered(three, without=0)
    assert teams_in(left) == 2
    assert left["entries.0.model"] == ["model-b"]
    assert left["entries.1.model"] == [""]
    assert left["slug"] == ["stage-1"]
    full = form()
    for number in range(2, MOST_TEAMS):
        full |= team(number, f"t{number}")
    assert teams_in(with_team(full)) == MOST_TEAMS


def test_a_round_file_and_the_form_it_fills_have_the_same_rules_hash() -> None:
    text = EXAMPLE.read_text("utf-8")
    from_text = from_file(text, ALLOW)
    assert from_text.faults == {}
    from_form = filled(from_text.form, ALLOW)
    assert from_form.faults == {}
    assert from_text.file == from_form.file == parse_round_file(text)


def test_a_round_file_with_faults_fills_the_form_and_names_keys_that_nobody_knows() -> None:
    text = EXAMPLE.read_text("utf-8").replace("max_turns = 5 ", 'max_turns = "5"\nmax_turn = 5 ')
    found = from_file(text.replace('model = "team-b-instruct"', ""), ALLOW)
    assert list(found.faults) == ["rules.max_turn", "rules.max_turns", "entries.1.model"]
    assert found.form["rules.max_turns"] == ["5"]


@pytest.mark.parametrize(
    "text", ["", "entries = 3\nrules = 4", "[rules]", "[[entries]]", "title = 3\nentries = [1, 2]"]
)
def test_a_round_file_that_is_far_off_is_refused_with_words_for_every_field(text: str) -> None:
    found = from_file(text, ALLOW)
    assert found.file is None
    assert set(found.faults) >= {"slug", "title.ko", "rules.max_turns", "rules.score.anchors"}


@pytest.mark.parametrize("text", ["a = " + "[" * 5000 + "]" * 5000, "a = " + "9" * 5000])
def test_a_round_file_that_no_program_reads_is_no_toml(text: str) -> None:
    with pytest.raises(tomllib.TOMLDecodeError):
        from_file(text, ALLOW)


def test_a_round_file_with_what_no_database_holds_is_refused() -> None:
    text = EXAMPLE.read_text("utf-8").replace('ko = "가 팀"', 'ko = "\\u0000"')
    assert list(from_file(text, ALLOW).faults) == ["entries.0.team.ko"]


def test_a_round_file_is_written_as_it_is_read() -> None:
    strange = 'quotes " and \\ and \t and \x7f and \n and 한글 and 😀'
    fields = form(rules__answer__system_prompt=strange, rules__deadlines__idle_s="0.5")
    fields |= team(0, "a", extra_body=json.dumps({"a b": [1, 2.5, True, {"c": strange}], "d": {}}), api_key_env="")
    file = filled(fields, ALLOW).file
    assert file is not None
    assert parse_round_file(toml(file_data(file))) == file


def test_a_fingerprint_tells_apart_what_the_rules_hash_does_not() -> None:
    one, other = filled(form(), ALLOW).file, filled(form(**{"entries.0.aliases": "TeamA"}), ALLOW).file
    assert one is not None
    assert other is not None
    assert one.rules == other.rules
    assert fingerprint(file_data(one)) != fingerprint(file_data(other))
