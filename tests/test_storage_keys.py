"""Every key of the store stands in its list, with a page for what lies under it."""

from __future__ import annotations

import re
from pathlib import Path

from tests.kit import Vault

ROOT = Path(__file__).resolve().parent.parent
PAGE = (ROOT / "docs" / "formats" / "storage-keys.md").read_text()
LISTED = re.findall(r"^\| `([a-z][^`]*)` \|", PAGE, re.MULTILINE)


def is_listed(key: str) -> bool:
    """Whether a row's key stands for this one: ``<…>`` is one segment, ``…`` at the end is anything."""
    pattern = "|".join(re.escape(row).replace("…", ".+") for row in LISTED)
    return re.fullmatch(re.sub(r"<[^>]*>", "[^/]+", pattern), key) is not None


def used_vault() -> Vault:
    """A vault in which everything was used once."""
    vault = Vault()
    vault.mount("secret", "kv", options={"version": "2"})
    vault.mount("plain", "kv")
    for method in ("userpass", "approle"):
        vault.post(f"sys/auth/{method}", {"type": method})
    vault.post("secret/data/app", {"data": {"password": "a value"}})
    vault.post("plain/app", {"password": "a value"})
    vault.post("cubbyhole/app", {"password": "a value"})
    vault.post("auth/userpass/users/ada", {"password": "a long password"})
    vault.post("auth/userpass/login/ada", {"password": "wrong"}, token=None)
    vault.post("auth/approle/role/web", {})
    vault.post("auth/approle/role/web/secret-id", {})
    vault.post("auth/token/roles/web", {})
    vault.write_policy("reader", 'path "secret/*" { capabilities = ["read"] }')
    vault.token_for("reader")
    vault.get("sys/mounts", wrap_ttl="60s")
    vault.post("sys/consumers/web", {"secrets": ["secret/data/app@1"]})
    vault.post("sys/remount", {"from": "plain", "to": "moved"})
    return vault


def test_every_key_that_is_written_is_listed() -> None:
    vault = used_vault()
    assert vault.node.unsealed is not None
    with vault.node.unsealed.barrier.transaction() as transaction:
        keys = list(transaction.scan(""))
    assert len(keys) > 20
    assert [key for key in keys if not is_listed(key)] == []


def test_every_area_that_the_source_names_is_listed() -> None:
    named = {
        area
        for path in (ROOT / "src").rglob("*.py")
        for area in re.findall(r"\"((?:core|seal|barrier)/[a-z-]+)(?=[/\"{])", path.read_text())
    }
    assert len(named) > 8
    assert [
        area
        for area in sorted(named)
        if not is_listed(area) and not is_listed(f"{area}/x") and not is_listed(f"{area}/x/x")
    ] == []


def test_no_secret_value_is_part_of_a_key() -> None:
    vault = used_vault()
    assert vault.node.unsealed is not None
    with vault.node.unsealed.barrier.transaction() as transaction:
        assert [
            key for key in transaction.scan("") if "a value" in key or "long password" in key or vault.root in key
        ] == []
