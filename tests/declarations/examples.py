"""A request that works, for every endpoint: derived from its declaration, and from this table where a value needs a meaning.

Whoever adds an endpoint that the derived request does not satisfy adds a line here; a test fails until it is there.
"""

from __future__ import annotations

import atexit
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from tests.declarations.catalog import BODY_METHODS, Case
from tests.declarations.world import NAME, PASSWORD, POLICY, ROLE_ID, SECRET_ID, STORED_SECRET, expect
from tests.kit import Vault
from tests.processes import Result


@dataclass(frozen=True)
class Example:
    """A request, and the status that it is answered with where everything is well (None for any success)."""

    body: dict[str, Any] = field(default_factory=dict)
    captures: dict[str, str] = field(default_factory=dict)
    query: str = ""
    wrap_ttl: str = ""
    status: int | None = None

    def expects(self, status: int) -> bool:
        """Whether ``status`` is what this request is answered with."""
        return 200 <= status < 300 if self.status is None else status == self.status


FOLDER = tempfile.mkdtemp(prefix="strongroom-examples-")
"""Where examples write files; it is removed when the tests end."""
atexit.register(shutil.rmtree, FOLDER, ignore_errors=True)

Prepare = Callable[[Vault], Example]

VALUES: dict[str, Any] = {
    "a string": NAME,
    "a whole number": 1,
    "true or false": False,
    "an object": {"field": "value"},
    "an object of strings": {"field": "value"},
    "a list of strings, or one string with commas": [NAME],
    "a list of whole numbers": [1],
    "any JSON value": {"field": "value"},
}
"""A value for a field, by the kind that the declaration derived from its type."""


def example_of(case: Case, vault: Vault) -> Example:
    """The request for ``case``. May write into ``vault`` what the request needs."""
    known = EXAMPLES.get(case.id, Example())
    example = known if isinstance(known, Example) else known(vault)
    fields = {one.name: one for one in case.declared.request_type.fields}
    captures = dict.fromkeys(case.captures, NAME) | example.captures
    body = {name: value_for(one.kind) for name, one in fields.items() if one.required and not one.in_path}
    if case.declared.request_type.whole_body and not example.body:
        body = {"value": "anything"}
    return replace(example, captures=captures, body=body | example.body)


def default_captures(case: Case) -> dict[str, str]:
    """The path of the example, for requests that are refused before it matters what stands there."""
    known = EXAMPLES.get(case.id)
    return dict.fromkeys(case.captures, NAME) | (known.captures if isinstance(known, Example) else {})


def value_for(kind: str) -> Any:
    """A value that a field of this kind takes."""
    if kind.startswith("one of "):
        return kind.removeprefix("one of ").split(", ")[0].strip("'")
    return "30s" if kind.startswith("a duration") else VALUES[kind]


def send(vault: Vault, case: Case, example: Example, **options: Any) -> Result:
    """The request over the whole way, as the root token unless ``options`` say otherwise."""
    path = case.path(example.captures)
    options = {"wrap_ttl": example.wrap_ttl, **options}
    if case.method in BODY_METHODS:
        return vault.call(case.method, path, example.body, **options)
    query = "&".join(f"{name}={value}" for name, value in example.body.items())
    return vault.call(case.method, f"{path}?{query}" if query else path, **options)


# What needs a meaning


def _wrapping_token(vault: Vault) -> Example:
    wrapped = expect(vault.post("sys/wrapping/wrap", {"value": STORED_SECRET}, wrap_ttl="1h"))
    assert wrapped.body is not None
    return Example({"token": wrapped.body["wrap_info"]["token"]})


def _child(vault: Vault) -> Result:
    return expect(vault.post("auth/token/create", {"policies": [NAME], "ttl": "1h"}))


def _child_token(vault: Vault) -> Example:
    return Example({"token": _child(vault).auth["client_token"]})


def _child_accessor(vault: Vault) -> Example:
    return Example({"accessor": _child(vault).auth["accessor"]})


def _child_lease(vault: Vault) -> str:
    _child(vault)
    return "auth/token/create/" + str(expect(vault.list("sys/leases/lookup/auth/token/create")).data["keys"][0])


def _lease(vault: Vault) -> Example:
    return Example({"lease_id": _child_lease(vault)})


def _lease_in_path(vault: Vault) -> Example:
    return Example(captures={"lease_id": _child_lease(vault)})


def _lease_folder(vault: Vault) -> Example:
    _child(vault)
    return Example(captures={"prefix": "auth/token"})


def _migration(vault: Vault) -> Example:
    moved = expect(vault.post("sys/remount", {"from": NAME, "to": "elsewhere"}))
    return Example(captures={"migration_id": moved.data["migration_id"]})


def _backup(vault: Vault) -> Example:
    number = expect(vault.post("sys/storage/backup")).data["number"]
    return Example(captures={"number": str(number), "part": "0"})


def _secret_id_accessor(vault: Vault) -> Example:
    made = expect(vault.post(f"auth/approle/role/{NAME}/secret-id"))
    return Example({"secret_id_accessor": made.data["secret_id_accessor"]})


def _login(vault: Vault) -> Example:
    """A second secret id as well, so that the login shows how a use is counted."""
    made = expect(vault.post(f"auth/approle/role/{NAME}/secret-id"))
    return Example({"role_id": ROLE_ID, "secret_id": made.data["secret_id"]})


def _share_for(start: str) -> Prepare:
    """The agreement of the one holder of a share to what ``start`` begins."""

    def prepare(vault: Vault) -> Example:
        begun = expect(vault.post(start, ONE_SHARE if "attempt" not in start else {}))
        assert begun.body is not None
        return Example({"key": vault.shares[0], "nonce": (begun.body.get("data") or begun.body)["nonce"]})

    return prepare


def _new_share_for(area: str, *, with_body: bool = True) -> Prepare:
    """The proof that the one new share of a change arrived."""

    def prepare(vault: Vault) -> Example:
        begun = expect(vault.post(f"{area}/init", ONE_SHARE | {"require_verification": True})).body or {}
        nonce = (begun.get("data") or begun)["nonce"]
        made = expect(vault.post(f"{area}/update", {"key": vault.shares[0], "nonce": nonce})).body or {}
        new = made.get("data") or made
        return Example({"key": new["keys"][0], "nonce": new["verification_nonce"]} if with_body else {})

    return prepare


def _promotion(vault: Vault) -> Example:
    expect(vault.post(f"sys/environments/{NAME}", {"mounts": ["kv2"]}))
    expect(vault.post("sys/environments/lower", {"rank": 0, "mounts": ["kv"]}))
    return Example({"path": NAME, "from": "lower", "to": NAME})


def _audited_header(vault: Vault) -> Example:
    expect(vault.post(f"sys/config/auditing/request-headers/{NAME}"))
    return Example()


def _override(vault: Vault) -> Example:
    expect(vault.post(f"sys/environments/{NAME}", {"mounts": ["kv2"]}))
    return Example({"path": f"kv2/{NAME}", "data": {"value": "another"}})


def _overridden(vault: Vault) -> Example:
    expect(vault.post("sys/overrides", _override(vault).body))
    return Example()


def _unseal(vault: Vault) -> Example:
    return Example({"key": vault.shares[0]})


ONE_SHARE = {"secret_shares": 1, "secret_threshold": 1}
NO_RECOVERY_SHARES = Example(ONE_SHARE, status=400)
"""The vault of the tests is opened with shares, so it has no recovery shares; the change of those has tests of its own."""
A_POLICY = {"policy": POLICY}
NEW = {"path": "brand-new"}

EXAMPLES: dict[str, Example | Prepare] = {
    "POST sys/init": Example(ONE_SHARE, status=400),
    "POST sys/unseal": _unseal,
    "POST sys/mounts/{path...}": Example({"type": "kv"}, NEW),
    "POST sys/auth/{path...}": Example({"type": "userpass"}, NEW),
    "POST sys/remount": Example({"from": NAME, "to": "elsewhere"}),
    "GET sys/remount/status/{migration_id}": _migration,
    "POST sys/policies/acl/{name...}": Example(A_POLICY),
    "POST sys/policy/{name...}": Example(A_POLICY),
    "POST sys/quotas/rate-limit/{name}": Example({"rate": 100, "path": NAME}),
    "POST sys/capabilities": lambda vault: Example({"paths": ["kv/example"], "token": vault.root}),
    "POST sys/capabilities-self": Example({"paths": ["kv/example"]}),
    "POST sys/capabilities-accessor": lambda vault: Example({"paths": ["kv/example"], **_child_accessor(vault).body}),
    "GET sys/leases": Example({"type": "irrevocable"}),
    "GET sys/leases/count": Example({"type": "irrevocable"}),
    "POST sys/leases/lookup": _lease,
    "LIST sys/leases/lookup/{prefix*}": _lease_folder,
    "POST sys/leases/renew": _lease,
    "POST sys/leases/renew/{lease_id...}": _lease_in_path,
    "POST sys/leases/revoke": _lease,
    "POST sys/leases/revoke/{lease_id...}": _lease_in_path,
    "POST sys/renew": _lease,
    "POST sys/renew/{lease_id...}": _lease_in_path,
    "POST sys/revoke": _lease,
    "POST sys/revoke/{lease_id...}": _lease_in_path,
    "POST sys/wrapping/unwrap": _wrapping_token,
    "POST sys/wrapping/lookup": _wrapping_token,
    "GET sys/wrapping/lookup": _wrapping_token,
    "POST sys/wrapping/wrap": Example({"value": "anything"}, wrap_ttl="5m"),
    "POST sys/wrapping/rewrap": _wrapping_token,
    "POST sys/audit/{path...}": Example({"type": "file", "options": {"file_path": f"{FOLDER}/audit.log"}}),
    "GET sys/config/auditing/request-headers/{name}": _audited_header,
    "POST sys/audit-hash/{path...}": Example(captures={"path": "memory"}),
    "GET sys/storage/backup/{number}": _backup,
    "DELETE sys/storage/backup/{number}": _backup,
    "GET sys/storage/backup/{number}/{part}": _backup,
    "POST sys/overrides": _override,
    "LIST sys/overrides": _overridden,
    "DELETE sys/overrides": Example({"path": f"kv2/{NAME}"}),
    "POST sys/promote": _promotion,
    "POST sys/secrets/copy": Example({"from": f"kv2/{NAME}", "to": "kv2/brand-new"}),
    "POST sys/secrets/move": Example({"from": f"kv2/{NAME}", "to": "kv2/brand-new"}),
    "POST sys/rekey/init": Example(ONE_SHARE),
    "POST sys/rekey/update": _share_for("sys/rekey/init"),
    "GET sys/rekey/verify": _new_share_for("sys/rekey", with_body=False),
    "POST sys/rekey/verify": _new_share_for("sys/rekey"),
    "DELETE sys/rekey/verify": _new_share_for("sys/rekey", with_body=False),
    "POST sys/rotate/root/init": Example(ONE_SHARE),
    "POST sys/rotate/root/update": _share_for("sys/rotate/root/init"),
    "GET sys/rotate/root/verify": _new_share_for("sys/rotate/root", with_body=False),
    "POST sys/rotate/root/verify": _new_share_for("sys/rotate/root"),
    "DELETE sys/rotate/root/verify": _new_share_for("sys/rotate/root", with_body=False),
    "POST sys/rekey-recovery-key/init": NO_RECOVERY_SHARES,
    "POST sys/rekey-recovery-key/update": NO_RECOVERY_SHARES,
    "GET sys/rekey-recovery-key/verify": Example(status=400),
    "POST sys/rekey-recovery-key/verify": NO_RECOVERY_SHARES,
    "DELETE sys/rekey-recovery-key/verify": Example(status=400),
    "POST sys/rotate/recovery/init": NO_RECOVERY_SHARES,
    "POST sys/rotate/recovery/update": NO_RECOVERY_SHARES,
    "GET sys/rotate/recovery/verify": Example(status=400),
    "POST sys/rotate/recovery/verify": NO_RECOVERY_SHARES,
    "DELETE sys/rotate/recovery/verify": Example(status=400),
    "GET sys/rekey/backup": Example(status=400),
    "GET sys/rekey/recovery-key-backup": Example(status=400),
    "GET sys/rotate/root/backup": Example(status=400),
    "GET sys/rotate/recovery/backup": Example(status=400),
    "POST sys/generate-root/update": _share_for("sys/generate-root/attempt"),
    "POST sys/generate-root-token/update": _share_for("sys/generate-root-token/attempt"),
    "GET sys/internal/ui/mounts/{path...}": Example(captures={"path": "kv"}),
    "POST sys/tools/random/{bytes}": Example(captures={"bytes": "16"}),
    "POST sys/consumers/{name}": Example({"kind": "agent", "ttl": "1h", "secrets": ["kv/example@0"]}),
    "POST sys/offline-reads": Example(
        {"path": "secret/data/a", "version": 1, "keys": ["A"], "time": "2020-01-31T12:00:00Z"}
    ),
    "POST sys/tools/hash": Example({"input": "aGVsbG8="}),
    "POST sys/tools/hash/{algorithm}": Example({"input": "aGVsbG8="}, {"algorithm": "sha2-256"}),
    "GET sys/plugins/catalog/{type}": Example(captures={"type": "secret"}),
    "LIST sys/plugins/catalog/{type}": Example(captures={"type": "secret"}),
    "GET sys/plugins/catalog/{type}/{name}": Example(captures={"type": "secret", "name": "kv"}),
    "POST auth/token/lookup-accessor": _child_accessor,
    "POST auth/token/renew": _child_token,
    "POST auth/token/renew-self": Example(status=400),  # a root token lives for ever
    "POST auth/token/renew-accessor": _child_accessor,
    "POST auth/token/revoke": _child_token,
    "POST auth/token/revoke-accessor": _child_accessor,
    "POST auth/token/revoke-orphan": _child_token,
    "POST kv2/data/{path...}": Example({"data": {"field": "value"}}),
    "PATCH kv2/data/{path...}": Example({"data": {"field": "value"}}),
    "POST kv2/delete/{path...}": Example({"versions": [1]}),
    "POST kv2/undelete/{path...}": Example({"versions": [1]}),
    "POST kv2/destroy/{path...}": Example({"versions": [1]}),
    # What is asked of a versioned mount without saying what for is answered with how to ask.
    "GET kv2/{path*}": Example(status=404),
    "POST kv2/{path*}": Example(status=404),
    "PATCH kv2/{path*}": Example(status=404),
    "DELETE kv2/{path*}": Example(status=404),
    "LIST kv2/{path*}": Example(status=404),
    "POST auth/approle/login": _login,
    "POST auth/approle/role/{role_name}/role-id": Example({"role_id": "another-role-id"}),
    "POST auth/approle/role/{role_name}/policies": Example({"token_policies": [NAME]}),
    "POST auth/approle/role/{role_name}/bind-secret-id": Example({"bind_secret_id": True}),
    "POST auth/approle/role/{role_name}/secret-id-num-uses": Example({"secret_id_num_uses": 3}),
    "POST auth/approle/role/{role_name}/secret-id-ttl": Example({"secret_id_ttl": "1h"}),
    "POST auth/approle/role/{role_name}/period": Example({"token_period": "1h"}),
    "POST auth/approle/role/{role_name}/token-num-uses": Example({"token_num_uses": 3}),
    "POST auth/approle/role/{role_name}/token-ttl": Example({"token_ttl": "1h"}),
    "POST auth/approle/role/{role_name}/token-max-ttl": Example({"token_max_ttl": "1h"}),
    "POST auth/approle/role/{role_name}/custom-secret-id": Example({"secret_id": "another-secret-id"}),
    "POST auth/approle/role/{role_name}/secret-id/lookup": Example({"secret_id": SECRET_ID}),
    "POST auth/approle/role/{role_name}/secret-id/destroy": Example({"secret_id": SECRET_ID}),
    "DELETE auth/approle/role/{role_name}/secret-id/destroy": Example({"secret_id": SECRET_ID}),
    "POST auth/approle/role/{role_name}/secret-id-accessor/lookup": _secret_id_accessor,
    "POST auth/approle/role/{role_name}/secret-id-accessor/destroy": _secret_id_accessor,
    "DELETE auth/approle/role/{role_name}/secret-id-accessor/destroy": _secret_id_accessor,
    "POST auth/userpass/login/{username}": Example({"password": PASSWORD}),
    "POST auth/userpass/users/{username}": Example({"password": PASSWORD, "token_policies": [NAME]}),
    "POST auth/userpass/users/{username}/password": Example({"password": PASSWORD}),
}
