"""Every rule that comes with Strongroom: formats of providers, and guesses from context, which need the judge."""

from __future__ import annotations

from strongroom.scanner.generic.catalogue import GENERIC_RULES
from strongroom.scanner.rule import Rule
from strongroom.scanner.rules.builtin import PROVIDER_RULES

ALL_RULES: tuple[Rule, ...] = (*PROVIDER_RULES, *GENERIC_RULES)
