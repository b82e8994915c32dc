"""A prompt on its way to be asked: personal data masked, then judged by the rules, then by the classifier."""

from sqlmodel import Session

from arena.errors import N_, InvalidError
from arena.screening.checks import BlockedError, Checks, Screened
from arena.screening.classifier import Classifier, ClassifierDownError
from arena.screening.findings import Finding, gravest, reason
from arena.screening.holding import decided
from arena.screening.personal import without_personal_data
from arena.screening.queries import rules_in_force
from arena.screening.tables import Review

NOT_CLASSIFIED = "not_classified"
NOT_POSSIBLE = N_("Somebody has looked at this question, and it cannot be asked here.")


def screen(session: Session, round_id: int, voter_id: str, prompt: str) -> Screened:
    """All that needs no network. Raises BlockedError, and InvalidError where a moderator has refused these words."""
    text, masked = without_personal_data(prompt)
    rules = rules_in_force(session)
    earlier = decided(session, round_id, voter_id, text)
    if earlier is None:
        return _unless_blocked(text, Checks(masked, rules.findings(text), rules))
    if earlier.state in ("rejected", "hidden"):
        raise InvalidError(why_not(earlier), code="rejected")
    return Screened(text, Checks(masked, (), rules, earlier.id, earlier.state))


async def classified(screened: Screened, classifier: Classifier | None) -> Screened:
    """With what the classifier finds; where it is down the rules decide, and it is noted. Raises BlockedError."""
    text, checks = screened
    if classifier is None or checks is None or checks.state is not None:
        return screened
    try:
        found = await classifier.findings(text, checks.rules.thresholds)
    except ClassifierDownError:
        found = (Finding("system", NOT_CLASSIFIED, "hold" if checks.findings else "log"),)
    return _unless_blocked(text, checks._replace(findings=checks.findings + found))


def _unless_blocked(text: str, checks: Checks) -> Screened:
    worst = gravest(checks.findings)
    if worst is not None and worst.level == "block":
        raise BlockedError(worst.code)
    return Screened(text, checks)


def why_not(review: Review) -> str:
    """Why a prompt that a moderator refused cannot be asked, as a msgid."""
    return reason(review.reason) if review.reason else NOT_POSSIBLE
