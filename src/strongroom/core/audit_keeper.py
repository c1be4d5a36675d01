"""Keeps the audit log's evidence fresh: signs what was recorded, pays what is owed, has the vault remember how far the log is."""

from __future__ import annotations

from collections.abc import Callable

from strongroom.audit.broker import Health
from strongroom.audit.trail import SECONDS_MAX
from strongroom.core.background import Background
from strongroom.core.batch import Alarms
from strongroom.physical.store import Unknown
from strongroom.system.node import Node

REMEMBER_SECONDS = 1.0


class AuditKeeper(Background):
    """A background thread. ``warn`` hears of a device that fails or works again, and of a log that does not hold what the vault remembers.

    Nothing depends on it for safety: without it, lines would only be signed later, by the next request or at the seal.
    """

    def __init__(self, node: Node, warn: Callable[[str], None], alarms: Alarms) -> None:
        super().__init__("audit-keeper")
        self._node = node
        self._warn = warn
        self._alarms = alarms
        self._warned: set[str] = set()
        self._failing: dict[str, str] = {}
        self._remembered_at = 0.0

    def round(self) -> None:
        """What is due now."""
        self._node.broker.settle()
        now = self._node.clock.monotonic()
        if now - self._remembered_at >= REMEMBER_SECONDS:
            self._remembered_at = now
            self._node.remember_audit()
        for health in self._node.broker.health:
            self._tell_of(health)
            if health.is_tampered and health.name not in self._warned:
                self._warned.add(health.name)
                self._warn(
                    f"audit device {health.name}: its log does not hold the last line that the vault remembers, so its end was "
                    "cut off or it was replaced; check with 'strongroom audit verify'"
                )

    def _tell_of(self, health: Health) -> None:
        """Without this, whoever finds that every request fails would find nothing about it in the server's log."""
        if health.is_healthy:
            if self._failing.pop(health.name, None) is not None:
                self._warn(f"audit device {health.name}: it works again")
        elif self._failing.get(health.name) != health.reason:
            self._failing[health.name] = health.reason
            self._warn(f"audit device {health.name}: it fails: {health.reason}")

    def _run(self) -> None:
        while not self._stopping.wait(SECONDS_MAX):
            try:
                self.round()
            except Unknown:
                self._alarms.on_unknown()
            except Exception as failure:  # noqa: BLE001 -- the next round may work, and the log is whole without it
                self._alarms.on_failure(failure)
