"""The editor's form becomes rules, or says beside each row what was expected."""

import pytest

from arena.screening.pages import Draft
from arena.screening.rules import Rules, built_in
from arena.screening.rules_form import draft_of, read_draft

FIELDS = {"category": "spam", "kind": "words", "level": "block", "on": "on", "note": "", "entries": "돈나무 화분"}


def read(**changed: str) -> tuple[Draft, Rules | None]:
    fields = FIELDS | changed
    return read_draft({f"rule-7-{name}": [value] for name, value in fields.items()}, str)


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("category", "elections", "choose one of what is offered"),
        ("kind", "code", "choose one of what is offered"),
        ("level", "delete", "choose one of what is offered"),
        ("entries", "가", "too short"),
        ("entries", "nul\0", "cannot be stored"),
        ("entries", "\n".join(f"word {number}" for number in range(501)), "at most 500 lines"),
        ("entries", "길" * 401, "at most 400 letters"),
        ("note", "long" * 100, "at most 300 letters"),
        ("note", "문의는 010-1234-5678", "personal details"),
        ("entries", "돈나무\n010-1234-5678", "personal details"),
    ],
)
def test_a_rule_that_cannot_be_is_refused_with_what_was_expected(name: str, value: str, words: str) -> None:
    draft, rules = read(**{name: value})
    assert words in draft.rules[0].problem
    assert getattr(draft.rules[0], name) == value, "what was typed stays"
    assert rules is None


def test_a_pattern_that_fits_everything_is_refused() -> None:
    assert "every question" in read(kind="pattern", entries="a*")[0].rules[0].problem


def test_patterns_that_could_take_too_long_together_are_refused_as_a_whole() -> None:
    lines = "\n".join(f"a[ab]{{{number}}}!" for number in range(940, 1000))
    draft, rules = read(kind="pattern", entries=lines)
    assert "take too long for a question" in draft.problem
    assert (draft.rules[0].entries, rules) == (lines, None)


def test_too_many_rules_are_refused_as_a_whole() -> None:
    fields = {f"rule-{number}-{name}": [value] for number in range(61) for name, value in FIELDS.items()}
    draft, rules = read_draft(fields, str)
    assert "At most 60 rules" in draft.problem
    assert rules is None


@pytest.mark.parametrize(
    ("at", "fine"), [("0", True), ("1", True), ("0.5", True), ("1.1", False), ("nan", False), ("", False)]
)
def test_a_score_is_a_number_from_0_to_1(at: str, fine: bool) -> None:
    fields = {"threshold-1-name": ["violence"], "threshold-1-level": ["hold"], "threshold-1-at": [at]}
    draft, rules = read_draft(fields, str)
    assert (rules is not None) == fine
    assert bool(draft.thresholds[0].problem) != fine


def test_rules_survive_the_form_unchanged() -> None:
    fields: dict[str, list[str]] = {}
    draft = draft_of(built_in())
    for number, row in enumerate(draft.rules):
        for name in ("category", "kind", "level", "note", "entries"):
            fields[f"rule-{number}-{name}"] = [getattr(row, name).replace("\n", "\r\n")]
        fields[f"rule-{number}-on"] = ["on"]
    for number, threshold in enumerate(draft.thresholds):
        for name in ("name", "level", "at"):
            fields[f"threshold-{number}-{name}"] = [getattr(threshold, name)]
    assert read_draft(fields, str)[1] == built_in()


def test_rows_without_lines_go_away_and_lines_count_once() -> None:
    assert read(entries=" \n ")[1] == Rules(rules=(), thresholds={})
    rules = read(entries="돈나무\r\n\r\n 돈나무 \n화분")[1]
    assert rules is not None
    assert rules.rules[0].entries == ("돈나무", "화분")
