from __future__ import annotations

import json
from typing import Any

import pytest
from tests.core.reusing import VALUE, index_all, is_refused, put, vault_of_three
from tests.kit import Vault

from strongroom.core.reuse import FORMS_MAX
from strongroom.environments.listed import AREA


@pytest.fixture
def vault() -> Vault:
    return vault_of_three()


TOKEN = "Zk4-live_9f8e7d6c5b"


@pytest.mark.parametrize(
    "values",
    [
        {TOKEN: "as a name"},
        {"in": [{"depth": {TOKEN: 1}}]},
        {"url": f"postgres://app:{TOKEN}@db/orders"},
        {"setting": f"API_TOKEN={TOKEN}"},
        {"file": f"# comment\ndb:\n  - token: {TOKEN}\n"},
        {"json": json.dumps({"url": f"https://u:{TOKEN}@host"})},
        {"text": f"use {TOKEN}."},
        {"path": f"hooks/{TOKEN}/x"},
        {"escaped": f"https://host/?t={TOKEN.replace('-', '%2D')}"},
    ],
    ids=lambda values: str(next(iter(values)))[:8],
)
@pytest.mark.parametrize("mount", ["dev", "stage"])
def test_a_value_from_above_is_found_within_what_is_stored_below(
    vault: Vault, mount: str, values: dict[str, Any]
) -> None:
    put(vault, "prod/app", TOKEN)
    assert is_refused(vault.post(f"{mount}/app", values))
    assert not is_refused(vault.post("prod/other", values))


def test_the_password_of_an_address_above_is_a_value_by_itself(vault: Vault) -> None:
    put(vault, "prod/app", "postgres://app:p%40ss%2Fword-long@db.prod/orders")
    assert is_refused(put(vault, "dev/app", "p@ss/word-long"))
    assert put(vault, "dev/app", "postgres://app:something-else@db.prod/orders").status == 204


KEY = "xR7kLm29qWzX4nB1vTqY8sDf"


@pytest.mark.parametrize(
    ("above", "below"),
    [
        (f"API_TOKEN={TOKEN}", TOKEN),
        (f"export STRIPE='{KEY}'", KEY),
        ("DB_PASSWORD=correcthorse", "correcthorse"),
        ("Server=db;User=app;Password=correct-horse;Database=orders", "correct-horse"),
        ("host=db user=app password='correct-horse' dbname=orders", "correct-horse"),
        (f"https://host/hook?token={TOKEN}&x=1", TOKEN),
        ("https://host/hook?api_key=p%40ss%2Fword-long", "p@ss/word-long"),
        ("DATABASE=postgres://app:correct-horse@db.prod/orders", "correct-horse"),
        (f"https://hooks.example/services/T0001/B0001/{KEY}", KEY),
        (f"https://hooks.example/services/T0001/B0001/{KEY}", f"https://elsewhere.example/{KEY}?wait=true"),
    ],
)
def test_a_value_that_a_text_above_says_a_name_means_is_found_alone(vault: Vault, above: str, below: str) -> None:
    put(vault, "prod/app", above)
    assert is_refused(put(vault, "dev/app", below))


@pytest.mark.parametrize(
    ("above", "below"),
    [
        ("tier=enterprise", "enterprise"),
        ("engine=aurora-postgresql", "aurora-postgresql"),
        ("version=1.25.3-alpine", "1.25.3-alpine"),
        ("registry.example:5000/web:release-2024.11.30", "release-2024.11.30"),
        ("count=1234567890", "1234567890"),
        ("jdbc:postgresql://db:5432/app", "postgresql://db:5432/app"),
        ("note: the database moved", "the database moved"),
        ("https://host/projects/550e8400-e29b-41d4-a716-446655440000", "550e8400-e29b-41d4-a716-446655440000"),
        ("https://host/commit/4f9c1d2e3b4a5968778695a4b3c2d1e0f9a8b7c6", "4f9c1d2e3b4a5968778695a4b3c2d1e0f9a8b7c6"),
        ("https://host/certificates/intermediate", "/etc/ssl/intermediate"),
        ("certificates", "/etc/ssl/certificates/ca.pem"),
    ],
)
def test_ordinary_parts_of_texts_are_no_values(vault: Vault, above: str, below: str) -> None:
    put(vault, "prod/app", above)
    assert put(vault, "dev/app", below).status == 204


def test_a_vault_that_listed_fewer_forms_is_gone_through_anew(vault: Vault) -> None:
    put(vault, "prod/app", f"API_TOKEN={TOKEN}")
    with vault.node.require().barrier.transaction() as transaction:
        for key in [*transaction.scan(AREA), "core/reuse-forms"]:
            transaction.delete(key)
        vault.node.require().barrier.commit(transaction)
    vault.node.seal()
    vault.unseal()
    assert not is_refused(put(vault, "dev/a", TOKEN))
    index_all(vault)
    assert is_refused(put(vault, "dev/b", TOKEN))


def test_what_a_text_consists_of_is_not_listed(vault: Vault) -> None:
    put(vault, "prod/app", f"use {TOKEN} or nothing")
    put(vault, "stage/app", f"call host-1.internal and {TOKEN}-2")
    assert put(vault, "dev/app", "host-1.internal").status == 204


def test_words_count_as_guesses_and_do_not_stand_in_the_way_of_many_values(vault: Vault) -> None:
    put(vault, "prod/app", TOKEN)
    many = {f"k{number}": f"some value-{number} of many" for number in range(FORMS_MAX)}
    assert vault.post("dev/app", many).status == 204


def test_a_version_below_is_not_restored_once_its_value_is_in_use_above(vault: Vault) -> None:
    put(vault, "dev2/app", VALUE)
    put(vault, "dev2/app", "something-else")
    vault.post("dev2/delete/app", {"versions": [1, 2]})
    put(vault, "prod2/app", VALUE)
    assert vault.post("dev2/undelete/app", {"versions": [2]}).status == 204
    assert is_refused(vault.post("dev2/undelete/app", {"versions": [1]}))
    assert is_refused(vault.post("dev2/undelete/app", {"versions": [2, 1]}))
    assert vault.get("dev2/data/app?version=1").status == 404
    vault.post("prod2/delete/app", {"versions": [1]})
    assert vault.post("prod2/undelete/app", {"versions": [1]}).status == 204
