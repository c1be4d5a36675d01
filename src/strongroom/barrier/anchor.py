"""The anchor: a small file that the operator keeps where the store is not, and that says how far the store was.

A store that was put back as a whole is consistent in itself. It is older than its anchor. The file names the vault, the store's counter of
transactions and a proof of its state; a MAC under a key of the vault covers all of it. It only ever moves forward.
"""

from __future__ import annotations

import contextlib
import hmac
import json
import os
import stat
import tempfile
from dataclasses import dataclass
from pathlib import Path

from strongroom.barrier.errand import Errand
from strongroom.barrier.store_root import Root
from strongroom.barrier.tampering import Finding, Tampering
from strongroom.barrier.witness import Tools
from strongroom.logical.instant import rfc3339

FORMAT = "strongroom-store-anchor/1"
_DOMAIN = b"strongroom store anchor 1\n"
_BYTES_MAX = 4096


class BadAnchor(ValueError):
    """The file is no anchor, or not one of this vault."""


@dataclass(frozen=True, slots=True)
class Anchor:
    """``vault`` is the cluster's id, ``time`` for people (RFC 3339)."""

    vault: str
    counter: int
    proof: str
    time: str


def anchor_of(root: Root, tools: Tools, vault: str) -> Anchor:
    """The anchor of a store that is as ``root`` says."""
    return Anchor(vault, root.counter, tools.proof(root), rfc3339(root.time_ns))


def compare(root: Root, tools: Tools, counter: int, proof: str, witness: str) -> list[Finding]:
    """Whether the store is older than, or went another way than, what ``witness`` recorded of it."""
    if root.counter < counter:
        detail = f"{witness} saw transaction {counter}, the store is at {root.counter}"
        return [Finding(Tampering.ROLLED_BACK, "", detail)]
    if root.counter == counter and not hmac.compare_digest(tools.proof(root).encode(), proof.encode()):
        return [Finding(Tampering.FORKED, "", f"{witness} saw transaction {counter} with another content")]
    return []


class AnchorFile:
    """The file at ``path``. Reading and writing raise OSError, also where the disk does not answer in time; reading raises BadAnchor."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._errand = Errand()

    def read(self, tools: Tools) -> Anchor | None:
        """The anchor, or None where there is no file."""
        try:
            content = self._errand.run(self._content)
        except FileNotFoundError:
            return None
        try:
            document = json.loads(content)
            mac = str(document.pop("mac"))
            anchor = Anchor(
                str(document["vault"]), int(document["counter"]), str(document["proof"]), str(document["time"])
            )
            is_ours = document["format"] == FORMAT and hmac.compare_digest(_mac(anchor, tools).encode(), mac.encode())
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
            raise BadAnchor("the file is no anchor") from None
        if not is_ours or len(content) > _BYTES_MAX:
            raise BadAnchor("the anchor was edited, or belongs to another vault")
        return anchor

    def check(self, root: Root, tools: Tools) -> list[Finding]:
        """What the file says against a store that is as ``root`` says."""
        try:
            anchor = self.read(tools)
        except BadAnchor:
            return [Finding(Tampering.ANCHOR_EDITED)]
        except OSError:
            anchor = None
        if anchor is None:
            return [Finding(Tampering.ANCHOR_MISSING)]
        return compare(root, tools, anchor.counter, anchor.proof, "the anchor")

    def advance(self, anchor: Anchor, tools: Tools) -> bool:
        """Write ``anchor`` unless the file is at least as far; whether it was written. An anchor of somebody else stays as it is."""
        before = self.read(tools)
        if before is not None and before.counter >= anchor.counter:
            return False
        content = json.dumps({**_members(anchor), "mac": _mac(anchor, tools)}).encode() + b"\n"
        self._errand.run(lambda: self._replace(content))
        return True

    def _content(self) -> bytes:
        # Something else in its place, such as a pipe, must not be waited for.
        descriptor = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        try:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise BadAnchor("the anchor is not a regular file")
            return os.read(descriptor, _BYTES_MAX + 1)
        finally:
            os.close(descriptor)

    def _replace(self, content: bytes) -> None:
        descriptor, temporary = tempfile.mkstemp(dir=self.path.parent, prefix=f".{self.path.name}.")
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            Path(temporary).replace(self.path)
        except BaseException:
            with contextlib.suppress(OSError):
                Path(temporary).unlink()
            raise
        folder = os.open(self.path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _members(anchor: Anchor) -> dict[str, str | int]:
    return {
        "format": FORMAT,
        "vault": anchor.vault,
        "counter": anchor.counter,
        "proof": anchor.proof,
        "time": anchor.time,
    }


def _mac(anchor: Anchor, tools: Tools) -> str:
    statement = _DOMAIN + json.dumps(_members(anchor), sort_keys=True, separators=(",", ":")).encode()
    return hmac.digest(tools.proof_key, statement, "sha256").hex()
