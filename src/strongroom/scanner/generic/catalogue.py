"""Every generic rule."""

from __future__ import annotations

from strongroom.scanner.generic.assignments import ASSIGNMENT_RULES
from strongroom.scanner.generic.credentials import CREDENTIAL_RULES
from strongroom.scanner.generic.identifiers import IDENTIFIER_RULES

GENERIC_RULES = (*ASSIGNMENT_RULES, *CREDENTIAL_RULES, *IDENTIFIER_RULES)
