"""The moderators' pages about the rules for prompts: what is in force, a text tried, what a draft would change."""

import hashlib
from collections.abc import Sequence
from typing import Final
from urllib.parse import urlsplit

from sqlmodel import Session

from arena.errors import NotFoundError
from arena.screening.classifier import Classifier
from arena.screening.differences import differences
from arena.screening.findings import CATEGORIES, LEVELS, Finding, Level, gravest, help_lines, reason
from arena.screening.pages import Draft, DryRun, EditPage, RulesPage, Shift, Tried, VersionPage, VersionView
from arena.screening.personal import KINDS, without_personal_data
from arena.screening.queries import published, recent_prompts, rules_in_force, versions
from arena.screening.rules import Rules, RulesInForce, built_in
from arena.screening.rules_form import draft_of
from arena.screening.screen import classifier_findings
from arena.screening.tables import Ruleset

EXAMPLES: Final = 5
EXAMPLE_LETTERS: Final = 300
_BUILT_IN: Final = VersionView(0, "", "", None)


def rules_page(session: Session, classifier_url: str, typed: str = "", tried: Tried | None = None) -> RulesPage:
    every = (*(_view(row) for row in versions(session)), _BUILT_IN)
    return RulesPage(
        version=every[0],
        draft=draft_of(rules_in_force(session).rules),
        versions=every[1:],
        categories=CATEGORIES,
        classifier=urlsplit(classifier_url).hostname or "",
        typed=typed,
        tried=tried,
    )


def version_page(session: Session, number: int) -> VersionPage:
    """Raises NotFoundError."""
    rules = rules_of_version(session, number)
    row = published(session, number)
    before = rules_of_version(session, number - 1) if number else rules
    return VersionPage(
        version=_view(row) if row else _BUILT_IN,
        in_force=rules_in_force(session).version,
        draft=draft_of(rules),
        categories=CATEGORIES,
        differences=tuple(differences(before, rules)),
    )


def edit_page(
    session: Session, *, source: int | None = None, draft: Draft | None = None, rules: Rules | None = None
) -> EditPage:
    """The editor with a version's rules, or with what was typed; with a dry run of `rules`. Raises NotFoundError."""
    in_force = rules_in_force(session)
    source = in_force.version if source is None else source
    return EditPage(
        in_force=in_force.version,
        source=source,
        draft=draft or draft_of(rules_of_version(session, source)),
        categories=CATEGORIES,
        levels=LEVELS,
        dry_run=dry_run(in_force, rules, recent_prompts(session)) if rules else None,
    )


def rules_of_version(session: Session, number: int) -> Rules:
    """Raises NotFoundError."""
    if number == 0:
        return built_in()
    row = published(session, number)
    if row is None:
        raise NotFoundError
    return Rules.model_validate(row.body)


def _view(row: Ruleset) -> VersionView:
    return VersionView(row.version or 0, row.note, row.published_by, row.published_at)


def dry_run(in_force: RulesInForce, rules: Rules, prompts: Sequence[str]) -> DryRun:
    """What `rules` would change for these prompts; a classifier is not asked."""
    new = RulesInForce(in_force.version + 1, rules)
    shifted: dict[tuple[Level | None, Level | None], list[str]] = {}
    for prompt in prompts:
        before, after = _verdict(in_force.findings(prompt)), _verdict(new.findings(prompt))
        if before != after:
            shifted.setdefault((before, after), []).append(prompt)
    return DryRun(
        prompts=len(prompts),
        shifts=tuple(_shift(*pair, shifted[pair]) for pair in sorted(shifted, key=_gravity, reverse=True)),
        differences=tuple(differences(in_force.rules, rules)),
        checked=fingerprint(rules),
    )


def fingerprint(rules: Rules) -> str:
    return hashlib.sha256(rules.model_dump_json().encode()).hexdigest()


def _verdict(findings: Sequence[Finding]) -> Level | None:
    worst = gravest(findings)
    return worst.level if worst else None


def _gravity(pair: tuple[Level | None, Level | None]) -> tuple[int, int]:
    before, after = (LEVELS.index(level) if level else -1 for level in pair)
    return after, before


def _shift(before: Level | None, after: Level | None, prompts: list[str]) -> Shift:
    examples = tuple(prompt[:EXAMPLE_LETTERS] for prompt in prompts[:EXAMPLES])
    return Shift(before, after, len(prompts), examples)


async def tried(text: str, rules: RulesInForce, classifier: Classifier | None) -> Tried:
    """What would become of a text that a citizen asked."""
    masked_text, masked = without_personal_data(text)
    findings = rules.findings(masked_text)
    answered = None
    if classifier:
        findings += await classifier_findings(classifier, masked_text, rules, findings)
        answered = all(finding.source != "system" for finding in findings)
    worst = gravest(findings)
    return Tried(
        text=text,
        masked_text=masked_text,
        masked=tuple((name, masked[kind]) for kind, name in KINDS.items() if kind in masked),
        findings=tuple((finding, _name(finding)) for finding in findings),
        verdict=worst.level if worst else None,
        reason=reason(worst.code) if worst and worst.level == "block" else "",
        help_lines=help_lines(finding.code for finding in findings),
        classifier=answered,
    )


def _name(finding: Finding) -> str:
    return next((words.name for category, words in CATEGORIES.items() if category == finding.code), "")
