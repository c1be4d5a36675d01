from __future__ import annotations

from typing import Any

import pytest
from tests.environments.world import write
from tests.kit import Vault

NAMES = ("dev", "stage", "prod")


@pytest.fixture
def vault() -> Vault:
    """Three environments, a mount of none, and two developers."""
    vault = Vault()
    for mount in (*NAMES, "secret"):
        vault.mount(mount, options={"version": "2"})
    for rank, name in enumerate(NAMES):
        assert write(vault, name, rank=rank, mounts=[name]).status == 204
    for name in (*NAMES, "secret"):
        assert vault.post(f"{name}/data/app", {"data": {"url": f"https://{name}.example"}}).status == 200
    vault.write_policy("all", 'path "*" { capabilities = ["create", "read", "update", "list"] }')
    assert vault.post("sys/auth/userpass", {"type": "userpass"}).status == 204
    for user in ("ana", "bob"):
        vault.post(f"auth/userpass/users/{user}", {"password": "a password of theirs", "token_policies": ["all"]})
    return vault


def login(vault: Vault, user: str) -> str:
    answer = vault.post(f"auth/userpass/login/{user}", {"password": "a password of theirs"}, token=None)
    return str(answer.auth["client_token"])


def override(vault: Vault, token: str, path: str = "dev/app", **data: Any) -> int:
    return vault.post("sys/overrides", {"path": path, "data": data}, token=token).status


def overrides(vault: Vault, token: str) -> dict[str, Any]:
    found = vault.get("sys/overrides", token=token).data["overrides"]
    return {one["path"]: one["data"] for one in found}


def test_each_person_has_overrides_of_their_own_whatever_token_they_show(vault: Vault) -> None:
    ana, bob = login(vault, "ana"), login(vault, "bob")
    assert override(vault, ana, url="https://localhost", extra=7) == 204
    assert override(vault, bob, url="https://bob.example") == 204
    assert overrides(vault, login(vault, "ana")) == {"dev/app": {"url": "https://localhost", "extra": 7}}
    assert overrides(vault, bob) == {"dev/app": {"url": "https://bob.example"}}
    assert vault.get("dev/data/app", token=ana).data["data"] == {"url": "https://dev.example"}


def test_overrides_are_added_taken_away_and_listed_without_values(vault: Vault) -> None:
    ana = login(vault, "ana")
    override(vault, ana, a="1", b="2")
    override(vault, ana, b="3", c="4")
    override(vault, ana, path="stage/app", a="5")
    listed = vault.list("sys/overrides", token=ana)
    assert listed.data["keys"] == ["dev/app#a", "dev/app#b", "dev/app#c", "stage/app#a"]
    assert vault.delete("sys/overrides?path=dev/app&keys=a,b", token=ana).status == 204
    assert overrides(vault, ana) == {"dev/app": {"c": "4"}, "stage/app": {"a": "5"}}
    vault.delete("sys/overrides?path=dev/app", token=ana)
    vault.delete("sys/overrides?path=stage/app", token=ana)
    assert vault.list("sys/overrides", token=ana).status == 404
    with vault.node.require().barrier.transaction() as transaction:
        assert list(transaction.scan("core/override/")) == []


def test_the_most_sensitive_environment_a_protected_one_and_none_take_no_overrides(vault: Vault) -> None:
    ana = login(vault, "ana")
    write(vault, "stage", protected=True)
    for path in ("prod/app", "stage/app", "secret/app"):
        assert override(vault, ana, path=path, url="x") == 400
    assert override(vault, ana, url="x") == 204


def test_what_becomes_protected_or_unreadable_ignores_the_overrides_that_are_there(vault: Vault) -> None:
    ana = login(vault, "ana")
    override(vault, ana, url="x")
    write(vault, "dev", protected=True)
    assert overrides(vault, ana) == {}
    write(vault, "dev", protected=False, headers={"x-strongroom-reason": "test"})
    assert overrides(vault, ana) != {}
    vault.write_policy("all", 'path "dev/metadata/*" { capabilities = ["list"] }')
    assert overrides(vault, ana) == {}


def test_a_value_of_a_more_sensitive_environment_is_no_override(vault: Vault) -> None:
    vault.post("prod/data/app", {"data": {"k": "a long value of production"}})
    answer = vault.post(
        "sys/overrides",
        {"path": "dev/app", "data": {"k": "YSBsb25nIHZhbHVlIG9mIHByb2R1Y3Rpb24="}},
        token=login(vault, "ana"),
    )
    assert (answer.status, "more protected" in str(answer.errors)) == (400, True)
    assert overrides(vault, login(vault, "ana")) == {}


def test_who_may_not_read_the_secret_overrides_nothing(vault: Vault) -> None:
    vault.write_policy("all", 'path "dev/data/other" { capabilities = ["read"] }')
    assert override(vault, login(vault, "ana"), url="x") == 403
    assert override(vault, login(vault, "ana"), path="nowhere/app", url="x") == 403


def test_a_token_without_a_login_has_none_but_for_root(vault: Vault) -> None:
    assert override(vault, vault.token_for("all"), url="x") == 400
    assert overrides(vault, vault.token_for("all")) == {}
    assert override(vault, "root", url="x") == 204
    assert overrides(vault, "root") == {"dev/app": {"url": "x"}}


@pytest.mark.parametrize(
    ("path", "data", "status"),
    [
        ("dev/app", {}, 400),
        ("dev/app", {"k": "x" * 40_000}, 400),
        ("dev/app", {str(number): "x" for number in range(65)}, 400),
        ("dev/../app", {"k": "x"}, 400),
        ("dev/app/", {"k": "x"}, 403),
        ("dev", {"k": "x"}, 403),
    ],
)
def test_what_makes_no_sense_is_refused(vault: Vault, path: str, data: dict[str, Any], status: int) -> None:
    assert vault.post("sys/overrides", {"path": path, "data": data}).status == status


def test_there_are_so_many_secrets_with_overrides(vault: Vault, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("strongroom.system.override_store.SECRETS_MAX", 3)
    assert [override(vault, "root", path=f"dev/s{number}", k="v") for number in range(4)] == [204, 204, 204, 400]
    assert override(vault, "root", path="dev/s1", k="w") == 204


def test_the_audit_log_names_the_keys_that_leave_and_no_value(vault: Vault) -> None:
    override(vault, "root", url="hunter2-hunter2")
    vault.device.written.clear()
    overrides(vault, "root")
    assert "hunter2" not in vault.device.text
    assert '"url"' in vault.device.text


def test_no_name_of_a_person_stands_in_a_key_of_the_store(vault: Vault) -> None:
    override(vault, login(vault, "ana"), url="x")
    with vault.node.require().barrier.transaction() as transaction:
        (key,) = transaction.scan("core/override/")
    assert "ana" not in key


def test_the_matrix_shows_who_overrides_it_alone(vault: Vault) -> None:
    ana, bob = login(vault, "ana"), login(vault, "bob")
    override(vault, ana, url="x", extra="y")

    def states(token: str) -> dict[str, list[str]]:
        found = vault.get("sys/matrix?environments=dev", token=token).data["rows"]
        return {row["key"]: row["cells"]["dev"]["states"] for row in found}

    assert states(ana) == {"extra": ["overridden", "missing"], "url": ["overridden", "set"]}
    assert states(bob) == {"url": ["set"]}
    only = vault.get("sys/matrix?environments=dev&only=overridden", token=bob).data["rows"]
    assert only == []
