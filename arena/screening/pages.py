"""What the templates about the rules for prompts may see. Names and reasons are msgids."""

from dataclasses import dataclass, field
from datetime import datetime

from arena.screening.findings import Category, Finding, Level, Words


@dataclass(frozen=True, slots=True)
class VersionView:
    """A version of the rules; the built-in one has the number 0 and nobody who published it."""

    number: int
    note: str
    by: str
    at: datetime | None


@dataclass(frozen=True, slots=True)
class RuleRow:
    """A rule as it is in a form: `entries` one a line; `problem` is a translated sentence."""

    category: str = ""
    kind: str = "words"
    level: str = "hold"
    on: bool = True
    note: str = ""
    entries: str = ""
    problem: str = ""

    @property
    def count(self) -> int:
        return sum(1 for line in self.entries.splitlines() if line.strip())


@dataclass(frozen=True, slots=True)
class ThresholdRow:
    """A classifier's category as it is in a form; `at` as it was typed."""

    name: str = ""
    level: str = "log"
    at: str = ""
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Draft:
    """Rules as a form holds them, possibly with mistakes; `problem` is of the whole."""

    rules: tuple[RuleRow, ...]
    thresholds: tuple[ThresholdRow, ...]
    note: str = ""
    problem: str = ""
    note_problem: str = ""

    @property
    def problems(self) -> bool:
        return any(row.problem for row in self.rules) or any(row.problem for row in self.thresholds)


@dataclass(frozen=True, slots=True)
class Shift:
    """Recent prompts whose verdict changes; None is nothing found. `examples` are texts of citizens."""

    before: Level | None
    after: Level | None
    count: int
    examples: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DryRun:
    """What other rules would change among recent prompts. `checked` names exactly these rules."""

    prompts: int
    shifts: tuple[Shift, ...]
    differences: tuple[str, ...]
    checked: str


@dataclass(frozen=True, slots=True)
class Tried:
    """What becomes of a text: `verdict` is how grave; `reason` is what a citizen reads where it is not asked, with
    `help_lines` if it concerns self-harm; both are msgids.

    `masked` counts personal data by its name; `classifier` is whether one answered, None where none is set.
    """

    text: str
    masked_text: str
    masked: tuple[tuple[str, int], ...]
    findings: tuple[tuple[Finding, str], ...]
    verdict: Level | None
    reason: str
    help_lines: str
    classifier: bool | None


@dataclass(frozen=True, slots=True)
class RulesPage:
    """`draft` shows the rules in force; `classifier` is its host, empty where none is set."""

    version: VersionView
    draft: Draft
    versions: tuple[VersionView, ...]
    categories: dict[Category, Words]
    classifier: str
    typed: str = ""
    tried: Tried | None = None


@dataclass(frozen=True, slots=True)
class EditPage:
    """`in_force` is the version that is compared with; `source` where the draft was taken from."""

    in_force: int
    source: int
    draft: Draft
    categories: dict[Category, Words]
    levels: tuple[Level, ...]
    dry_run: DryRun | None = None
    empty_rule: RuleRow = field(default_factory=RuleRow)
    empty_threshold: ThresholdRow = field(default_factory=ThresholdRow)


@dataclass(frozen=True, slots=True)
class VersionPage:
    """An older version, to look at; `differences` are to the one before."""

    version: VersionView
    in_force: int
    draft: Draft
    categories: dict[Category, Words]
    differences: tuple[str, ...]
