"""SECURITY A7: audit, logs and errors tell no value, and no stranger anything."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest
from tests.anomalies.scene import CANARY, FailingStore, expect, new_secret_id, vault_with_approle, vault_with_kv
from tests.declarations.catalog import CASES, Case
from tests.declarations.examples import default_captures
from tests.kit import MemoryDevice, Vault
from tests.processes import ServerProcess

from strongroom.audit.enabled import Enabled
from strongroom.audit.options import Format
from strongroom.physical.store import Unavailable

NUMBER = 731765313306249871
SHAPES: dict[str, Any] = {
    "text": CANARY,
    "number": NUMBER,
    "fraction": 0.731765313306249,
    "list": [CANARY, [CANARY]],
    "object": {"a": {"b": [{"c": CANARY}]}},
    "base64": "Y2FuYXJ5LTJiN2UxNTE2Mjg=",
}
MARKS = (CANARY, str(NUMBER), "731765313306249", "Y2FuYXJ5LTJiN2UxNTE2Mjg=")
OPEN_TO_STRANGERS = {
    "GET sys/health",
    "GET sys/init",
    "GET sys/internal/ui/mounts",
    "GET sys/leader",
    "GET sys/seal-status",
    "GET sys/wrapping/lookup",
    "POST auth/approle/login",
    "POST auth/userpass/login/{username}",
    "POST sys/init",
    "POST sys/unseal",
    "POST sys/wrapping/lookup",
    "POST sys/wrapping/rewrap",
    "POST sys/wrapping/unwrap",
}
OPEN_WHILE_SEALED = {"POST sys/seal"}
"""Sealing what is sealed changes nothing and is answered so, as in Vault."""


def told(text: str) -> list[str]:
    return [mark for mark in MARKS if mark in text]


@pytest.mark.parametrize("shape", SHAPES)
def test_row_079_cve_2025_62705_a_value_of_every_type_is_hashed_in_the_audit_log(shape: str) -> None:
    vault = vault_with_kv()
    value = SHAPES[shape]
    vault.device.written.clear()
    for path, body in (
        ("secret/data/x", {"data": {"a": value}}),
        ("kv/x", {"a": value}),
        ("cubbyhole/x", {"a": value}),
    ):
        expect(vault.post(path, body))
        assert vault.get(path).status == 200
        vault.post(path, {"unheard_of": value, "options": {"cas": value}})
    assert told(vault.device.text) == []
    assert "hmac-sha256:" in vault.device.text


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "secret/data/x", {"data": CANARY}),
        ("POST", "secret/data/x", {"data": {"a": 1}, "options": CANARY}),
        ("POST", "secret/data/x", {"data": {"a": 1}, "options": {"cas": CANARY}}),
        ("POST", "secret/metadata/x", {"custom_metadata": CANARY}),
        ("POST", "secret/metadata/x", {"max_versions": CANARY, "cas_required": CANARY}),
        ("POST", "secret/destroy/x", {"versions": CANARY}),
        ("PATCH", "secret/data/x", {"data": [CANARY]}),
        ("POST", "auth/approle/role/app", {"token_bound_cidrs": [{"a": CANARY}]}),
        ("POST", "auth/approle/role/app", {"token_ttl": CANARY}),
        ("POST", "auth/token/create", {"meta": CANARY, "ttl": "1h"}),
        ("POST", "sys/mounts/new", {"type": "kv", "config": CANARY}),
        ("POST", "kv/x", f'{{"data": {{"k": {CANARY}'.encode()),
        ("POST", "kv/x", f'{{"{CANARY}": "a", "{CANARY}": "b"}}'.encode()),
        ("POST", "kv/x", f'"{CANARY}"'.encode()),
    ],
    ids=str,
)
def test_row_080_cve_2025_4166_input_of_the_wrong_type_is_quoted_nowhere(method: str, path: str, body: Any) -> None:
    vault = vault_with_kv()
    expect(vault.post("sys/auth/approle", {"type": "approle"}))
    expect(vault.post("secret/data/x", {"data": {"a": 1}}))
    vault.device.written.clear()
    refused = vault.call(method, path, body)
    assert refused.status == 400
    assert told(refused.raw.decode()) == []
    assert told(vault.device.text) == []
    assert vault.failures == []


def test_row_082_cve_2024_8365_tokens_and_accessors_are_hashed_in_every_record() -> None:
    vault, role_id = vault_with_approle()
    secret_id = new_secret_id(vault)
    vault.device.written.clear()
    login = vault.post("auth/approle/login", {"role_id": role_id, "secret_id": secret_id}, token=None)
    token, accessor = login.auth["client_token"], login.auth["accessor"]
    vault.get("auth/token/lookup-self", token=token)
    vault.get("auth/token/lookup-self", token=None, headers={"authorization": f"Bearer {token}"})
    vault.post("auth/token/lookup", {"token": token})
    vault.post("auth/token/lookup-accessor", {"accessor": accessor})
    vault.get("sys/mounts", token=f"{token}x")
    wrapped = vault.get("sys/mounts", token=vault.root, wrap_ttl="1m").body
    assert wrapped is not None
    vault.post("sys/wrapping/unwrap", {"token": wrapped["wrap_info"]["token"]})
    text = vault.device.text
    for secret in (token, accessor, vault.root, secret_id, role_id, wrapped["wrap_info"]["token"]):
        assert secret not in text
    for record in vault.device.records:
        for holder in (record.get("auth") or {}, record["request"], (record.get("response") or {}).get("auth") or {}):
            for field in ("client_token", "accessor", "client_token_accessor"):
                assert str(holder.get(field) or "hmac-sha256:").startswith("hmac-sha256:")


def test_row_083_cve_2024_0831_a_raw_device_changes_no_other_one() -> None:
    vault = vault_with_kv()
    raw = MemoryDevice()
    vault.node.broker.enable(
        Enabled(name="raw", type="memory", device=raw, from_configuration=True, form=Format(log_raw=True))
    )
    expect(vault.post("kv/x", {"a": CANARY}))
    assert vault.get("kv/x").status == 200
    assert told(raw.text)
    assert told(vault.device.text) == []
    # And who speaks to the API cannot make one.
    options = {"file_path": "/tmp/audit.log", "log_raw": "true", "prefix": CANARY}
    assert vault.post("sys/audit/new", {"type": "file", "options": options}).status == 400
    assert told(vault.device.text) == []


@pytest.mark.parametrize("words", [["no-such-program"], ["/etc/passwd"]], ids=["missing", "no program"])
def test_row_085_ghsa_444v_8vxr_p36h_what_a_program_was_to_be_given_is_not_printed_when_it_cannot_start(
    server: ServerProcess, words: list[str]
) -> None:
    assert server.call("POST", "kv/app", {"PASSWORD": CANARY}).status == 204
    environment = {
        "PATH": "/usr/bin",
        "HOME": str(server.folder),
        "VAULT_ADDR": server.address,
        "VAULT_TOKEN": server.token,
        "VAULT_CACERT": str(server.ca_file),
    }
    command = [sys.executable, "-m", "strongroom", "run", "-path", "kv/app"]
    works, fails = (
        subprocess.run([*command, "--", *given], env=environment, capture_output=True, text=True, check=False)
        for given in (["printenv", "PASSWORD"], words)
    )
    assert told(works.stdout), works  # it would have been there to print
    assert fails.returncode in {126, 127}
    assert told(fails.stdout + fails.stderr) == []
    assert told(server.log) == []
    assert told(server.audit_file.read_text(encoding="utf-8")) == []


def test_row_086_cve_2021_3024_a_failure_of_the_storage_tells_nothing_of_it() -> None:
    store = FailingStore()
    vault = Vault(store=store)
    vault.mount("kv")
    expect(vault.post("kv/x", {"a": "1"}))
    vault.device.written.clear()
    store.failure = Unavailable(f"cannot open /var/lib/{CANARY} at 192.0.2.77:5432 password={CANARY}")
    for answer in (vault.post("kv/x", {"a": "2"}), vault.get("kv/x"), vault.get("sys/mounts", token=None)):
        assert answer.status >= 500
        assert told(answer.raw.decode()) == []
        assert "192.0.2.77" not in answer.raw.decode()
    store.failure = None
    assert told(vault.device.text) == []
    assert vault.get("kv/x").data == {"a": "1"}


@pytest.mark.parametrize("is_sealed", [False, True], ids=["unsealed", "sealed"])
def test_row_089_cve_2021_27668_a_stranger_reaches_only_what_is_listed_here(*, is_sealed: bool) -> None:
    vault = vault_with_kv()
    for method in ("approle", "userpass"):
        expect(vault.post(f"sys/auth/{method}", {"type": method}))
    if is_sealed:
        expect(vault.post("sys/seal"))
    answered = {case.id for case in CASES if not is_denied(vault, case)}
    assert answered <= OPEN_TO_STRANGERS | (OPEN_WHILE_SEALED if is_sealed else set())
    assert {case.id for case in CASES if case.declared.endpoint.unauthenticated} == OPEN_TO_STRANGERS
    assert "GET sys/seal-status" in answered


def is_denied(vault: Vault, case: Case) -> bool:
    path = case.path(default_captures(case)).replace("kv2/", "secret/")
    body: dict[str, str] | None = {} if case.method in {"POST", "PATCH"} else None
    answer = vault.call(case.method, path, body, token=None)
    return answer.status in {403, 503}
