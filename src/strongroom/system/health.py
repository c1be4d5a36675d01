"""``sys/health``, ``sys/seal-status``, ``sys/leader``: how the server is, for probes and for people. No token is needed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

from strongroom.barrier.states import Status
from strongroom.logical.backend import Context, Endpoint, Path, Shape
from strongroom.logical.errors import Sealed
from strongroom.logical.field import Doc
from strongroom.logical.instant import NANOSECONDS
from strongroom.logical.operation import Operation
from strongroom.logical.request import Response
from strongroom.system.area import Nothing
from strongroom.system.node import Node
from strongroom.system.settings import API_VERSION

BUILD_DATE = "2026-01-01T00:00:00Z"


@dataclass(slots=True)
class Health:
    """Which status codes the probe wants."""

    standbyok: Annotated[str, Doc("Answer 200 for a standby too.", public=True)] = ""
    perfstandbyok: Annotated[str, Doc("Kept for compatibility.", public=True)] = ""
    activecode: Annotated[int, Doc("Status of an active node.", public=True)] = 200
    standbycode: Annotated[int, Doc("Status of a standby node.", public=True)] = 429
    drsecondarycode: Annotated[int, Doc("Kept for compatibility.", public=True)] = 472
    performancestandbycode: Annotated[int, Doc("Kept for compatibility.", public=True)] = 473
    removedcode: Annotated[int, Doc("Kept for compatibility.", public=True)] = 530
    haunhealthy: Annotated[int, Doc("Kept for compatibility.", public=True)] = 474
    haunhealhty: Annotated[int, Doc("Kept for compatibility with clients that misspell it.", public=True)] = 474
    haunhealthycode: Annotated[int, Doc("Kept for compatibility.", public=True)] = 474
    sealedcode: Annotated[int, Doc("Status of a sealed node.", public=True)] = 503
    uninitcode: Annotated[int, Doc("Status of a node that is not initialized.", public=True)] = 501


class HealthArea:
    """The state of the server."""

    def __init__(self, node: Node) -> None:
        self._node = node

    def paths(self) -> tuple[Path, ...]:
        """The declarations of this area."""

        def probe(handler: Any, summary: str) -> Endpoint:
            return Endpoint(
                Operation.READ, handler, summary, unauthenticated=True, answers_sealed=True, shape=Shape.BARE
            )

        return (
            Path("health", "How the server is, told by the status code.", (probe(self.health, "Probe the server."),)),
            Path("seal-status", "Whether the vault is sealed.", (probe(self.seal_status, "Ask about the seal."),)),
            Path(
                "leader",
                "Which node is active. There is one node, and it is.",
                (Endpoint(Operation.READ, self.leader, "Ask who leads.", unauthenticated=True, shape=Shape.BARE),),
            ),
            Path(
                "ha-status",
                "The nodes of the cluster.",
                (Endpoint(Operation.READ, self.ha_status, "List them.", shape=Shape.ENVELOPE_AND_TOP_LEVEL),),
            ),
        )

    def health(self, context: Context, request: Health) -> Response:
        """The state as a status code that the prober may choose."""
        status = self._node.lifecycle.status()
        if not status.initialized:
            code = request.uninitcode
        else:
            code = request.sealedcode if status.sealed else request.activecode
        data: dict[str, Any] = {
            "initialized": status.initialized,
            "sealed": status.sealed,
            "standby": status.sealed,
            "performance_standby": False,
            "replication_performance_mode": "unknown" if status.sealed else "disabled",
            "replication_dr_mode": "unknown" if status.sealed else "disabled",
            "server_time_utc": context.now_ns() // NANOSECONDS,
            "version": API_VERSION,
            "enterprise": False,
            "echo_duration_ms": 0,
            "clock_skew_ms": 0,
        }
        return Response(data={**data, **self._cluster()}, status=code if 200 <= code <= 599 else 400)

    def seal_status(self, context: Context, _: Nothing) -> Response:
        """What ``operator unseal`` shows."""
        del context
        return Response(data=self.described(self._node.lifecycle.status()))

    def leader(self, context: Context, _: Nothing) -> Response:
        """This node."""
        del context
        self._node.require()
        address = self._node.settings.api_address
        return Response(
            data={
                "ha_enabled": False,
                "is_self": True,
                "active_time": "0001-01-01T00:00:00Z",
                "leader_address": address,
                "leader_cluster_address": "",
                "performance_standby": False,
                "performance_standby_last_remote_wal": 0,
            }
        )

    def ha_status(self, context: Context, _: Nothing) -> Response:
        """This node alone."""
        del context
        node = {
            "hostname": self._node.require().cluster_name,
            "api_address": self._node.settings.api_address,
            "cluster_address": "",
            "active_node": True,
            "last_echo": None,
            "version": API_VERSION,
            "upgrade_version": API_VERSION,
        }
        return Response(data={"nodes": [node]})

    def described(self, status: Status) -> dict[str, Any]:
        """The members that every answer about the seal has (CONTRACT 3)."""
        return {
            "type": status.type,
            "initialized": status.initialized,
            "sealed": status.sealed,
            "t": status.t,
            "n": status.n,
            "progress": status.progress,
            "nonce": status.nonce,
            "version": API_VERSION,
            "build_date": BUILD_DATE,
            "migration": status.is_migrating,
            "recovery_seal": status.recovery_seal,
            "storage_type": self._node.settings.storage_type,
            **self._cluster(),
        }

    def _cluster(self) -> dict[str, str]:
        try:
            unsealed = self._node.require()
        except Sealed:
            return {}
        return {"cluster_name": unsealed.cluster_name, "cluster_id": unsealed.cluster_id}
