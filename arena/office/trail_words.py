"""The trail in plain words: what acts are called, which belong together, and why one was refused."""

from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

from arena.accounts import people
from arena.battles import appeals, exclusions
from arena.battles.actions import EMPTY
from arena.errors import N_, NotFoundError
from arena.moderation.actions import LONG_NOTE, NO_REASON, UNKNOWN_ACT
from arena.moderation.pages import REASON_NAMES
from arena.moderation.suggestion_words import FAULTS, TAKING_OVER
from arena.moderation.suggestion_words import REFUSALS as SUGGESTION_REFUSALS
from arena.office.endpoint_test import ONE_AT_A_TIME
from arena.office.round_acts import REFUSALS as ROUND_REFUSALS
from arena.office.team_links import ENDED, NOT_OPENED
from arena.rounds.changes_page import WORDS as CHANGE_REFUSALS
from arena.rounds.decisions import SAME_PERSON
from arena.screening.personal import PERSONAL


class Group(NamedTuple):
    """Acts that are looked for together: a name as a msgid, and how their codes begin."""

    name: str
    begins: tuple[str, ...]


GROUPS: Final[Mapping[str, Group]] = {
    "sign_in": Group(N_("Signing in"), ("auth",)),
    "people": Group(N_("People"), ("admin",)),
    "prompts": Group(N_("Citizens' questions"), ("prompt", "words")),
    "suggestions": Group(N_("Suggestions"), ("suggestion",)),
    "rules": Group(N_("Rules for questions"), ("rules",)),
    "rounds": Group(N_("Rounds and teams"), ("round", "endpoint", "team_link")),
    "changes": Group(N_("Changes of an open round"), ("change",)),
    "exclusions": Group(N_("Excluded votes"), ("exclusion", "appeal")),
    "ledger": Group(N_("Ledger, keys, copies"), ("ledger", "key", "database", "trail")),
}

ACTS: Final[Mapping[str, str]] = {
    "auth.sign_in": N_("Signed in"),
    "auth.sign_out": N_("Signed out"),
    "auth.limit": N_("Tried to sign in too often"),
    "auth.password": N_("Changed the password"),
    "auth.totp": N_("Set up the second step of signing in"),
    "auth.session_end": N_("Ended a sign-in"),
    "admin.create": N_("Made an account of the office"),
    "admin.role": N_("Gave somebody another task"),
    "admin.disable": N_("Switched an account off"),
    "admin.enable": N_("Switched an account on"),
    "admin.end_sessions": N_("Ended all sign-ins of somebody"),
    "admin.password": N_("Gave somebody a new password"),
    "admin.reset_totp": N_("Took away the second step of signing in"),
    "admin.reset_oidc": N_("Let somebody sign in with another account of their organisation"),
    "prompt.approve": N_("Approved a question"),
    "prompt.hide": N_("Hid a question"),
    "prompt.reject": N_("Rejected a question"),
    "prompt.escalate": N_("Passed a question on to another moderator"),
    "prompt.undo": N_("Took back a decision on a question"),
    "prompt.decide": N_("Tried to decide on questions"),
    "words.erase": N_("Erased the words of conversations"),
    "suggestion.propose": N_("Proposed a suggestion"),
    "suggestion.edit": N_("Changed a proposed suggestion"),
    "suggestion.approve": N_("Approved a suggestion"),
    "suggestion.decline": N_("Declined a suggestion"),
    "suggestion.publish": N_("Published suggestions"),
    "suggestion.retire": N_("Marked a suggestion to be taken out"),
    "suggestion.keep": N_("Kept a suggestion that was to be taken out"),
    "rules.publish": N_("Published rules for questions"),
    "round.create": N_("Made a round"),
    "round.revise": N_("Changed a round that is in preparation"),
    "round.open": N_("Opened a round"),
    "round.close": N_("Closed a round"),
    "round.recount": N_("Compared the counts with the votes"),
    "endpoint.test": N_("Tested an endpoint"),
    "team_link.make": N_("Made a link for a team"),
    "team_link.end": N_("Ended a link of a team"),
    "change.propose": N_("Proposed a change"),
    "change.approve": N_("Approved a change"),
    "change.withdraw": N_("Took back or declined a change"),
    "exclusion.propose": N_("Proposed to exclude votes or to count them again"),
    "exclusion.approve": N_("Agreed to exclude votes or to count them again"),
    "exclusion.refuse": N_("Declined a proposal about excluded votes"),
    "exclusion.withdraw": N_("Took back a proposal about excluded votes"),
    "exclusion.decide": N_("Tried to decide on proposals about excluded votes"),
    "exclusion.close": N_("Closed proposals about excluded votes that had nothing left to decide"),
    "appeal.make": N_("Asked to have a vote counted again"),
    "appeal.decline": N_("Declined to count a vote again"),
    "appeal.uphold": N_("Agreed to count a vote again"),
    "ledger.export": N_("Exported a round"),
    "key.create": N_("Made a key for a pipeline"),
    "key.rotate": N_("Handed the ledger over to a new key"),
    "database.backup": N_("Copied the database"),
    "trail.export": N_("Exported the trail"),
}

NOBODY_SIGNED_IN: Final[Mapping[str, str]] = {
    "command line": N_("command line"),
    "schedule": N_("by schedule"),
    "voter": N_("a citizen"),
    "unknown": N_("somebody unknown"),
}

_EVERYWHERE: Final[Mapping[str, str]] = {
    "role": N_("Somebody with another task tried it."),
    "not_found": NotFoundError.message,
    "same_person": SAME_PERSON,
    "personal": PERSONAL,
}
_REFUSALS: Final[Mapping[str, Mapping[str, str]]] = {
    "admin": people.REFUSALS,
    "appeal": exclusions.REFUSALS | appeals.FAULTS,
    "auth": {
        "attempts": N_("There were too many attempts."),
    },
    "change": CHANGE_REFUSALS,
    "exclusion": exclusions.REFUSALS,
    "endpoint": ROUND_REFUSALS | {"test_running": ONE_AT_A_TIME, "empty_prompt": EMPTY},
    "prompt": {
        "decided": N_("It had been decided already."),
        "claimed": N_("Somebody else was looking at it."),
        "withdrawn": N_("The citizen had taken it back."),
        "escalated": N_("Whoever passed it on cannot decide it."),
        "nothing_to_undo": N_("There was nothing to take back."),
        "too_late": N_("It was too late to take it back."),
        "asked": N_("The citizen had asked it already."),
        "excluded": N_("The vote on it had been decided on already."),
        "unknown_act": UNKNOWN_ACT,
        "no_reason": NO_REASON,
        "note": LONG_NOTE,
    },
    "round": ROUND_REFUSALS,
    "suggestion": {
        code: words for code, words in (FAULTS | TAKING_OVER | SUGGESTION_REFUSALS).items() if "%(" not in words
    },
    "team_link": {"ended": ENDED, "not_opened": NOT_OPENED},
}
"""By the group of an act and the code that the trail keeps; those whose words need more than a code are left out."""


def act_words(what: str, gettext: Callable[[str], str]) -> str:
    """An act in words; one that has none shows its code."""
    return gettext(ACTS[what]) if what in ACTS else what


def why_words(what: str, why: str, gettext: Callable[[str], str]) -> str:
    """Why an act was refused in words; what has none shows its code."""
    words = _REFUSALS.get(what.partition(".")[0], {}).get(why) or _EVERYWHERE.get(why)
    return gettext(words) if words else why


def reason_words(what: str, reason: str, gettext: Callable[[str], str]) -> str:
    """Why a prompt was rejected in words; other reasons have theirs in templates."""
    named = what.startswith("prompt.") and reason in REASON_NAMES
    return gettext(REASON_NAMES[reason]) if named else reason
