"""A whole vault as it lies in a store, frozen: all of its rows, what unseals it, and what it answers.

``python -m tests.formats.whole_vault FILE`` writes the vault of today. It is for a new format, beside the vaults that are there: those never change.
"""

from __future__ import annotations

import base64
import json
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.kit import JumpingClock, SeededEntropy, Vault

from strongroom.core.resealing import Resealing
from strongroom.physical.memory import MemoryStore
from strongroom.physical.store import Record

VECTORS = Path(__file__).parents[1] / "vectors"
CONFIGURATION = """
storage "inmem" {{}}
listener "tcp" {{ tls_disable = true }}
audit "file" "main" {{ options {{ file_path = "{file}" }} }}
unsafe_allow_api_audit_creation = true
audit_paths_allowed = ["{folder}"]
"""
POLICY = """
path "secret/*" { capabilities = ["read"] }
path "auth/token/create" { capabilities = ["update"] }
"""


def reopen(frozen: dict[str, Any], rows: dict[str, list[Any]] | None = None) -> Vault:
    """A server of today on the frozen rows (or on ``rows`` instead), at the frozen time, still sealed."""
    store = MemoryStore()
    taken = frozen["rows"] if rows is None else rows
    store.commit({}, {key: Record(version, base64.b64decode(value)) for key, (version, value) in taken.items()}, ())
    vault = Vault(store=store, clock=JumpingClock(frozen["now_ns"]), entropy=SeededEntropy("reader"), is_unsealed=False)
    vault.shares, vault.root = frozen["shares"], frozen["root"]
    return vault


def ask(vault: Vault, question: dict[str, Any]) -> dict[str, Any]:
    """The answer, as far as it does not depend on the moment: the status and the members that the question asks for."""
    result = vault.call(question["method"], question["path"], question.get("body"), token=question.get("token", "root"))
    answer: dict[str, Any] = {"status": result.status}
    for name in question["shows"]:
        at: Any = result.body
        for member in name.split("."):
            at = at.get(member) if isinstance(at, dict) else None
        answer[name] = at
    return answer


@dataclass
class Maker:
    """Fills a vault with something of everything."""

    vault: Vault
    names: dict[str, Any]

    def do(self, method: str, path: str, body: Any = None, **options: Any) -> Any:
        self.vault.clock.jump(1)
        result = self.vault.call(method, path, body, **options)
        assert result.status in {200, 204}, (path, result)
        return result

    def furnish(self) -> None:
        for path, kind in (("plain", {}), ("secret", {"options": {"version": "2"}}), ("moving", {})):
            self.do("POST", f"sys/mounts/{path}", {"type": "kv", "description": f"of {path}", **kind})
        self.do("POST", "sys/remount", {"from": "moving", "to": "moved"})
        self.do("POST", "sys/policies/acl/reader", {"policy": POLICY})
        self.do("POST", "sys/quotas/rate-limit/calm", {"rate": 1000, "path": "secret"})
        self.do("POST", "auth/token/roles/web", {"allowed_policies": ["reader"], "orphan": True})
        self.do("POST", "sys/audit/second", {"type": "file", "options": {"file_path": str(self.names["second"])}})

    def keep_apart(self) -> None:
        """Two environments; of the second one not everything lies under its keyring yet, and a third one is gone and its keyring is not."""
        self.do("POST", "sys/environments/development", {"rank": 0, "mounts": ["plain"], "reuse": "allow"})
        self.do("POST", "sys/environments/gone", {"rank": 5})
        while Resealing(self.vault.node).step(self.vault.node.require()):
            pass
        self.do("POST", "plain/later", {"password": "of development"})
        self.do("POST", "sys/overrides", {"path": "plain/later", "data": {"password": "mine"}})
        self.do("POST", "sys/environments/production", {"rank": 9, "mounts": ["secret", "auth/approle"]})
        self.do("DELETE", "sys/environments/gone")
        self.do("POST", "sys/environments/production/rotate")
        self.do("POST", "secret/data/later", {"data": {"password": "of production"}})

    def write_secrets(self) -> None:
        self.do("POST", "plain/app", {"password": "first", "number": 1.50, "deep": {"list": ["a", None, True]}})
        self.do("POST", "moved/app", {"password": "moved"})
        self.do("POST", "cubbyhole/mine", {"note": "for root"})
        for number in range(4):
            self.do("POST", "secret/data/team/app", {"data": {"password": f"value {number}", "übung": "ß"}})
        self.do("POST", "secret/metadata/team/app", {"max_versions": 5, "custom_metadata": {"owner": "team"}})
        self.do("POST", "secret/delete/team/app", {"versions": [2]})
        self.do("POST", "secret/destroy/team/app", {"versions": [1]})
        self.do("POST", "secret/config", {"max_versions": 7})

    def make_tokens(self) -> None:
        for name, path, body in (
            ("parent", "auth/token/create", {"policies": ["reader"], "ttl": "1h", "meta": {"a": "b"}}),
            ("by_role", "auth/token/create/web", {}),
            ("batch", "auth/token/create", {"policies": ["reader"], "type": "batch", "ttl": "1h"}),
            ("twice", "auth/token/create", {"policies": ["reader"], "num_uses": 2}),
            ("expired", "auth/token/create", {"policies": ["reader"], "ttl": "1s"}),
            ("revoked", "auth/token/create", {"policies": ["reader"]}),
        ):
            self.names[name] = self.do("POST", path, body).auth["client_token"]
        child = self.do("POST", "auth/token/create", {"ttl": "30m"}, token=self.names["parent"])
        self.names["child"], self.names["child_accessor"] = child.auth["client_token"], child.auth["accessor"]
        self.do("POST", "auth/token/revoke", {"token": self.names["revoked"]})
        for name in ("wrapped", "opened"):
            wrapped = self.do("GET", "secret/data/team/app", wrap_ttl="3600")
            self.names[name] = wrapped.body["wrap_info"]["token"]
        self.do("POST", "sys/wrapping/unwrap", {"token": self.names["opened"]}, token=None)

    def make_logins(self) -> None:
        for method in ("userpass", "approle"):
            self.do("POST", f"sys/auth/{method}", {"type": method})
        for name in ("ada", "eve"):
            self.do("POST", f"auth/userpass/users/{name}", {"password": f"long {name}", "token_policies": "reader"})
        for _ in range(5):
            assert self.vault.post("auth/userpass/login/eve", {"password": "guess"}, token=None).status == 400
        self.names["session"] = self.do("POST", "auth/userpass/login/ada", {"password": "long ada"}, token=None).auth[
            "client_token"
        ]
        self.do("POST", "auth/approle/role/web", {"token_policies": "reader", "secret_id_num_uses": 3})
        self.do("POST", "auth/approle/role/web/role-id", {"role_id": "the-web-role"})
        for name in ("secret_id", "taken_back"):
            self.names[name] = self.do("POST", "auth/approle/role/web/secret-id", {}).data["secret_id"]
        self.do("POST", "auth/approle/role/web/secret-id/destroy", {"secret_id": self.names["taken_back"]})

    def questions_about_environments(self) -> Iterator[tuple[str, str, str, Any, str | None, list[str]]]:
        """The same for what came with environments."""
        data = ["data"]
        yield "keyring", "GET", "plain/later", None, "root", data
        yield "keyring", "GET", "secret/data/later", None, "root", ["data.data"]
        yield "storage-keys", "GET", "sys/overrides", None, "root", ["data.overrides"]
        for name in ("development", "production"):
            yield "keyring", "GET", f"sys/environments/{name}", None, "root", data

    def questions(self) -> Iterator[tuple[str, str, str, Any, str | None, list[str]]]:
        """Format page, method, path, body, token, what of the answer counts."""
        names, data = self.names, ["data"]
        for path in ("sys/mounts", "sys/auth", "sys/policies/acl/reader", "sys/quotas/rate-limit/calm", "sys/audit"):
            yield "storage-keys", "GET", path, None, "root", data
        yield "storage-keys", "GET", "auth/token/roles/web", None, "root", data
        yield "storage-keys", "LIST", "sys/policies/acl", None, "root", data
        yield "storage-keys", "GET", "cubbyhole/mine", None, "root", data
        for path in ("plain/app", "moved/app", "secret/config", "secret/metadata/team/app"):
            yield "kv", "GET", path, None, "root", data
        for version in range(6):
            yield "kv", "GET", f"secret/data/team/app?version={version}", None, "root", data
        for name in ("parent", "child", "by_role", "batch", "session", "twice", "expired", "revoked"):
            yield "token", "POST", "auth/token/lookup", {"token": names[name]}, "root", data
        yield "token", "POST", "auth/token/lookup-accessor", {"accessor": names["child_accessor"]}, "root", data
        for name in ("parent", "batch", "expired", "revoked"):
            yield "token", "GET", "secret/data/team/app", None, names[name], ["data.data"]
        for shows in (["data.num_uses"], ["data.num_uses"], []):
            yield "token", "GET", "auth/token/lookup-self", None, names["twice"], shows
        yield "wrapped-answer", "POST", "sys/wrapping/lookup", {"token": names["wrapped"]}, None, data
        for name in ("wrapped", "wrapped", "opened"):
            yield "wrapped-answer", "POST", "sys/wrapping/unwrap", {"token": names[name]}, None, data
        shows = ["auth.policies", "auth.lease_duration", "auth.metadata"]
        for name, password in (("ada", "long ada"), ("ada", "long eve"), ("eve", "long eve"), ("bob", "long bob")):
            yield "auth-records", "POST", f"auth/userpass/login/{name}", {"password": password}, None, shows
        for secret_id in (names["secret_id"], names["taken_back"], "unknown"):
            login = {"role_id": "the-web-role", "secret_id": secret_id}
            yield "auth-records", "POST", "auth/approle/login", login, None, shows
        yield "audit", "POST", "sys/audit-hash/memory", {"input": "first"}, "root", data
        yield "audit", "GET", "sys/audit-key", None, "root", ["data.public_key"]


def make(folder: Path) -> dict[str, Any]:
    """The frozen vault of today, with environments and what else came after the first one."""
    names: dict[str, Any] = {"main": folder / "main.log", "second": folder / "second.log"}
    configuration = CONFIGURATION.format(file=names["main"], folder=folder)
    vault = Vault(configuration=configuration, entropy=SeededEntropy("frozen"), shares=3, threshold=2)
    vault.node.broker.disable("memory")
    maker = Maker(vault, names)
    for part in (maker.furnish, maker.write_secrets, maker.make_tokens, maker.make_logins, maker.keep_apart):
        part()
    vault.node.seal()
    with vault.store.snapshot() as snapshot:
        found = {key: snapshot.get(key) for key in snapshot.keys("")}
    rows = {key: [one.version, base64.b64encode(one.value).decode()] for key, one in found.items() if one is not None}
    frozen: dict[str, Any] = {
        "origin": "made by the first version of these formats, on the store in memory; two of the three shares unseal it",
        "now_ns": vault.clock.now_ns(),
        "root": vault.root,
        "shares": vault.shares[:2],
        "rows": rows,
    }
    reader = reopen(frozen)
    reader.unseal()
    frozen["answers"] = [
        {"format": page, **question, "expect": ask(reader, question)}
        for page, question in (
            (page, {"method": method, "path": path, "body": body, "token": token, "shows": shows})
            for page, method, path, body, token, shows in (*maker.questions(), *maker.questions_about_environments())
        )
    ]
    return frozen


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as temporary:
        Path(sys.argv[1]).write_text(json.dumps(make(Path(temporary)), indent=1, ensure_ascii=False) + "\n")
