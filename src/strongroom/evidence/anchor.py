"""Anchors: small signed files that an operator keeps elsewhere. They say how long each log was, so that a cut end shows."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from strongroom.evidence.chain import Head
from strongroom.evidence.checkpoint import Sign

FORMAT = "strongroom-audit-anchor/1"


class BadAnchor(ValueError):
    """A text is no anchor."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Anchor:
    """The last checkpoint of every device, by its name, at one time (RFC 3339)."""

    time: str
    vault: str
    key_id: str
    heads: Mapping[str, Head]
    signature: str = ""

    @property
    def statement(self) -> bytes:
        """The bytes that are signed: one line a member, none of which can hold a line break."""
        lines = [FORMAT, self.time, self.vault, self.key_id]
        lines += [f"{name} {head.id} {head.sequence} {head.hash}" for name, head in sorted(self.heads.items())]
        return "".join(f"{line}\n" for line in lines).encode()

    def signed(self, sign: Sign) -> dict[str, Any]:
        """The anchor as it is exported, in types that JSON has."""
        return {
            "format": FORMAT,
            "time": self.time,
            "vault": self.vault,
            "devices": {name: head._asdict() for name, head in sorted(self.heads.items())},
            "key_id": self.key_id,
            "signature": sign(self.statement),
        }


def read_anchor(text: str) -> Anchor:
    """The anchor in ``text``. Its signature is not checked here. Raises BadAnchor."""
    try:
        members = json.loads(text)
        heads = {
            str(name): Head(str(head["id"]), int(head["sequence"]), str(head["hash"]))
            for name, head in members["devices"].items()
        }
        anchor = Anchor(
            time=str(members["time"]),
            vault=str(members["vault"]),
            key_id=str(members["key_id"]),
            heads=heads,
            signature=str(members["signature"]),
        )
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise BadAnchor("the anchor is not one that 'strongroom audit anchor' wrote") from None
    if members["format"] != FORMAT or any(
        "\n" in part for part in (anchor.time, anchor.vault, anchor.key_id, *anchor.heads)
    ):
        raise BadAnchor("the anchor is not one that 'strongroom audit anchor' wrote")
    return anchor
