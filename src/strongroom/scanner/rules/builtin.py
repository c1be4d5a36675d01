"""The registry of the rules that come with Strongroom. A rule that is not in this list does not exist."""

from __future__ import annotations

from strongroom.scanner.rule import Rule
from strongroom.scanner.rules import cloud, code_hosting, crypto_keys, gitlab, google

PROVIDER_RULES: tuple[Rule, ...] = (
    *code_hosting.RULES,
    *gitlab.RULES,
    *cloud.RULES,
    *google.RULES,
    *crypto_keys.RULES,
)
"""Every rule of a provider's format, in the order of the reference page."""
