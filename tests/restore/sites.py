"""Vaults in folders that are backed up, lost, and restored."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

from tests.backup.origins import backup_of
from tests.cli.conftest import OURS, Done, InThisProcess
from tests.kit import Vault

from strongroom.logical.ambient import SystemEntropy
from strongroom.physical.sqlite import SqliteStore

run_cli = InThisProcess(OURS, {})


class Site:
    """A host: a folder with a configuration, an audit log and an anchor, and its vault while it is open."""

    def __init__(self, folder: Path, more: str = "") -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.folder = folder
        self.data = folder / "data"
        self.audit = folder / "audit.log"
        self.config = folder / "server.hcl"
        self.configure(more)
        self.shares: list[str] = []
        self.root = ""

    def configure(self, more: str = "") -> None:
        self.config.write_text(
            f'storage "sqlite" {{ path = "{self.data}" }}\nlistener "tcp" {{ tls_disable = true }}\n'
            f'audit "file" "main" {{ options {{ file_path = "{self.audit}" }} }}\n'
            f'integrity_anchor = "{self.folder}/anchor"\n{more}\n'
        )

    def found(self, *, shares: int = 3, threshold: int = 2) -> Vault:
        """A new vault here with a mount."""
        vault = self.open()
        vault.initialize(shares, threshold)
        vault.unseal()
        self.shares, self.root = vault.shares, vault.root
        vault.mount("kv", "kv")
        assert vault.post("kv/a", {"value": "first"}).status == 204
        return vault

    def open(self) -> Vault:
        """The vault that is here, sealed."""
        # Real random bytes: two ways of a vault must not draw the same ones.
        entropy: Any = SystemEntropy()
        vault = Vault(
            store=SqliteStore(self.data), configuration=self.config.read_text(), entropy=entropy, is_unsealed=False
        )
        vault.shares, vault.root = self.shares, self.root
        return vault

    def unsealed(self) -> Vault:
        """The same, opened."""
        vault = self.open()
        vault.unseal()
        vault.node.require()
        return vault

    def save(self, vault: Vault, name: str = "one.backup") -> Path:
        """A backup of the vault, in a file here."""
        path = self.folder / name
        path.write_bytes(backup_of(vault)[0])
        return path

    def restore(self, file: Path, *more: str, keys: list[str] | None = None) -> Done:
        shares = "\n".join(self.shares[:2] if keys is None else keys)
        return run_cli("operator", "restore", f"-config={self.config}", "-key=-", *more, str(file), stdin=shares)

    def refusal(self, file: Path, *more: str, keys: list[str] | None = None) -> str:
        """Why the restore is refused, which it must be, with nothing touched."""
        before = self.files()
        done = self.restore(file, "-format=json", *more, keys=keys)
        told = json.loads(done.out)
        assert done.exit_code == 1
        assert told["restored"] is False
        assert self.files() == before
        return str(told["refusal"])

    def files(self) -> dict[str, bytes]:
        """What lies in the data folder, but for locks."""
        if not self.data.exists():
            return {}
        return {
            str(path.relative_to(self.data)): path.read_bytes()
            for path in self.data.rglob("*")
            if path.is_file() and path.name not in {"lock", "writer-lock"}
        }

    def records(self) -> list[dict[str, Any]]:
        """The records of restores in the audit log."""
        lines = [json.loads(line) for line in self.audit.read_text().splitlines()]
        return [line for line in lines if line.get("request", {}).get("path") == "sys/storage/restore"]

    def new_root(self, vault: Vault) -> str:
        """A root token by quorum."""
        told = vault.post("sys/generate-root/attempt", {}, token=None).body or {}
        done: dict[str, Any] = {}
        for share in self.shares[:2]:
            answer = {"key": share, "nonce": told["nonce"]}
            done = vault.post("sys/generate-root/update", answer, token=None).body or {}
        encoded = str(done["encoded_token"])
        hidden = base64.b64decode(encoded + "=" * (-len(encoded) % 4))
        return bytes(one ^ other for one, other in zip(hidden, str(told["otp"]).encode(), strict=True)).decode()
