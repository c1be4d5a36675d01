"""Makes the backups of the schedule: one after the other, by the one process that opens the vault, and never in the way of a request."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from strongroom.backup.damage import BadBackup
from strongroom.backup.folder import BackupFolder
from strongroom.core.background import Background
from strongroom.logical.errors import LogicalError, Sealed
from strongroom.logical.instant import NANOSECONDS
from strongroom.physical.store import StoreError
from strongroom.system.backups import Abandoned, Pace, task_of
from strongroom.system.node import Node
from strongroom.system.unsealed import Unsealed
from strongroom.telemetry.catalog import BACKUPS
from strongroom.telemetry.labels import BackupOutcome

ROUND_SECONDS = 2.0
RETRY_SECONDS = 300.0
"""How long after a failure the next try is, or an interval where that is shorter."""
JITTER = 0.05
"""The part of an interval by which a backup may be later, so that many servers do not all write at once."""


class BackupKeeper(Background):
    """A background thread; it does nothing where no folder is configured.

    ``warn`` hears a sentence for each failure, ``on_failure`` of a mistake of ours. Nothing that goes wrong here concerns a request.
    """

    def __init__(self, node: Node, warn: Callable[[str], None], on_failure: Callable[[Exception], None]) -> None:
        super().__init__("backup-keeper")
        self._node = node
        self._warn = warn
        self._on_failure = on_failure
        settings = node.settings
        store_folder = Path(settings.backup_spool) if settings.backup_spool else None
        self._folder = BackupFolder(Path(settings.backup_folder), store_folder) if settings.backup_folder else None
        self._interval_ns = settings.backup_interval * NANOSECONDS
        self._vault = ""

    def start(self) -> None:
        """Begin."""
        if self._folder is not None:
            super().start()

    def stop(self) -> None:
        """End. A backup that is being written is given up, and nothing of it stays."""
        super().stop()

    def round(self) -> None:
        """What is due now."""
        unsealed, folder = self._node.unsealed, self._folder
        if unsealed is None or folder is None or not self._is_due():
            return
        try:
            if unsealed.cluster_id != self._vault:
                self._begin(folder, unsealed.cluster_id)
            if self._is_due():
                self._back_up(folder, unsealed)
        except (Abandoned, Sealed):
            return
        except BadBackup:
            self._fail("it was not read back from the disk as it was written; check the disk")
        except OSError as error:
            self._fail((error.strerror or "the folder cannot be used").lower())
        except (StoreError, LogicalError) as error:
            self._fail(str(error))

    def _begin(self, folder: BackupFolder, vault: str) -> None:
        """What the folder says about the backups until now. The next one is due an interval after the newest."""
        folder.make_ready()
        stored = folder.of_vault(vault)
        self._vault = vault
        last_ns = stored[-1].time_ns if stored else 0
        size = stored[-1].path.stat().st_size if stored else 0
        backups, next_ns = self._node.backups, self._next(last_ns) if stored else 0
        backups.scheduled = replace(backups.scheduled, last_success_ns=last_ns, bytes=size, next_ns=next_ns)

    def _is_due(self) -> bool:
        now, scheduled = self._node.clock.now_ns(), self._node.backups.scheduled
        # A clock that was set back must not put off backups for longer than an interval.
        return now >= scheduled.next_ns or scheduled.next_ns - now > 2 * self._interval_ns

    def _back_up(self, folder: BackupFolder, unsealed: Unsealed) -> None:
        node = self._node
        folder.make_ready()
        rest = Pace(node.clock, self._stopping)

        def pace() -> None:
            if node.unsealed is not unsealed:
                raise Abandoned
            rest()

        path, written = folder.write(task_of(unsealed, node.lifecycle.surroundings, pace))
        now = node.clock.now_ns()
        node.backups.scheduled = replace(
            node.backups.scheduled, last_success_ns=now, bytes=written.size, next_ns=self._next(now), failure=""
        )
        node.telemetry.add(BACKUPS, BackupOutcome.OK)
        folder.retain(unsealed.cluster_id, node.settings.backup_keep, path)

    def _next(self, last_ns: int) -> int:
        share = int.from_bytes(self._node.entropy.bytes(2), "big") / 65536 * JITTER
        return last_ns + self._interval_ns + int(self._interval_ns * share)

    def _fail(self, reason: str) -> None:
        now = self._node.clock.now_ns()
        retry_ns = min(self._interval_ns, int(RETRY_SECONDS * NANOSECONDS))
        backups = self._node.backups
        backups.scheduled = replace(backups.scheduled, last_failure_ns=now, failure=reason, next_ns=now + retry_ns)
        self._node.telemetry.add(BACKUPS, BackupOutcome.FAILED)
        self._warn(
            f"the scheduled backup failed: {reason}; the vault goes on, and the next try is in {retry_ns // NANOSECONDS} s"
        )

    def _run(self) -> None:
        while not self._stopping.wait(ROUND_SECONDS):
            try:
                self.round()
            except Exception as failure:  # noqa: BLE001 -- the next round may work, and no request depends on it
                self._on_failure(failure)
