"""A prompt on its way to be asked: personal data masked, then judged by the rules, then by the classifier."""

from collections.abc import Sequence
from typing import Any, cast

from sqlmodel import Session

from arena.errors import N_
from arena.screening.checks import BlockedError, Checks, NotAskedError, Screened
from arena.screening.classifier import Classifier, ClassifierDownError, NotTakenError
from arena.screening.findings import Finding, gravest, help_lines, reason
from arena.screening.holding import decided
from arena.screening.personal import without_personal_data
from arena.screening.queries import rules_in_force
from arena.screening.rules import RulesInForce
from arena.screening.tables import Review

NOT_CLASSIFIED = "not_classified"
NOT_POSSIBLE = N_("Somebody has looked at this question, and it cannot be asked here.")


def screen(session: Session, round_id: int, voter_id: str, prompt: str) -> Screened:
    """All that needs no network. Raises BlockedError, and NotAskedError where a moderator has refused these words."""
    text, masked = without_personal_data(prompt)
    rules = rules_in_force(session)
    earlier = decided(session, round_id, voter_id, text)
    if earlier is None:
        return _unless_blocked(text, Checks(masked, rules.findings(text), rules))
    if earlier.state in ("rejected", "hidden"):
        raise NotAskedError(why_not(earlier), "rejected", help_lines_for(earlier))
    found = tuple(Finding(**cast(dict[str, Any], flag)) for flag in earlier.flags)
    return Screened(text, Checks(earlier.masked or masked, found, rules, earlier.id, earlier.state))


async def classified(screened: Screened, classifier: Classifier | None) -> Screened:
    """With what the classifier finds. Raises BlockedError."""
    text, checks = screened
    if classifier is None or checks is None or checks.state is not None:
        return screened
    found = await classifier_findings(classifier, text, checks.rules, checks.findings)
    return _unless_blocked(text, checks._replace(findings=checks.findings + found))


async def classifier_findings(
    classifier: Classifier, text: str, rules: RulesInForce, found: Sequence[Finding]
) -> tuple[Finding, ...]:
    """What it finds besides what the rules `found`.

    Where it is down the rules decide: with a finding of theirs a text is doubtful, and held. So is one that it is up
    for and does not take.
    """
    try:
        return await classifier.findings(text, rules.thresholds)
    except ClassifierDownError:
        return (Finding("system", NOT_CLASSIFIED, "hold" if found else "log"),)
    except NotTakenError:
        return (Finding("system", NOT_CLASSIFIED, "hold"),)


def _unless_blocked(text: str, checks: Checks) -> Screened:
    worst = gravest(checks.findings)
    if worst is not None and worst.level == "block":
        raise BlockedError(worst.code, checks.findings)
    return Screened(text, checks)


def help_lines_for(review: Review) -> str:
    """Where whoever wrote a prompt can call, as a msgid; empty where nothing of self-harm was found in it."""
    return help_lines([*(flag["code"] for flag in review.flags), review.reason])


def why_not(review: Review) -> str:
    """Why a prompt that a moderator refused cannot be asked, as a msgid."""
    return reason(review.reason) if review.reason else NOT_POSSIBLE
