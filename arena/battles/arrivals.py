"""Limits on questions: of browsers that have never voted by address, else by person.

Whoever deletes the cookie after each battle, to be dealt another pair, is somebody new each time. So is a whole
school behind one address when a lesson begins: the allowance is as large as a school, and each vote adds to it. A
question counts before it is checked: what is refused costs something too, and no classifier is asked without end.
Kept in memory, an hour at a time, and never written down.
"""

from collections import Counter
from datetime import datetime
from threading import Lock

from arena.errors import N_, LimitError
from arena.web.network import network_of

NEWCOMERS = 1500
A_VOTE_ALLOWS = 5
A_PERSON = 300
ADDRESSES = 100_000

TOO_MANY_NEW = N_(
    "Very many people have begun from your network without choosing yet. Please choose in the comparison that is"
    " open, or try again in a while. Your question is still here."
)


TOO_MANY_OF_ONE = N_(
    "You have asked very many questions within an hour. Please go on a little later. Your question is still here."
)


class Arrivals:
    """Counts by address and by voter, of this process; forgets them with each hour of the clock. For any thread."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._hour: object = None
        self._counts: Counter[str] = Counter()

    def admit(self, address: str, now: datetime) -> None:
        """Counts a first question of somebody who has not voted. Raises LimitError when they are too many."""
        if not self._counted(network_of(address), NEWCOMERS, now):
            raise LimitError(TOO_MANY_NEW, code="newcomer_limit", retry_after_s=_left_of_hour(now))

    def admit_known(self, voter_id: str, now: datetime) -> None:
        """Counts a question of somebody who has voted, or a follow-up question. Raises LimitError."""
        if not self._counted(voter_id, A_PERSON, now):
            raise LimitError(TOO_MANY_OF_ONE, code="person_limit", retry_after_s=_left_of_hour(now))

    def voted(self, address: str, now: datetime) -> None:
        with self._lock:
            self._of_hour(now)[network_of(address)] -= A_VOTE_ALLOWS

    def _counted(self, who: str, most: int, now: datetime) -> bool:
        with self._lock:
            counts = self._of_hour(now)
            admitted = counts[who] < most
            counts[who] += admitted
        return admitted

    def _of_hour(self, now: datetime) -> Counter[str]:
        hour = now.replace(minute=0, second=0, microsecond=0)
        if hour != self._hour or len(self._counts) > ADDRESSES:
            self._hour, self._counts = hour, Counter()
        return self._counts


def _left_of_hour(now: datetime) -> int:
    return (60 - now.minute) * 60
