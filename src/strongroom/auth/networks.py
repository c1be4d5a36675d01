"""CIDR blocks that bind a login or a token to the addresses it may come from.

Everything here fails closed: an address that cannot be read lies in no block.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Sequence

from strongroom.logical.errors import InvalidRequest

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Address = ipaddress.IPv4Address | ipaddress.IPv6Address

# Only a prefix length after the slash: ``ipaddress`` takes netmasks and host masks too, which read alike and mean opposites.
_BLOCK = re.compile(r"([0-9A-Fa-f.:]{2,45})(?:/([0-9]{1,3}))?")


def check_blocks(blocks: Iterable[str], field: str) -> tuple[str, ...]:
    """``blocks`` in canonical text. Raises InvalidRequest naming ``field`` where one is neither an address nor a CIDR block."""
    try:
        return tuple(_canonical(block) for block in blocks)
    except ValueError:
        raise InvalidRequest(
            f"field {field!r} must hold IP addresses or CIDR blocks, like 192.0.2.7, 10.0.0.0/8 or 2001:db8::/32"
        ) from None


def without_full_length(blocks: Iterable[str]) -> tuple[str, ...]:
    """Blocks of one address as that address: the form in which clients read the bound CIDRs of tokens back."""
    return tuple(_single_address(block) for block in blocks)


def allows(blocks: Sequence[str], remote_address: str) -> bool:
    """Whether ``remote_address`` lies in one of ``blocks``, or there are none."""
    if not blocks:
        return True
    address = parse_address(remote_address)
    return address is not None and any(address in _network(block) for block in blocks)


def are_within(inner: Iterable[str], outer: Sequence[str]) -> bool:
    """Whether each block of ``inner`` lies wholly in one of ``outer``, or ``outer`` is empty."""
    if not outer:
        return True
    wider = [_network(block) for block in outer]
    return all(any(_is_subnet(_network(block), other) for other in wider) for block in inner)


def parse_address(text: str) -> Address | None:
    """The address in ``text``, an IPv4 address in IPv6 clothes as what it is; None where there is none."""
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return address


def only_block_of(remote_address: str) -> tuple[str, ...]:
    """The block that holds ``remote_address`` alone. Raises InvalidRequest where the address is not known."""
    address = parse_address(remote_address)
    if address is None:
        raise InvalidRequest(
            "the token must be bound to the client's IP address, which is not known; log in over the network"
        )
    return (f"{address}/{address.max_prefixlen}",)


def _network(block: str) -> Network:
    return ipaddress.ip_network(block, strict=False)


def _canonical(block: str) -> str:
    match = _BLOCK.fullmatch(block)
    if match is None:
        raise ValueError
    address = ipaddress.ip_address(match[1])
    length = address.max_prefixlen if match[2] is None else int(match[2])
    if length > address.max_prefixlen:
        raise ValueError
    return f"{address}/{length}"


def _single_address(block: str) -> str:
    address, _, length = block.partition("/")
    return address if int(length) == ipaddress.ip_address(address).max_prefixlen else block


def _is_subnet(inner: Network, outer: Network) -> bool:
    # Compared pairwise, because ``subnet_of`` takes only two of a kind.
    if isinstance(inner, ipaddress.IPv4Network) and isinstance(outer, ipaddress.IPv4Network):
        return inner.subnet_of(outer)
    if isinstance(inner, ipaddress.IPv6Network) and isinstance(outer, ipaddress.IPv6Network):
        return inner.subnet_of(outer)
    return False
