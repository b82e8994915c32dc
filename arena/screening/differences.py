"""What differs between two versions of the rules, in a few short lines for the trail. Pure."""

from collections import Counter

from arena.screening.rules import Rules

MAX_LINES = 30
MAX_SHOWN = 80


def differences(old: Rules, new: Rules) -> list[str]:
    """Lines such as `+ drugs/words/log: 필로폰` and `- violence: log 0.8`; at most MAX_LINES and how many more."""
    before, after = Counter(_lines(old)), Counter(_lines(new))
    gone, come = (before - after).elements(), (after - before).elements()
    lines = [*(f"- {line}" for line in gone), *(f"+ {line}" for line in come)]
    more = len(lines) - MAX_LINES
    return [*lines[:MAX_LINES], f"… {more}"] if more > 0 else lines


def _lines(rules: Rules) -> list[str]:
    entries = [
        f"{rule.category}/{rule.kind}/{rule.level if rule.on else 'off'}: {_short(entry)}"
        for rule in rules.rules
        for entry in rule.entries
    ]
    return entries + [f"{name}: {threshold.level} {threshold.at:g}" for name, threshold in rules.thresholds.items()]


def _short(entry: str) -> str:
    return entry if len(entry) <= MAX_SHOWN else entry[: MAX_SHOWN - 1] + "…"
