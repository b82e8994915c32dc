"""What two persons decide together while a round is open: who they are, and why."""

from dataclasses import dataclass
from typing import Final

from arena.errors import N_, InvalidError

TO_EXCLUDE: Final = (
    "automated_voting",
    "one_person_many_voters",
    "organised_voting",
    "test_votes",
    "identity_leak",
    "rejected_prompt",
)
TO_REINSTATE: Final = ("mistake", "appeal_upheld")
"""Why votes are taken out of the ratings, and back in."""
REASONS: Final = (
    *TO_EXCLUDE,
    "endpoint_moved",
    "endpoint_failing",
    "endpoint_restored",
    "team_withdrew",
    "late_joiner",
    *TO_REINSTATE,
)
SAME_PERSON = N_("Two different people have to agree to this.")
UNKNOWN = N_("A reason is needed: one of those that are offered.")


def number_of(person: str) -> str:
    """What of a person's code stays theirs: `3` of `moderator-3`."""
    return person.rpartition("-")[2]


@dataclass(frozen=True, slots=True)
class Decision:
    """A reason code and the two who agreed, by their codes in the ledger (`operator-1`). Raises InvalidError.

    A person's role may change, and their code with it: the number stays.
    """

    reason: str
    persons: tuple[str, str]

    def __post_init__(self) -> None:
        if len(set(map(number_of, self.persons))) < len(self.persons) or not all(self.persons):
            raise InvalidError(SAME_PERSON, code="same_person")
        if self.reason not in REASONS:
            raise InvalidError(UNKNOWN, code="unknown_reason")

    def facts(self) -> dict[str, object]:
        """As an entry of the ledger tells it."""
        return {"reason": self.reason, "persons": list(self.persons)}
