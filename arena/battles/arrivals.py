"""A limit on battles begun from one address by browsers that have never voted.

Whoever deletes the cookie after each battle, to be dealt another pair, is somebody new each time. So is a whole
school behind one address when a lesson begins: the allowance is as large as a school, and each vote adds to it.
Kept in memory, an hour at a time, and never written down.
"""

from collections import Counter
from datetime import datetime
from ipaddress import IPv6Address, ip_address

from arena.errors import N_, LimitError

NEWCOMERS = 1500
A_VOTE_ALLOWS = 5
ADDRESSES = 100_000

TOO_MANY_NEW = N_(
    "Very many people have begun from your network without choosing yet. Please choose in the comparison that is"
    " open, or try again in a while. Your question is still here."
)


class Arrivals:
    """Counts by address, of this process; forgets them with each hour of the clock."""

    def __init__(self) -> None:
        self._hour: object = None
        self._counts: Counter[str] = Counter()

    def admit(self, address: str, now: datetime) -> None:
        """Counts a battle begun by somebody who has not voted. Raises LimitError when they are too many."""
        network = self._network(address, now)
        if self._counts[network] >= NEWCOMERS:
            raise LimitError(TOO_MANY_NEW, code="newcomer_limit", retry_after_s=(60 - now.minute) * 60)
        self._counts[network] += 1

    def voted(self, address: str, now: datetime) -> None:
        self._counts[self._network(address, now)] -= A_VOTE_ALLOWS

    def _network(self, address: str, now: datetime) -> str:
        hour = now.replace(minute=0, second=0, microsecond=0)
        if hour != self._hour or len(self._counts) > ADDRESSES:
            self._hour, self._counts = hour, Counter()
        return network_of(address)


def network_of(address: str) -> str:
    """Of an IPv6 address its first 64 bits, as one subscriber has all of the others."""
    try:
        found = ip_address(address)
    except ValueError:
        return address
    if isinstance(found, IPv6Address) and not found.ipv4_mapped:
        return str(IPv6Address(int(found) >> 64 << 64))
    return str(getattr(found, "ipv4_mapped", None) or found)
