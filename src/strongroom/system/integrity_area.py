"""``sys/integrity``: whether the store is what the vault left behind."""

from __future__ import annotations

from strongroom.logical.backend import Context, Endpoint, Path
from strongroom.logical.instant import rfc3339
from strongroom.logical.operation import Operation
from strongroom.logical.request import Response
from strongroom.system.area import Nothing
from strongroom.system.integrity import State
from strongroom.system.node import Node


class IntegrityArea:
    """What is known about the store."""

    def __init__(self, node: Node) -> None:
        self._node = node

    def paths(self) -> tuple[Path, ...]:
        """The declarations of this area."""
        # Slow, because the leader of several processes answers it, which is the one that inspects.
        read = Endpoint(Operation.READ, self.read, "Read what is known.", sudo=True, slow=True)
        return (Path("integrity", "Whether the store is what the vault left behind.", (read,)),)

    def read(self, context: Context, _: Nothing) -> Response:
        """The last inspection, the root record, the anchor, and everything that was found since the unseal."""
        del context
        integrity = self._node.integrity
        inspected, findings = integrity.inspected, integrity.findings
        root = self._node.require().barrier.root()
        return Response(
            data={
                "state": State.TAMPERED.value if integrity.is_tampered else inspected.state.value,
                "counter": root.counter,
                "records": root.records,
                "time": rfc3339(root.time_ns),
                "anchor": integrity.anchored if integrity.anchor is not None else None,
                "inspection": {
                    "state": inspected.state.value,
                    "records": inspected.records,
                    "counter": inspected.counter,
                    "began": rfc3339(inspected.began_ns) if inspected.began_ns else None,
                    "ended": rfc3339(inspected.ended_ns) if inspected.ended_ns else None,
                },
                "findings": [
                    {"class": one.kind.value, "meaning": one.sentence, "place": one.place, "detail": one.detail}
                    for one in findings
                ],
            },
            returned_keys=(),
        )
