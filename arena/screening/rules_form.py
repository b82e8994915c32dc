"""The form in which moderators edit the rules: from rules to its fields, and back with what is wrong beside each."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

from pydantic import ValidationError

from arena.errors import N_
from arena.screening.findings import LEVELS, is_category
from arena.screening.pages import Draft, RuleRow, ThresholdRow
from arena.screening.personal import PERSONAL, without_personal_data
from arena.screening.rules import (
    MAX_ENTRIES,
    MAX_NOTE,
    MAX_RULES,
    EntryError,
    Rule,
    Rules,
    Threshold,
    check_speed,
    machine,
)

Gettext = Callable[[str], str]
Fields = Mapping[str, list[str]]

NOT_OFFERED = N_("Please choose one of what is offered.")
TOO_MANY_LINES = N_("A rule has at most %(limit)s lines. Please split it into two.")
LONG_NOTE = N_("A note has at most %(limit)s letters.")
TOO_MANY = N_("At most %(limit)s rules and as many thresholds are possible.")
STRANGE = N_("There is a character in here that cannot be stored. Please type the line anew.")
NO_NUMBER = N_("Please give a number from 0 to 1, such as 0.7.")
NO_NAME = N_("Please give the category as the classifier calls it, in small letters, such as self-harm/intent.")
TWICE = N_("This category is in the table twice.")

_NUMBERED: Final = re.compile(r"(rule|threshold)-(\d{1,3})-(?:category|name)")


def draft_of(rules: Rules) -> Draft:
    return Draft(
        rules=tuple(
            RuleRow(rule.category, rule.kind, rule.level, rule.on, rule.note, "\n".join(rule.entries))
            for rule in rules.rules
        ),
        thresholds=tuple(
            ThresholdRow(name, threshold.level, f"{threshold.at:g}") for name, threshold in rules.thresholds.items()
        ),
    )


def read_draft(fields: Fields, gettext: Gettext) -> tuple[Draft, Rules | None]:
    """What was typed, each mistake beside its row; the rules are None when there is any. Empty rows are left out."""
    rows = [_rule_row(fields, number) for number in _numbers(fields, "rule")]
    names = [_threshold_row(fields, number) for number in _numbers(fields, "threshold")]
    rows = [row for row in rows if row.entries.strip()]
    names = [row for row in names if row.name]
    seen = [row.name for row in names]
    draft = Draft(
        rules=tuple(replace(row, problem=_told(_rule_problem(row), gettext)) for row in rows),
        thresholds=tuple(
            replace(row, problem=_told(_threshold_problem(row, seen.index(row.name) < place), gettext))
            for place, row in enumerate(names)
        ),
        note=_text(fields, "note"),
    )
    draft = replace(draft, problem=_told(_problem(draft), gettext))
    return draft, None if draft.problems or draft.problem else rules_of(draft)


def rules_of(draft: Draft) -> Rules:
    """A draft without mistakes as rules."""
    return Rules(
        rules=tuple(_rule(row) for row in draft.rules),
        thresholds={row.name: _threshold(row) for row in draft.thresholds},
    )


Problem = tuple[str, dict[str, Any]] | None


def _problem(draft: Draft) -> Problem:
    """What is wrong with the whole."""
    if max(len(draft.rules), len(draft.thresholds)) > MAX_RULES:
        return TOO_MANY, {"limit": MAX_RULES}
    if draft.problems:
        return None
    try:
        check_speed(rules_of(draft))
    except EntryError as error:
        return error.message, error.params
    return None


def _told(problem: Problem, gettext: Gettext) -> str:
    return gettext(problem[0]) % problem[1] if problem else ""


def _numbers(fields: Fields, what: str) -> Iterator[int]:
    found = (_NUMBERED.fullmatch(name) for name in fields)
    return iter(sorted({int(match[2]) for match in found if match and match[1] == what}))


def _text(fields: Fields, name: str) -> str:
    return fields.get(name, [""])[0].strip()


def _rule_row(fields: Fields, number: int) -> RuleRow:
    category, kind, level, on, note, entries = (
        _text(fields, f"rule-{number}-{name}") for name in ("category", "kind", "level", "on", "note", "entries")
    )
    return RuleRow(category, kind, level, bool(on), note, entries.replace("\r\n", "\n"))


def _threshold_row(fields: Fields, number: int) -> ThresholdRow:
    name, level, at = (_text(fields, f"threshold-{number}-{name}") for name in ("name", "level", "at"))
    return ThresholdRow(name, level, at)


def _rule_problem(row: RuleRow) -> Problem:
    if not is_category(row.category) or row.kind not in ("words", "pattern") or row.level not in LEVELS:
        return NOT_OFFERED, {}
    if row.count > MAX_ENTRIES:
        return TOO_MANY_LINES, {"limit": MAX_ENTRIES}
    if len(row.note) > MAX_NOTE:
        return LONG_NOTE, {"limit": MAX_NOTE}
    if "\0" in row.entries + row.note:
        return STRANGE, {}
    if without_personal_data(f"{row.entries}\n{row.note}")[1]:
        return PERSONAL, {}
    try:
        machine(_rule(row))
    except EntryError as error:
        return error.message, error.params
    return None


def _rule(row: RuleRow) -> Rule:
    entries = dict.fromkeys(line.strip() for line in row.entries.split("\n") if line.strip())
    return Rule.model_validate(
        {
            "category": row.category,
            "kind": row.kind,
            "level": row.level,
            "entries": tuple(entries),
            "note": row.note,
            "on": row.on,
        }
    )


def _threshold_problem(row: ThresholdRow, again: bool) -> Problem:
    if again:
        return TWICE, {}
    if row.level not in ("off", *LEVELS):
        return NOT_OFFERED, {}
    try:
        at = _threshold(row)
        Rules(rules=(), thresholds={row.name: at})
    except ValidationError as error:
        return (NO_NUMBER if error.title == "Threshold" else NO_NAME), {}
    return None


def _threshold(row: ThresholdRow) -> Threshold:
    return Threshold.model_validate({"level": row.level, "at": row.at})
