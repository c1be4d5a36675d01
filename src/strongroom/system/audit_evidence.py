"""``sys/audit-key`` and ``sys/audit-anchor``: what somebody needs who checks the audit log without the vault."""

from __future__ import annotations

import base64

from strongroom.audit.trail import Evidence
from strongroom.evidence.anchor import Anchor
from strongroom.evidence.checkpoint import Reason
from strongroom.logical.backend import Context, Endpoint, Path
from strongroom.logical.errors import Sealed
from strongroom.logical.instant import rfc3339
from strongroom.logical.operation import Operation
from strongroom.logical.request import Response
from strongroom.system.area import Nothing
from strongroom.system.node import Node


class AuditEvidenceArea:
    """The public key of the audit log, and anchors."""

    def __init__(self, node: Node) -> None:
        self._node = node

    def paths(self) -> tuple[Path, ...]:
        """The declarations of this area."""
        return (
            Path(
                "audit-key",
                "The public key with which checkpoints in the audit log are verified. Keep a copy outside of the server.",
                (Endpoint(Operation.READ, self.key, "Read the public key."),),
            ),
            Path(
                "audit-anchor",
                "A signed statement of how long every device's log is. Kept elsewhere, it shows whether an end was cut off.",
                # On the pool: it has every device write a checkpoint, which is an effect outside of the transaction.
                (Endpoint(Operation.READ, self.anchor, "Make an anchor.", slow=True),),
            ),
        )

    def key(self, context: Context, _: Nothing) -> Response:
        """The key in both forms that ``audit verify`` takes."""
        del context
        key = self._evidence().key
        return Response(
            data={
                "algorithm": "ed25519",
                "key_id": key.id,
                "public_key": key.public_pem,
                "public_key_base64": base64.b64encode(key.public_key).decode(),
            }
        )

    def anchor(self, context: Context, _: Nothing) -> Response:
        """Have every device keep a checkpoint, and sign where they are."""
        evidence = self._evidence()
        kept = self._node.broker.checkpoint(Reason.ANCHOR)
        anchor = Anchor(
            time=rfc3339(context.now_ns()),
            vault=evidence.vault,
            key_id=evidence.key.id,
            heads={name: one.head for name, one in kept.items()},
        )
        return Response(data=anchor.signed(evidence.key.sign))

    def _evidence(self) -> Evidence:
        evidence = self._node.broker.evidence
        if evidence is None:
            raise Sealed
        return evidence
