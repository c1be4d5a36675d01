"""``sys/key-status``, ``sys/rotate`` and ``sys/rotate/root``: the barrier's own encryption keys."""

from __future__ import annotations

from strongroom.logical.backend import Context, Endpoint, Path, Shape
from strongroom.logical.instant import rfc3339
from strongroom.logical.operation import Operation
from strongroom.logical.request import Response
from strongroom.mounts.table import touch_epoch
from strongroom.system.area import Nothing
from strongroom.system.node import Node


class KeyArea:
    """Terms of the keyring, and the root key above it."""

    def __init__(self, node: Node) -> None:
        self._node = node

    def paths(self) -> tuple[Path, ...]:
        """The declarations of this area."""
        both = Shape.ENVELOPE_AND_TOP_LEVEL

        # On the pool: a rotation is durable by itself, outside of the transaction.
        rotate = Endpoint(Operation.UPDATE, self.rotate, "Rotate.", sudo=True, slow=True)
        return (
            Path(
                "key-status",
                "The encryption key in use outside of environments: its term, its age and how often it encrypted at most.",
                (Endpoint(Operation.READ, self.status, "Ask about the key.", shape=both),),
            ),
            Path(
                "rotate",
                "Encrypt with new keys from now on, in every environment; old ones go on opening old records.",
                (rotate,),
            ),
            Path(
                "rotate/keyring",
                "Encrypt with new keys from now on, in the newer spelling.",
                (Endpoint(Operation.UPDATE, self.rotate, "Rotate.", sudo=True, slow=True),),
            ),
            Path(
                "rotate/root",
                "A new root key, without anybody's shares: seal and shares stay as they are.",
                (Endpoint(Operation.UPDATE, self.rotate_root, "Rotate.", sudo=True, slow=True),),
            ),
            Path(
                "rotate/config",
                "When the key is rotated by itself.",
                (Endpoint(Operation.READ, self.read_config, "Read the limits.", sudo=True),),
            ),
        )

    def status(self, context: Context, _: Nothing) -> Response:
        """The active term."""
        del context
        status = self._node.require().barrier.key_status()
        return Response(
            data={
                "term": status.term,
                "install_time": rfc3339(status.install_time_ns),
                "encryptions": status.encryptions,
            }
        )

    def rotate(self, context: Context, _: Nothing) -> None:
        """Install a new term in every keyring, which every process of this server uses from its next batch on."""
        self._node.require().barrier.rotate()
        touch_epoch(context.storage)

    def rotate_root(self, context: Context, _: Nothing) -> None:
        """Draw a root key, and seal the keyring under it. Every process of this server knows it when this is answered."""
        del context
        with self._node.exclusively():
            self._node.require()
            self._node.lifecycle.keys.rotate_root_key()

    def read_config(self, context: Context, _: Nothing) -> Response:
        """The fixed limits."""
        del context
        limit = self._node.lifecycle.surroundings.limits.term_invocations
        return Response(data={"enabled": True, "interval": 0, "max_operations": limit})
