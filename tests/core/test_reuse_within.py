from __future__ import annotations

import json
from typing import Any

import pytest
from tests.core.reusing import VALUE, is_refused, put, vault_of_three
from tests.kit import Vault

from strongroom.core.reuse import FORMS_MAX


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
