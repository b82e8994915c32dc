"""Which addresses an endpoint may lie at: the public internet, and what `ARENA_ENDPOINT_ALLOW` names."""

import ipaddress
import socket
from collections.abc import Sequence
from urllib.parse import urlsplit

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def refusal(url: str, allow: Sequence[str]) -> str | None:
    """Why `url` may not be an endpoint's address, or None when it may.

    `allow` holds networks (`10.1.0.0/16`) and host names. A name is looked up; all its addresses must fit.
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
    if host in map(str.lower, allow):
        return None
    try:
        addresses = _addresses(host)
    except (OSError, UnicodeError):
        return f"the host name {host} has no address"
    inward = next((a for a in addresses if not _admitted(a, allow)), None)
    if inward is None:
        return None
    return f"{inward} is not a public address; ARENA_ENDPOINT_ALLOW must name its network or host"


def _addresses(host: str) -> list[Address]:
    try:
        return [ipaddress.ip_address(host)]
    except ValueError:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
        return [ipaddress.ip_address(str(info[4][0]).partition("%")[0]) for info in found]


def _admitted(address: Address, allow: Sequence[str]) -> bool:
    plain = getattr(address, "ipv4_mapped", None) or address
    return (plain.is_global and not plain.is_multicast) or any(plain in network for network in _networks(allow))


def _networks(allow: Sequence[str]) -> list[ipaddress.IPv4Network | ipaddress.IPv6Network]:
    networks = []
    for item in allow:
        try:
            networks.append(ipaddress.ip_network(item, strict=False))
        except ValueError:
            continue  # a host name
    return networks
