"""CIDR blocks as clients write them: a block, or one address."""

from __future__ import annotations

import ipaddress

from strongroom.logical.errors import InvalidRequest


def check_cidrs(texts: list[str]) -> list[str]:
    """The blocks in their shortest spelling, without doubles. Raises InvalidRequest where one is none."""
    blocks: list[str] = []
    for text in texts:
        try:
            network = ipaddress.ip_network(text, strict=False)
        except ValueError:
            raise InvalidRequest("a bound CIDR is malformed; write a block like 10.0.0.0/8 or one address") from None
        shown = str(network.network_address) if "/" not in text else str(network)
        if shown not in blocks:
            blocks.append(shown)
    return blocks
