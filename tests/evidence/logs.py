"""Real audit logs of a whole vault with the file device: rotated, restarted, and with an anchor."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path

from tests.kit import JumpingClock, Vault

from strongroom.evidence.anchor import Anchor, read_anchor
from strongroom.evidence.checkpoint import Reason
from strongroom.evidence.findings import Kind, Report
from strongroom.evidence.signature import PublicKey
from strongroom.evidence.verify import verify
from strongroom.physical.memory import MemoryStore

CONFIGURATION = """
storage "inmem" {{}}
listener "tcp" {{ tls_disable = true }}
audit "file" "main" {{ options {{ file_path = "{file}" }} }}
unsafe_allow_api_audit_creation = true
"""


@dataclass
class Log:
    """The files of a log, the oldest first, with what an operator keeps elsewhere."""

    folder: Path
    files: list[Path]
    key: PublicKey
    anchor: Anchor

    def verify(self, *, key: bool = True, anchor: bool = True) -> Report:
        return verify(self.files, key=self.key if key else None, anchor=self.anchor if anchor else None)

    def lines(self, number: int = 0) -> list[bytes]:
        return self.files[number].read_bytes().splitlines(keepends=True)

    def write(self, lines: list[bytes], number: int = 0) -> None:
        self.files[number].write_bytes(b"".join(lines))

    def kinds(self) -> set[Kind]:
        return {finding.kind for finding in self.verify().findings}


class LoggedVault:
    """A vault that records into ``audit.log`` of a folder. ``start`` is a start of the server, ``stop`` its end in good order."""

    def __init__(self, folder: Path, seed: str = "logged") -> None:
        self.folder = folder
        self.file = folder / "audit.log"
        self.clock = JumpingClock()
        self.store = MemoryStore()
        self._seed = seed
        self._starts = 0
        self.vault = self._start()
        self.vault.initialize()
        self.vault.unseal()

    def _start(self) -> Vault:
        vault = Vault(
            store=self.store,
            configuration=CONFIGURATION.format(file=self.file),
            clock=self.clock,
            is_unsealed=False,
        )
        # Each start draws other bytes, as a real one does.
        self._starts += 1
        vault.entropy._seed = f"{self._seed}-{self._starts}".encode()
        vault.node.broker.disable("memory")
        return vault

    def work(self, requests: int = 3) -> None:
        for number in range(requests):
            self.clock.jump(0.1)
            assert self.vault.get(f"auth/token/lookup-self?n={number}").status == 200

    def rotate(self) -> Path:
        """As logrotate does; answers the file's new name."""
        number = len(list(self.folder.glob("audit.log.*"))) + 1
        away = self.folder / f"audit.log.{number}"
        self.file.rename(away)
        self.clock.jump(0.1)
        self.vault.node.broker.reopen()
        return away

    def crash_and_restart(self) -> None:
        before = self.vault
        self.clock.jump(1)
        self.vault = self._start()
        self.vault.shares, self.vault.root = before.shares, before.root
        self.vault.call("POST", "sys/unseal", {"key": before.shares[0]}, token=None)

    def key(self) -> PublicKey:
        return PublicKey.read(str(self.vault.get("sys/audit-key").data["public_key"]))

    def anchor(self) -> Anchor:
        return read_anchor(json.dumps(self.vault.get("sys/audit-anchor").data))

    def log(self, *files: Path) -> Log:
        """Everything up to now, signed."""
        self.clock.jump(0.1)
        key, anchor = self.key(), self.anchor()
        self.vault.node.broker.checkpoint(Reason.INTERVAL)
        return Log(self.folder, [*files, self.file], key, anchor)


def sequence_of(line: bytes) -> int:
    found = re.search(rb'"sequence":([0-9]+),"hash":"[0-9a-f]{64}"\}\}$', line.rstrip(b"\n"))
    assert found is not None
    return int(found[1])
