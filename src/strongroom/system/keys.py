"""``sys/key-status``, ``sys/rotate`` and ``sys/rotate/root``: the barrier's own encryption keys."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from msgspec.structs import replace

from strongroom.logical.backend import Context, Endpoint, Path, Shape
from strongroom.logical.errors import InvalidRequest
from strongroom.logical.field import Doc, Duration
from strongroom.logical.instant import format_duration, rfc3339
from strongroom.logical.operation import Operation
from strongroom.logical.request import Response
from strongroom.mounts.table import touch_epoch
from strongroom.system.area import Nothing
from strongroom.system.node import Node
from strongroom.system.rotation_rules import (
    INTERVAL_SECONDS_MIN,
    OPERATIONS_MIN,
    put_rotation_rules,
    rotation_rules,
)


@dataclass(slots=True)
class RotationConfig:
    """Rules for rotation; what is not sent stays as it is."""

    max_operations: Annotated[
        int | None, Doc("After how many encryptions a key is rotated, from 1,000,000 on.", public=True)
    ] = None
    interval: Annotated[
        Duration | None, Doc("After what time a key is rotated, from 24 hours on; 0 for whatever its age.", public=True)
    ] = None
    enabled: Annotated[
        bool | None,
        Doc(
            "Whether keys are rotated by these rules. One that may not encrypt any more is replaced in any case.",
            public=True,
        ),
    ] = None


class KeyArea:
    """Terms of the keyring, and the root key above it."""

    def __init__(self, node: Node) -> None:
        self._node = node

    def paths(self) -> tuple[Path, ...]:
        """The declarations of this area."""
        both = Shape.ENVELOPE_AND_TOP_LEVEL
        rules = (
            Endpoint(Operation.READ, self.read_config, "Read the rules.", sudo=True),
            Endpoint(Operation.UPDATE, self.write_config, "Change those that are sent.", sudo=True),
        )
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
            *(
                Path(f"{spelling}/config", "When keys are rotated by themselves.", rules)
                for spelling in ("rotate", "rotate/keyring")
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
        """The rules, with the limit that holds in any case where there is no lower one."""
        rules = rotation_rules(context.storage)
        return Response(
            data={
                "enabled": rules.enabled,
                "interval": format_duration(rules.interval_seconds) if rules.interval_seconds else 0,
                "max_operations": rules.max_operations or self._operations_max,
            }
        )

    def write_config(self, context: Context, request: RotationConfig) -> None:
        """Let these rules hold. The sweeper looks at them twice a minute, for the keyring of each environment."""
        rules, limit = rotation_rules(context.storage), self._operations_max
        if request.max_operations is not None:
            if not OPERATIONS_MIN <= request.max_operations <= limit:
                raise InvalidRequest(f"max_operations must be between {OPERATIONS_MIN} and {limit}")
            rules = replace(rules, max_operations=request.max_operations)
        if request.interval is not None:
            if request.interval != 0 and request.interval < INTERVAL_SECONDS_MIN:
                raise InvalidRequest("interval must be at least 24h, or 0 for no rotation by age")
            rules = replace(rules, interval_seconds=request.interval)
        if request.enabled is not None:
            rules = replace(rules, enabled=request.enabled)
        put_rotation_rules(context.storage, rules)

    @property
    def _operations_max(self) -> int:
        return self._node.lifecycle.surroundings.limits.term_invocations
