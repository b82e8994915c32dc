"""What was found in a prompt, and what becomes of it."""

from collections.abc import Callable
from typing import Final, NamedTuple

from arena.errors import InvalidError
from arena.screening.findings import Finding, gravest, help_lines, is_category, reason
from arena.screening.rules import RulesInForce

LOOKED_AT: Final = ("held", "escalated")
"""States of a review whose prompt nobody was asked: a moderator decides first."""


class Checks(NamedTuple):
    """What was found in a prompt.

    `masked` counts the personal data that was taken out of it, by kind. `review` and `state` are of the voter's
    earlier review of the same words, if a moderator decides or has decided on it: nothing else does then.
    """

    masked: dict[str, int]
    findings: tuple[Finding, ...]
    rules: RulesInForce
    review: int | None = None
    state: str | None = None

    @property
    def hold(self) -> bool:
        """Whether a person has to look at the prompt before anyone is asked."""
        if self.state is not None:
            return self.state in LOOKED_AT
        worst = gravest(self.findings)
        return worst is not None and worst.level == "hold"


class Screened(NamedTuple):
    """A prompt as it may be stored and asked. `checks` is None for one of the round's own suggestions."""

    text: str
    checks: Checks | None


class NotAskedError(InvalidError):
    """Nobody was asked; with where to call, `help_lines`, if the text concerns self-harm."""

    def __init__(self, why: str, code: str, help_lines: str) -> None:
        super().__init__(why, code=code)
        self.help_lines = help_lines

    def text(self, gettext: Callable[[str], str]) -> str:
        return f"{gettext(self.help_lines)} {super().text(gettext)}" if self.help_lines else super().text(gettext)


class BlockedError(NotAskedError):
    """Nothing was stored either; `category` is why."""

    def __init__(self, category: str, findings: tuple[Finding, ...]) -> None:
        super().__init__(reason(category), "blocked", help_lines(finding.code for finding in findings))
        self.category = category if is_category(category) else "other"
