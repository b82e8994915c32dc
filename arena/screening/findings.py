"""What is found in a prompt: its kind, how grave it is, and what a citizen is told about it."""

from collections.abc import Iterable
from typing import Final, Literal, NamedTuple, cast

from arena.errors import N_

Level = Literal["log", "hold", "block"]
Category = Literal[
    "self_harm",
    "sexual_minors",
    "violence",
    "weapons",
    "drugs",
    "sexual",
    "hate",
    "privacy",
    "illegal",
    "spam",
    "other",
]
HELP_LINES: Final = N_(
    "You matter, and you do not have to carry this alone. In Korea you can talk to someone at any hour, without"
    " giving your name: call 109 (suicide prevention) or 1577-0199 (mental health crisis)."
)
LEVELS: Final[tuple[Level, ...]] = ("log", "hold", "block")
"""From the mildest to the gravest."""


class Finding(NamedTuple):
    """`code` is a category; for the source "system" what went wrong, such as `not_classified`."""

    source: Literal["rule", "classifier", "system"]
    code: str
    level: Level


class Words(NamedTuple):
    """A category's name, and why a question of this kind is not asked; msgids."""

    name: str
    reason: str


CATEGORIES: Final[dict[Category, Words]] = {
    "self_harm": Words(
        N_("Suicide and self-harm"),
        N_("We do not pass on questions about ways to harm oneself."),
    ),
    "sexual_minors": Words(
        N_("Sexual content about minors"),
        N_("Sexual content about children and young people is not allowed here, in any form."),
    ),
    "violence": Words(
        N_("Violence"), N_("We do not pass on questions that ask how to hurt people, or that threaten somebody.")
    ),
    "weapons": Words(N_("Weapons"), N_("We do not pass on questions that ask how to make weapons or explosives.")),
    "drugs": Words(N_("Drugs"), N_("We do not pass on questions that ask how to make or to buy illegal drugs.")),
    "sexual": Words(N_("Sexual content"), N_("We do not pass on questions with explicit sexual content.")),
    "hate": Words(
        N_("Hate"), N_("We do not pass on questions that insult people for who they are or where they are from.")
    ),
    "privacy": Words(
        N_("A private person"),
        N_("We do not pass on questions that try to find out where a private person lives, or how to reach them."),
    ),
    "illegal": Words(N_("Crime"), N_("We do not pass on questions that ask for help with a crime.")),
    "spam": Words(N_("Advertising"), N_("We do not pass on advertising. Ask something you would like to know.")),
    "other": Words(N_("Something else"), N_("Our check did not let this question through.")),
}


_CLASSIFIERS: Final[dict[str, Category]] = {
    "self-harm": "self_harm",
    "self_harm": "self_harm",
    "sexual/minors": "sexual_minors",
    "sexual_minors": "sexual_minors",
    "sexual": "sexual",
    "violence": "violence",
    "weapons": "weapons",
    "drugs": "drugs",
    "hate": "hate",
    "harassment": "hate",
    "privacy": "privacy",
    "pii": "privacy",
    "illicit": "illegal",
    "illegal": "illegal",
    "spam": "spam",
}
"""How classifiers' names of categories begin."""


def is_category(code: str) -> bool:
    return code in CATEGORIES


def category_of(name: str) -> Category:
    """The category that a classifier's name for it belongs to: of `self-harm/intent` it is `self_harm`."""
    return next((category for start, category in _CLASSIFIERS.items() if name.startswith(start)), "other")


def reason(code: str) -> str:
    """Why a question of this category is not asked, as a msgid."""
    return CATEGORIES[cast(Category, code if is_category(code) else "other")].reason


def help_lines(codes: Iterable[str | None]) -> str:
    """Where to call, as a msgid, for somebody whose own text was found to concern self-harm; else empty."""
    return HELP_LINES if "self_harm" in codes else ""


def gravest(findings: Iterable[Finding]) -> Finding | None:
    """The finding that decides; the first of several that are as grave."""
    return max(findings, key=lambda finding: LEVELS.index(finding.level), default=None)
