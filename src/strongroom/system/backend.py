"""The ``sys/`` plug: its areas, put together."""

from __future__ import annotations

from strongroom.barrier.rekey import Target
from strongroom.logical.backend import Path
from strongroom.system.area import Area
from strongroom.system.audit import AuditArea
from strongroom.system.audit_evidence import AuditEvidenceArea
from strongroom.system.audited_headers import AuditedHeaderArea
from strongroom.system.backup_area import BackupArea
from strongroom.system.capabilities import CapabilityArea
from strongroom.system.consumers import ConsumerArea
from strongroom.system.environments import EnvironmentArea
from strongroom.system.generate_root import GenerateRootArea
from strongroom.system.health import HealthArea
from strongroom.system.host import HostArea
from strongroom.system.in_flight import InFlightArea
from strongroom.system.integrity_area import IntegrityArea
from strongroom.system.internal import InternalArea
from strongroom.system.keys import KeyArea
from strongroom.system.leases import LeaseArea
from strongroom.system.matrix import MatrixArea
from strongroom.system.metrics import MetricsArea
from strongroom.system.mounts import MountArea
from strongroom.system.node import Node
from strongroom.system.offline_reads import OfflineReadArea
from strongroom.system.overrides import OverrideArea
from strongroom.system.policies import PolicyArea
from strongroom.system.promotion import PromotionArea
from strongroom.system.quotas import QuotaArea
from strongroom.system.rekey import RekeyArea, RekeyBackupArea
from strongroom.system.seal import SealArea
from strongroom.system.secret_listing import SecretListingArea
from strongroom.system.secret_moves import SecretMoveArea
from strongroom.system.tools import ToolsArea
from strongroom.system.wrapping import WrappingArea


class SystemBackend:
    """Everything below ``sys/``. It is mounted from the first day and cannot be disabled."""

    help = "The system: how the vault is opened, what is mounted in it, who may do what, and what is written down about it."

    def __init__(self, node: Node) -> None:
        settings = node.settings
        health = HealthArea(node)
        self._areas: tuple[Area, ...] = (
            health,
            SealArea(node, health),
            MountArea(node),
            EnvironmentArea(node),
            MatrixArea(node),
            OverrideArea(node),
            PromotionArea(node),
            SecretListingArea(node),
            SecretMoveArea(node),
            PolicyArea(node),
            CapabilityArea(node),
            LeaseArea(node),
            WrappingArea(node),
            AuditArea(node),
            AuditEvidenceArea(node),
            AuditedHeaderArea(),
            KeyArea(node),
            RekeyArea(
                node,
                Target.UNSEAL,
                legacy="rekey",
                today="rotate/root",
                is_open=settings.allow_unauthenticated_rekey,
            ),
            RekeyArea(
                node,
                Target.RECOVERY,
                legacy="rekey-recovery-key",
                today="rotate/recovery",
                is_open=settings.allow_unauthenticated_rekey,
            ),
            RekeyBackupArea(),
            GenerateRootArea(node, is_open=settings.allow_unauthenticated_generate_root),
            InternalArea(node),
            ToolsArea(),
            OfflineReadArea(),
            ConsumerArea(node),
            HostArea(node),
            QuotaArea(node),
            MetricsArea(node),
            InFlightArea(node),
            IntegrityArea(node),
            BackupArea(node),
        )

    def paths(self) -> tuple[Path, ...]:
        """The declarations of all areas."""
        return tuple(path for area in self._areas for path in area.paths())
