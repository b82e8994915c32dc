"""Whom an address stands for."""

from ipaddress import IPv6Address, ip_address


def network_of(address: str) -> str:
    """Of an IPv6 address its first 64 bits, as one subscriber has all of the others.

    An IPv4 address that is written as IPv6 stays one; what is no address stays as it is.
    """
    try:
        found = ip_address(address)
    except ValueError:
        return address
    if isinstance(found, IPv6Address) and not found.ipv4_mapped:
        return str(IPv6Address(int(found) >> 64 << 64))
    return str(getattr(found, "ipv4_mapped", None) or found)
