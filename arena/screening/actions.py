"""Writes of what prompts are checked against."""

from datetime import datetime

from sqlmodel import Session

from arena.accounts.trail import record
from arena.db import add_unless_there
from arena.errors import N_, ConflictError, InvalidError
from arena.screening.differences import differences
from arena.screening.personal import refuse_personal_data
from arena.screening.queries import rules_in_force
from arena.screening.rules import MAX_NOTE, Rules
from arena.screening.tables import Ruleset

SUBJECT = "rules"
MOVED_ON = N_(
    "Somebody else published version %(version)s meanwhile. Nothing you typed is lost: below it is compared"
    " with that one."
)
NEEDS_NOTE = N_("Please say in a few words why, at most %(limit)s letters: the note stays with this version.")
NOTHING_NEW = N_("Nothing differs from the rules in force, so there is nothing to publish.")


def publish(session: Session, rules: Rules, based_on: int, note: str, who: str, now: datetime) -> int:
    """Puts rules into force as the version after `based_on`, and on the trail.

    Raises ConflictError when another version was published meanwhile or nothing differs, InvalidError without a note.
    """
    note = note.strip()
    if not 0 < len(note) <= MAX_NOTE:
        raise InvalidError(NEEDS_NOTE, code="note", limit=MAX_NOTE)
    refuse_personal_data(note)
    in_force = rules_in_force(session)
    if in_force.version != based_on:
        raise ConflictError(MOVED_ON, code="moved_on", version=in_force.version)
    if in_force.rules == rules:
        raise ConflictError(NOTHING_NEW, code="nothing_new")
    body = rules.model_dump(mode="json")
    new = Ruleset(version=based_on + 1, body=body, note=note, published_by=who, published_at=now)
    if not add_unless_there(session, new):
        raise ConflictError(MOVED_ON, code="moved_on", version=based_on + 1)
    detail = {
        "before": based_on,
        "after": based_on + 1,
        "note": note,
        "difference": differences(in_force.rules, rules),
    }
    record(session, who, "rules.publish", SUBJECT, "done", now, detail=detail)
    return based_on + 1
