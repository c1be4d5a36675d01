"""From where a token may be used."""

from __future__ import annotations

import ipaddress

from strongroom.tokens.entry import TokenEntry


def is_address_allowed(entry: TokenEntry, remote_address: str) -> bool:
    """Whether a token may be used from this address: it has no bound CIDRs, or the address lies in one of them."""
    if not entry.bound_cidrs:
        return True
    try:
        address = ipaddress.ip_address(remote_address)
    except ValueError:
        return False
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    return any(address in ipaddress.ip_network(cidr, strict=False) for cidr in entry.bound_cidrs)
