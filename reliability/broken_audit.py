"""R-9: the audit device is broken in each way, under every endpoint. ``python -m reliability.broken_audit``.

For every endpoint of every plug the request that works is sent (``tests/declarations`` knows it) while the only audit device is a file that cannot be written
in one of the ways of the real world, one that hangs, or one that fails as soon as an answer is to be recorded. Then no answer may hold a value, and nothing
may have changed that no record tells of. What seals or takes access away must work all the same, and say nothing but that.
"""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import tempfile
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from pathlib import Path

from tests.declarations.catalog import CASES, Case
from tests.declarations.examples import example_of, send
from tests.declarations.world import PASSWORD, SECRET_ID, STORED_SECRET, World, stored
from tests.kit import Vault

from reliability.result import Figure, Result, run
from strongroom.audit.devices import Device, DeviceFailed
from strongroom.audit.devices.file import open_file_device
from strongroom.audit.enabled import Enabled
from strongroom.audit.options import Limits

SOON = 0.05
"""How long a device may take here, in seconds: hundreds of requests wait for one that hangs."""
_NO_ANSWERS = "it takes no answers"
Break = Callable[[Path], None]


class Hanging:
    """Takes what it is given when ``released`` is set."""

    def __init__(self) -> None:
        self.released = threading.Event()

    def write(self, lines: bytes) -> None:
        """Hang."""
        del lines
        self.released.wait()
        raise DeviceFailed("it hung")

    def reopen(self) -> None:
        """Hang."""
        self.released.wait()

    def close(self) -> None:
        """Nothing to close."""


class WithoutAnswers:
    """Keeps requests, and fails at the first record of an answer."""

    def write(self, lines: bytes) -> None:
        """Fail where an answer is among ``lines``."""
        if b'"type":"response"' in lines:
            raise DeviceFailed("it takes no answers")

    def reopen(self) -> None:
        """Nothing to open."""

    def close(self) -> None:
        """Nothing to close."""


def gone(file: Path) -> None:
    """Its folder was removed."""
    shutil.rmtree(file.parent)


def folder_is_a_file(file: Path) -> None:
    """Where its folder was there is a file."""
    shutil.rmtree(file.parent)
    file.parent.write_bytes(b"")


def is_a_folder(file: Path) -> None:
    """Where the file was there is a folder."""
    file.unlink()
    file.mkdir()


def is_a_fifo(file: Path) -> None:
    """Where the file was there is a FIFO without a reader."""
    file.unlink()
    os.mkfifo(file, 0o600)


def is_a_symlink(file: Path) -> None:
    """The file was moved, and a link put in its place."""
    moved = file.with_suffix(".moved")
    file.rename(moved)
    file.unlink(missing_ok=True)
    moved.write_bytes(b"")
    file.symlink_to(moved)
    # The open descriptor still has the file that was moved: it has no name any more.
    moved.unlink()


def is_open_to_others(file: Path) -> None:
    """The file was made anew, for everybody to read."""
    file.unlink()
    file.write_bytes(b"")
    file.chmod(0o644)


WAYS: dict[str, Break] = {
    "its folder is gone": gone,
    "its folder is a file": folder_is_a_file,
    "it is a folder": is_a_folder,
    "it is a FIFO": is_a_fifo,
    "it is a symlink": is_a_symlink,
    "it is open to others": is_open_to_others,
}


def use(vault: Vault, device: Device) -> None:
    """Let the vault record to ``device`` alone."""
    broker = vault.node.broker
    broker.disable("memory")
    broker.enable(Enabled(name="memory", type="memory", device=device, from_configuration=True))


@contextmanager
def broken_file(break_it: Break, vault: Vault) -> Iterator[None]:
    """A file that worked, until it was broken."""
    with tempfile.TemporaryDirectory(prefix="broken-") as scratch:
        folder = Path(scratch) / "log"
        folder.mkdir(mode=0o700)
        use(vault, open_file_device({"file_path": str(folder / "audit.log")}, Limits(from_api=False)))
        vault.get("sys/health")
        break_it(folder / "audit.log")
        yield


@contextmanager
def full_file(vault: Vault) -> Iterator[None]:
    """A file that is as large as it may be."""
    with tempfile.TemporaryDirectory(prefix="full-") as scratch:
        path = Path(scratch) / "audit.log"
        use(vault, open_file_device({"file_path": str(path)}, Limits(from_api=False)))
        vault.get("sys/health")
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (path.stat().st_size, hard))
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@contextmanager
def hanging(vault: Vault) -> Iterator[None]:
    """A device that does not answer."""
    device = Hanging()
    patience, vault.node.broker._source.deadline_seconds = vault.node.broker._source.deadline_seconds, SOON  # noqa: SLF001 -- nothing else needs to change it
    use(vault, device)
    try:
        yield
    finally:
        device.released.set()
        vault.node.broker._source.deadline_seconds = patience  # noqa: SLF001 -- nothing else needs to change it


@contextmanager
def without_answers(vault: Vault) -> Iterator[None]:
    """A device that fails between the record of the request and that of the answer."""
    use(vault, WithoutAnswers())
    yield


class Judge:
    """Tries everything, and counts what must not be."""

    def __init__(self) -> None:
        self.world = World()
        self.tried = self.values = self.changes = self.not_done = 0
        self.findings: list[str] = []
        self.answers: Counter[int] = Counter()

    def judge(
        self,
        case: Case,
        way: str,
        broken: Callable[[Vault], AbstractContextManager[None]],
        *,
        has_request: bool = False,
    ) -> None:
        """One endpoint under one way. ``has_request``: the request's own record is durable, so that a change has one."""
        vault = self.world.vault_for(case)
        example = example_of(case, vault)
        before = stored(vault)
        with broken(vault):
            result = send(vault, case, example)
            is_sealed = vault.node.unsealed is None
        use(vault, vault.device)
        self.tried += 1
        self.answers[result.status] += 1
        where = f"{case.id}, {way}"
        raw = result.raw.decode()
        is_exempt = case.declared.endpoint.audit_exempt
        secrets = (STORED_SECRET, PASSWORD, SECRET_ID, vault.root, *vault.shares)
        if any(secret in raw for secret in secrets) or (result.status < 300 and not is_exempt):
            self.values += 1
            self.findings.append(f"{where}: answered {result.status}")
        if not is_exempt and not has_request and stored(vault) != before:
            self.changes += 1
            self.findings.append(f"{where}: changed something")
        if is_exempt and not (result.status in {202, 204} and not raw) and not is_sealed:
            self.not_done += 1
            self.findings.append(f"{where}: not done, {result.status}")


def prove(arguments: argparse.Namespace) -> Result:
    """Every way under every endpoint."""
    judge = Judge()
    cases = CASES[:: max(1, 100 // max(1, arguments.percent))]
    ways: dict[str, Callable[[Vault], AbstractContextManager[None]]] = {
        **{name: partial(broken_file, break_it) for name, break_it in WAYS.items()},
        "it is full": full_file,
        "it hangs": hanging,
        _NO_ANSWERS: without_answers,
    }
    for way, broken in ways.items():
        for case in cases:
            judge.judge(case, way, broken, has_request=way == _NO_ANSWERS)
    figures: dict[str, Figure] = {
        "n": judge.tried,
        "ways": len(ways),
        "endpoints": len(cases),
        "answers_with_a_value": judge.values,
        "changes_without_a_record": judge.changes,
        "emergencies_not_done": judge.not_done,
    }
    zero = ("answers_with_a_value", "changes_without_a_record", "emergencies_not_done")
    return Result("R-9 broken audit", figures, zero, {}, judge.findings)


if __name__ == "__main__":
    run(prove, percent=100)
