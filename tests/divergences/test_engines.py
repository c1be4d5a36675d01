"""Where the secrets engines differ from Vault's and OpenBao's."""

from __future__ import annotations

import pytest
from tests.kit import Vault

CANARY = "canary-5up3r"


def test_a_secret_that_is_null_is_refused(vault: Vault) -> None:
    assert vault.post("secret/data/app", {"data": None}).status == 400
    assert vault.get("secret/data/app").status == 404


@pytest.mark.parametrize(("count", "status"), [(-1, 400), (0, 204), (10_000, 204), (10_001, 400)])
def test_the_number_of_versions_has_bounds(vault: Vault, count: int, status: int) -> None:
    assert vault.post("secret/metadata/app", {"max_versions": count}).status == status
    assert vault.post("secret/config", {"max_versions": count}).status == status


@pytest.mark.parametrize("path", ["secret/data/big", "kv/big"])
def test_a_secret_has_at_most_a_mebibyte(vault: Vault, path: str) -> None:
    def body(size: int) -> dict[str, object]:
        return {"data": {"key": "x" * size}} if path.startswith("secret") else {"key": "x" * size}

    assert vault.post(path, body(1_048_576)).status == 413
    assert vault.get(path).status == 404
    assert vault.post(path, body(1_040_000)).status in {200, 204}


@pytest.mark.parametrize("path", ["secret/data/app", "kv/app"])
def test_a_slash_at_the_end_does_not_lead_around_a_policy(vault: Vault, path: str) -> None:
    vault.post("secret/data/app", {"data": {"key": "value"}})
    vault.post("kv/app", {"key": "value"})
    vault.write_policy(
        "all-but-one",
        'path "secret/data/*" { capabilities = ["read", "delete"] }\npath "secret/data/app" { capabilities = ["deny"] }\n'
        'path "kv/*" { capabilities = ["read", "delete"] }\npath "kv/app" { capabilities = ["deny"] }',
    )
    token = vault.token_for("all-but-one")
    for method in ("GET", "DELETE"):
        assert vault.call(method, path + "/", token=token).status == 403
    assert vault.get(path).status == 200


def test_a_negative_depth_is_refused(vault: Vault) -> None:
    vault.post("secret/data/app", {"data": {"key": "value"}})
    assert vault.get("secret/subkeys/app?depth=-1").status == 400


@pytest.mark.parametrize("version", ["", "abc", "1.5"])
def test_a_version_that_is_no_number_is_refused(vault: Vault, version: str) -> None:
    vault.post("secret/data/app", {"data": {"key": "value"}})
    assert vault.get(f"secret/data/app?version={version}").status == 400


def test_an_unknown_option_of_a_write_is_pointed_out(vault: Vault) -> None:
    answer = vault.post("secret/data/app", {"data": {"key": "value"}, "options": {"case": 1}})
    assert answer.body is not None
    assert len(answer.body["warnings"]) == 1


@pytest.mark.parametrize("ttl", [None, "-5s", -5])
def test_a_ttl_without_meaning_gives_the_lease_duration_of_the_mount(vault: Vault, ttl: object) -> None:
    vault.post("kv/app", {"ttl": ttl, "key": "value"})
    answer = vault.get("kv/app")
    assert answer.body is not None
    assert answer.body["lease_duration"] == 768 * 3600


def test_an_empty_entry_of_a_cubbyhole_is_the_callers_fault(vault: Vault) -> None:
    assert vault.post("cubbyhole/app", {}).status == 400


@pytest.mark.parametrize("mount", ["kv", "cubbyhole"])
def test_every_list_can_be_read_in_parts(vault: Vault, mount: str) -> None:
    for name in ("a", "b", "c"):
        vault.post(f"{mount}/{name}", {"key": "value"})
    assert vault.list(f"{mount}?limit=2").data["keys"] == ["a", "b"]
    assert vault.list(f"{mount}?after=b").data["keys"] == ["c"]


def test_a_folder_beside_a_secret_of_its_name_has_no_metadata(vault: Vault) -> None:
    for name in ("shelf", "shelf/book"):
        vault.post(f"secret/data/{name}", {"data": {"key": "value"}})
    details = vault.list("secret/detailed-metadata").data["key_info"]
    assert details["shelf"]["current_version"] == 1
    assert details["shelf/"] == {}


def test_what_cannot_be_listed_says_so(vault: Vault) -> None:
    assert vault.list("secret/config").status == 405


def test_numbers_and_the_order_of_keys_survive(vault: Vault) -> None:
    written = b'{"data":{"b":12345678901234567890123,"a":1.10,"c":1e400}}'
    assert vault.call("POST", "secret/data/app", written).status == 200
    assert b'{"b":12345678901234567890123,"a":1.10,"c":1E+400}' in vault.get("secret/data/app").raw


def test_errors_quote_neither_names_nor_values(vault: Vault) -> None:
    refusals = [
        vault.post("secret/metadata/app", {"custom_metadata": {CANARY: "x" * 600}}),
        vault.post("secret/metadata/app", {"custom_metadata": {"x" * 200: CANARY}}),
        vault.post("secret/metadata/app", {"max_versions": CANARY}),
        vault.post("secret/data/app", {"data": CANARY}),
        vault.post("secret/data/app", {"data": {"a": "b"}, "options": {"cas": CANARY}}),
        vault.get(f"secret/data/app?version={CANARY}"),
    ]
    assert [answer.status for answer in refusals] == [400] * len(refusals)
    assert not [answer for answer in refusals if CANARY.encode() in answer.raw]


def test_a_patch_of_what_is_not_there_is_answered_like_a_read_of_it(vault: Vault) -> None:
    for answer in (
        vault.patch("secret/data/no", {"data": {"a": 1}}),
        vault.patch("secret/metadata/no", {"max_versions": 1}),
    ):
        assert (answer.status, answer.body) == (404, {"errors": []})


@pytest.mark.parametrize("unset", ["0s", None, 0])
def test_a_patch_takes_the_time_after_which_versions_go_away(vault: Vault, unset: object) -> None:
    assert vault.post("secret/metadata/app", {"delete_version_after": "1h"}).status == 204
    assert vault.patch("secret/metadata/app", {"delete_version_after": unset}).status == 204
    assert vault.get("secret/metadata/app").data["delete_version_after"] == "0s"


def test_an_array_in_a_patch_is_taken_as_it_is(vault: Vault) -> None:
    assert vault.post("secret/data/app", {"data": {"a": 1}}).status == 200
    assert vault.patch("secret/data/app", {"data": {"list": [1, {"b": None}]}}).status == 200
    assert vault.get("secret/data/app").data["data"] == {"a": 1, "list": [1, {"b": None}]}
