"""R-5: a full disk under the store, and one under the audit log. ``python -m reliability.full_disk``, as root.

Each lies on a small file system of its own, which is filled up by writing, and then to the last byte by somebody else. Nothing that was
acknowledged may be lost, reads go on, writes are refused in so many words, tokens can be revoked and the vault be sealed, and all
works again without a restart once there is space.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from reliability.result import Figure, Result, run
from reliability.server import Answer, Client, Server

MEGABYTE = 1024 * 1024
REVOCATIONS = 30
_FILLING = "x" * 20_000
_LONG_LOG_BYTES = 3500 * 4120


class Proof:
    """What is found on the way."""

    def __init__(self) -> None:
        self.findings: list[str] = []
        self.figures: dict[str, Figure] = {}

    def expect(self, answer: Answer, statuses: set[int], what: str, text: str = "") -> None:
        """Note an answer that is not one of those that it may be."""
        if answer.status not in statuses or text not in answer.text:
            self.findings.append(f"{what} is answered with {answer.status}: {answer.text}")


@contextlib.contextmanager
def small_disk(folder: Path, megabytes: int) -> Iterator[Path]:
    """A file system of so many megabytes at ``folder``. Needs root."""
    folder.mkdir(mode=0o700)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=700", "tmpfs", str(folder)], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def fill(folder: Path) -> Path:
    """Take the last byte of the file system."""
    filling = folder / "filling"
    with filling.open("ab", buffering=0) as file:
        for size in (65536, 4096, 1):
            with contextlib.suppress(OSError):
                while file.write(bytes(size)) == size:
                    pass
    return filling


def _begun(server: Server) -> Client:
    """A client of the server, which is started and initialized, with a mount for secrets."""
    server.start()
    server.initialize()
    client = server.client()
    client.must("POST", "sys/mounts/kv", {"type": "kv", "options": {"version": "2"}})
    return client


def _write_until_full(client: Client, proof: Proof) -> int:
    """Write secrets until one is refused; answers how many were acknowledged."""
    for number in range(2000):
        answer = client.call("POST", f"kv/data/s{number}", {"data": {"number": str(number), "filling": _FILLING}})
        if not answer.is_good:
            proof.expect(answer, {502}, "a write on a full disk", "no space is left")
            return number
    proof.findings.append("the disk never became full")
    return 2000


def _missing(client: Client, acknowledged: int) -> int:
    bad = 0
    for number in range(acknowledged):
        answer = client.call("GET", f"kv/data/s{number}")
        bad += answer.status != 200 or answer.body["data"]["data"]["number"] != str(number)
    return bad


def _tokens(client: Client, count: int) -> list[str]:
    options = {"policies": ["default"], "ttl": "1h"}
    made = [client.must("POST", "auth/token/create", options) for _ in range(count)]
    return [str(answer.body["auth"]["client_token"]) for answer in made]


def _revoke(client: Client, tokens: list[str], proof: Proof, where: str) -> int:
    """Revoke; answers how many are dead afterwards."""
    dead = 0
    for token in tokens:
        proof.expect(client.call("POST", "auth/token/revoke", {"token": token}), {204}, f"a revocation on {where}")
        dead += client.call("GET", "auth/token/lookup-self", token=token).status == 403
    return dead


def full_store(scratch: Path, proof: Proof) -> None:
    """The store's disk."""
    with small_disk(scratch / "store", 8) as disk:
        server = Server(scratch / "one", data=disk / "data")
        try:
            _full_store(server, disk, proof)
        finally:
            server.kill()


def _full_store(server: Server, disk: Path, proof: Proof) -> None:
    client = _begun(server)
    tokens = _tokens(client, 3 * REVOCATIONS)
    acknowledged = _write_until_full(client, proof)
    lost = _missing(client, acknowledged)
    revoked = _revoke(client, tokens[:REVOCATIONS], proof, "a disk that we filled")
    filling = fill(disk)
    proof.expect(client.call("POST", "kv/data/more", {"data": {"a": "b"}}), {502}, "a write", "no space is left")
    revoked += _revoke(client, tokens[REVOCATIONS : 2 * REVOCATIONS], proof, "a disk without one free byte")
    lost += _missing(client, acknowledged)
    filling.unlink()
    began = time.monotonic()
    # What others took is free again, and what is ours is still too much: deleting makes room.
    for number in range(acknowledged // 2, acknowledged):
        proof.expect(client.call("DELETE", f"kv/metadata/s{number}"), {204, 502}, "a deletion")
    lost += _missing(client, acknowledged // 2)
    revoked += _revoke(client, tokens[2 * REVOCATIONS :], proof, "a disk with space again")
    server.kill()
    seconds = server.recover()
    lost += _missing(server.client(), acknowledged // 2)
    proof.figures |= {
        "writes_until_full": acknowledged,
        "lost_on_full_store": lost,
        "revoked_on_full_store": revoked,
        "not_revoked": 3 * REVOCATIONS - revoked,
        "restart_on_full_store": round(seconds, 2),
        "cleared_in": round(time.monotonic() - began - seconds, 2),
    }


def space_returns(scratch: Path, proof: Proof) -> None:
    """Somebody else fills the store's disk, and clears it again."""
    with small_disk(scratch / "returns", 8) as disk:
        server = Server(scratch / "three", data=disk / "data")
        try:
            client = _begun(server)
            client.must("POST", "kv/data/s0", {"data": {"number": "0"}})
            filling = fill(disk)
            body = {"data": {"number": "1"}}
            proof.expect(client.call("POST", "kv/data/s1", body), {502}, "a write", "no space is left")
            proof.figures["reads_failed_on_full_store"] = _missing(client, 1)
            filling.unlink()
            began = time.monotonic()
            proof.expect(client.call("POST", "kv/data/s1", body), {200}, "a write once there is space")
            proof.figures["store_recovers_in"] = round(time.monotonic() - began, 3)
        finally:
            server.kill()


def suddenly_full(scratch: Path, proof: Proof) -> None:
    """A disk with plenty of space, on which the log of the store has got long, is filled by somebody else all at once."""
    with small_disk(scratch / "sudden", 256) as disk:
        server = Server(scratch / "four", data=disk / "data")
        try:
            client = _begun(server)
            tokens = _tokens(client, 3 * REVOCATIONS)
            log, number = disk / "data" / "strongroom.db-wal", 0
            while log.stat().st_size < _LONG_LOG_BYTES:
                client.must("POST", f"kv/data/s{number}", {"data": {"number": str(number), "filling": _FILLING}})
                number += 1
            proof.figures["log_of_pages"] = log.stat().st_size // 4120
            fill(disk)
            proof.expect(
                client.call("POST", "kv/data/more", {"data": {"a": "b"}}), {502}, "a write", "no space is left"
            )
            revoked = _revoke(client, tokens, proof, "a disk that was suddenly full")
            proof.figures |= {
                "revoked_on_suddenly_full_store": revoked,
                "not_revoked_on_suddenly_full_store": 3 * REVOCATIONS - revoked,
                "lost_on_suddenly_full_store": _missing(client, number),
            }
        finally:
            server.kill()


def full_audit(scratch: Path, proof: Proof) -> None:
    """The audit log's disk."""
    with small_disk(scratch / "audit", 1) as disk:
        server = Server(scratch / "two", audit=disk / "audit.log")
        try:
            _full_audit(server, disk, proof)
        finally:
            server.kill()


def _full_audit(server: Server, disk: Path, proof: Proof) -> None:
    client = _begun(server)
    client.must("POST", "kv/data/s0", {"data": {"number": "0"}})
    tokens = _tokens(client, 5)
    filling = fill(disk)
    # The last page of the log itself still has room for some records.
    while client.call("GET", "kv/data/s0").is_good:
        pass
    secrets = 0
    for method, path, body in (
        ("GET", "kv/data/s0", None),
        ("POST", "kv/data/s1", {"data": {"number": "1"}}),
        ("POST", "auth/token/create", {"policies": ["default"]}),
    ):
        answer = client.call(method, path, body)
        proof.expect(answer, {500}, f"{method} {path} without a record", "no audit device")
        secrets += bool(answer.body.get("data") or answer.body.get("auth"))
    revoked = _revoked_unseen(client, tokens)
    filling.unlink()
    began = time.monotonic()
    proof.expect(client.call("GET", "kv/data/s0"), {200}, "a read once there is space")
    proof.expect(client.call("GET", "kv/data/s1"), {404}, "what was refused")
    dead = sum(client.call("GET", "auth/token/lookup-self", token=token).status == 403 for token in tokens)
    seconds = time.monotonic() - began
    fill(disk)
    proof.expect(client.call("PUT", "sys/seal"), {204}, "sealing without a record")
    proof.expect(client.call("GET", "kv/data/s0"), {503}, "a read of a sealed vault")
    proof.figures |= {
        "secrets_without_record": secrets,
        "revoked_on_full_audit": revoked,
        "alive_after_revocation": len(tokens) - dead,
        "audit_recovers_in": round(seconds, 3),
    }


def _revoked_unseen(client: Client, tokens: list[str]) -> int:
    return sum(client.call("POST", "auth/token/revoke", {"token": token}).status == 204 for token in tokens)


def prove(arguments: argparse.Namespace) -> Result:
    """All of them."""
    del arguments
    if os.geteuid() != 0:
        raise SystemExit("only root can make a small file system: run this as root")
    proof = Proof()
    with tempfile.TemporaryDirectory(prefix="full-") as scratch:
        full_store(Path(scratch), proof)
        space_returns(Path(scratch), proof)
        suddenly_full(Path(scratch), proof)
        full_audit(Path(scratch), proof)
    zero = (
        "lost_on_full_store",
        "not_revoked",
        "not_revoked_on_suddenly_full_store",
        "lost_on_suddenly_full_store",
        "reads_failed_on_full_store",
        "secrets_without_record",
        "alive_after_revocation",
    )
    return Result("R-5 full disk", {"n": 4, **proof.figures}, zero, {}, proof.findings)


if __name__ == "__main__":
    run(prove)
