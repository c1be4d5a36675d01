"""Which addresses are asked: encrypted ones in public, and nothing in private networks unless the configuration names it.

What a feed lists is chosen by whoever posts there. Such an address never makes us speak to our own network: all that its host
resolves to must be public, and the connection goes to what was checked, not to what the name resolves to a moment later.
"""

from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

from strongroom.scanner.watch.failures import FeedFailed, NotThere

_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,252}[A-Za-z0-9])?|[0-9A-Fa-f:.]{2,45}")
_DEFAULT_PORTS = {"https": 443, "http": 80}
_TRANSLATED = tuple(ipaddress.ip_network(text) for text in ("64:ff9b::/96", "64:ff9b:1::/48", "::/96"))
"""Prefixes of IPv6 whose last four bytes are an address of IPv4."""

Resolve = Callable[[str, int], Sequence[str]]
"""The addresses of a host. Raises OSError."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Who is asked: a scheme, a host, a port."""

    scheme: str
    host: str
    port: int

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}" + ("" if self.port == _DEFAULT_PORTS[self.scheme] else f":{self.port}")


@dataclass(frozen=True, slots=True)
class Target:
    """An address in parts. `path` includes the query, and is written so that it can stand in a request."""

    origin: Origin
    path: str

    def __str__(self) -> str:
        return f"{self.origin}{self.path}"

    @property
    def shown(self) -> str:
        """The address without its query, which may hold a credential."""
        return f"{self.origin}{self.path.partition('?')[0]}"


def parse_address(address: str) -> Target:
    """The parts of `address`. Raises NotThere for what is none, has a password in it, or is in clear over a network."""
    try:
        parts = urlsplit(address)
        port = parts.port
    except ValueError:
        raise NotThere("its address cannot be read") from None
    host = (parts.hostname or "").lower()
    if parts.scheme not in _DEFAULT_PORTS or not _HOST.fullmatch(host) or port == 0:
        raise NotThere("its address is none of the web")
    if parts.username is not None or parts.password is not None:
        raise NotThere("its address has a password in it")
    if parts.scheme == "http" and not is_loopback(host):
        raise NotThere("its address is not encrypted: only https is asked")
    path = quote(parts.path or "/", safe="/%:@!$&'()*+,;=~-._")
    query = f"?{quote(parts.query, safe='/%:@!$&()*+,;=~-._?')}" if parts.query else ""
    return Target(Origin(parts.scheme, host, port or _DEFAULT_PORTS[parts.scheme]), path + query)


def is_loopback(host: str) -> bool:
    """Whether `host`, as it is written, is this machine."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def is_public(address: str) -> bool:
    """Whether an IP address, and any that is wrapped in it, belongs to the public internet."""
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(ip, ipaddress.IPv6Address):
        inner = _inner(ip)
        if inner is not None:
            return is_public(str(inner))
    return ip.is_global and not ip.is_multicast and not ip.is_reserved and not ip.is_unspecified


def _inner(ip: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    if ip.ipv4_mapped is not None:
        return ip.ipv4_mapped
    if ip.sixtofour is not None:
        return ip.sixtofour
    if ip.teredo is not None:
        return ip.teredo[1]
    if any(ip in network for network in _TRANSLATED):
        return ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
    return None


def resolve(host: str, port: int) -> Sequence[str]:
    """What the system says of `host`."""
    return list(dict.fromkeys(str(found[4][0]) for found in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)))


@dataclass(frozen=True, slots=True)
class Guard:
    """Decides whom to connect to. `own` are the origins that the configuration names: they may be anywhere."""

    own: frozenset[Origin]
    resolve: Resolve = resolve

    def addresses(self, origin: Origin) -> Sequence[str]:
        """The IP addresses to connect to. Raises NotThere if it is not to be asked, FeedFailed if it has none now."""
        is_own = origin in self.own
        if not is_own and (origin.scheme != "https" or origin.port != _DEFAULT_PORTS["https"]):
            raise NotThere("its address is neither the feed's own nor https on the usual port")
        try:
            found = self.resolve(origin.host, origin.port)
        except (OSError, UnicodeError):
            raise FeedFailed(f"{origin.host} has no address") from None
        if not found:
            raise FeedFailed(f"{origin.host} has no address")
        if origin.scheme == "http" and not all(is_loopback(address) for address in found):
            raise NotThere("its address is not encrypted: only https is asked")
        if not is_own and not all(is_public(address) for address in found):
            raise NotThere("its host is in a private network: it is not asked")
        return found
