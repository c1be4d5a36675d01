"""Where several rules match the same bytes, the one that says most names them."""

from __future__ import annotations

from random import Random

import pytest
from tests.scanner.conftest import Examine
from tests.scanner.rules.samples import expand

from strongroom.scanner.catalogue import ALL_RULES

URL_RULES = [rule for rule in ALL_RULES if rule.id.endswith("url-password")]


@pytest.mark.parametrize(
    ("template", "rule"),
    [
        ("postgres://app:{base62:16}@db.acme.io:5432/app", "postgresql-url-password"),
        ("mysql+pymysql://app:{base62:16}@db.acme.io/app", "mysql-url-password"),
        ("redis://:{base62:24}@cache.acme.io:6379/0", "redis-url-password"),
        ("gopher://app:{base62:16}@host.acme.io/", "any-url-password"),
    ],
)
def test_a_password_in_a_url_is_named_by_the_rule_that_knows_the_service(
    template: str, rule: str, examine: Examine
) -> None:
    (hit,) = examine(expand(template, Random(1)).encode(), URL_RULES)
    assert URL_RULES[hit.rule].id == rule
