"""The alphabet of policies' names, for whoever assigns, stores or asks for one: one spelling each, and ``root`` apart.

Names are case-insensitive, so they are written in small letters everywhere but in what clients send (SECURITY INV-2, INV-4).
"""

from __future__ import annotations

import re
import unicodedata

ROOT = "root"
DEFAULT = "default"
RESPONSE_WRAPPING = "response-wrapping"
"""The policy of wrapping tokens. The server attaches it itself; nobody can assign, change or remove it."""

CHARACTERS_MAX = 128
EXPECTED = f"1 to {CHARACTERS_MAX} letters, digits and . _ @ : - with single slashes between them"
_NAME = re.compile(r"[a-z0-9._@:-]+(?:/[a-z0-9._@:-]+)*")


def in_small_letters(name: str) -> str:
    """``name`` without spaces around it, its ASCII capitals folded. What has other letters is no name, and stays as it is."""
    stripped = name.strip()
    return stripped.lower() if stripped.isascii() else stripped


def is_well_formed(name: str) -> bool:
    """Whether ``name`` is a policy's name in its one spelling, whether there is such a policy or not."""
    if len(name) > CHARACTERS_MAX or not _NAME.fullmatch(name):
        return False
    return not {".", ".."} & set(name.split("/"))


def spells_root(name: str) -> bool:
    """Whether ``name`` reads as ``root``, in whatever letters and with whatever spaces around it."""
    return unicodedata.normalize("NFKC", name).strip().casefold() == ROOT
