"""What a rule finds in a text, the plain way: keywords, pattern, entropy, checksum. The engine must find the same."""

from __future__ import annotations

import math
from collections import Counter
from functools import cache
from typing import Any

import re2  # type: ignore[import-untyped]  # it has no types

from strongroom.scanner.rule import Rule


@cache
def compiled(pattern: str) -> Any:
    """The pattern over bytes, as the engine reads it."""
    options = re2.Options()
    options.encoding = re2.Options.Encoding.LATIN1
    return re2.compile(pattern.encode(), options)


def found(rule: Rule, data: bytes) -> list[bytes]:
    """The secrets that `rule` finds in `data`."""
    lowered = data.lower()
    if rule.keywords and not any(word.encode() in lowered for word in rule.keywords):
        return []
    pattern = compiled(rule.pattern)
    group = pattern.groupindex.get(b"secret", 0)
    secrets = [match[group] for match in pattern.finditer(data)]
    checks = [check for check in (rule.checksum, rule.structure, rule.plausible) if check is not None]
    return [secret for secret in secrets if entropy(secret) >= rule.entropy and all(check(secret) for check in checks)]


def entropy(value: bytes) -> float:
    """Shannon's entropy, in bits for each byte."""
    return -sum(count / len(value) * math.log2(count / len(value)) for count in Counter(value).values())
