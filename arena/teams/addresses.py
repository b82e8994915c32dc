"""Which addresses an endpoint may lie at: the public internet, and what `ARENA_ENDPOINT_ALLOW` names.

`allow` always holds networks (`10.1.0.0/16`) and host names. The rule is asked when a round is saved and again for
each connection, as a name may have got another address.
"""

import ipaddress
import socket
from collections.abc import Sequence
from urllib.parse import urlsplit

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_GLOBAL_UNICAST = ipaddress.IPv6Network("2000::/3")
_IPV4_AT_THE_END = [
    ipaddress.IPv6Network(prefix) for prefix in ("::/96", "::ffff:0:0/96", "::ffff:0:0:0/96", "64:ff9b::/96")
]


def refusal(url: str, allow: Sequence[str]) -> str | None:
    """Why `url` may not be an endpoint's address, or None when it may.

    A name is looked up; all its addresses must fit.
    """
    try:
        parts = urlsplit(url)
        host, _port = parts.hostname, parts.port
    except ValueError as error:
        return f"not a URL: {error}"
    if parts.scheme not in ("http", "https") or not host:
        return "expected an http:// or https:// URL with a host"
    if parts.username or parts.password or parts.query or parts.fragment:
        return "expected a URL without credentials, query or fragment"
    if is_named(host, allow):
        return None
    try:
        addresses = _addresses(host)
    except (OSError, UnicodeError):
        return f"the host name {host} has no address"
    inward = next((address for address in addresses if not is_admitted(address, allow)), None)
    if inward is None:
        return None
    return f"{inward} is not a public address; ARENA_ENDPOINT_ALLOW must name its network or host"


def is_named(host: str | None, allow: Sequence[str]) -> bool:
    """Whether the operator named this host (in lower case), so that any address of it will do."""
    return host in [item.lower() for item in allow]


def is_admitted(address: str, allow: Sequence[str]) -> bool:
    """Whether an IP address is public or in an allowed network; one that leads to an IPv4 address is judged by that.

    Raises ValueError when it is no address.
    """
    outer = ipaddress.ip_address(address.partition("%")[0])
    inner = _unwrapped(outer)
    return _is_public(inner) or _is_in(outer, allow)


def origin_of(url: str) -> str:
    """Who gets what is sent to `url`: its scheme, host and port, each in one form."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.hostname}:{parts.port or (443 if parts.scheme == 'https' else 80)}"


def in_clear(url: str, allow: Sequence[str]) -> bool:
    """Whether a key that is sent to `url`, which is admitted, may cross the internet for everybody to read."""
    parts = urlsplit(url)
    if parts.scheme != "http" or is_named(parts.hostname, allow):
        return False
    try:
        addresses = _addresses(parts.hostname or "")
    except (OSError, UnicodeError):
        return True
    return not all(_is_in(ipaddress.ip_address(address.partition("%")[0]), allow) for address in addresses)


def _is_in(address: Address, allow: Sequence[str]) -> bool:
    """Whether `allow` has a network for an IP address, or for the one that it leads to."""
    return any(a in network for a in (address, _unwrapped(address)) for network in _networks(allow))


def _addresses(host: str) -> list[str]:
    try:
        return [str(ipaddress.ip_address(host))]
    except ValueError:
        return [str(info[4][0]) for info in socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)]


def _is_public(address: Address) -> bool:
    if isinstance(address, ipaddress.IPv6Address) and address not in _GLOBAL_UNICAST:
        return False
    return address.is_global and not address.is_multicast


def _unwrapped(address: Address) -> Address:
    """The IPv4 address that 6to4, Teredo, NAT64 and mapped addresses lead to; others as they are."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if any(address in network for network in _IPV4_AT_THE_END):
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address.sixtofour or (address.teredo or (None, None))[1] or address


def _networks(allow: Sequence[str]) -> list[ipaddress.IPv4Network | ipaddress.IPv6Network]:
    networks = []
    for item in allow:
        try:
            networks.append(ipaddress.ip_network(item, strict=False))
        except ValueError:
            continue  # a host name
    return networks
