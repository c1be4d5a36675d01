"""``sys/audit``: audit devices listed, enabled and disabled, and the hash under which a value stands in their records."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Annotated

from strongroom.audit.enabled import Enabled
from strongroom.logical.backend import Context, Endpoint, Path, Shape
from strongroom.logical.errors import InvalidRequest
from strongroom.logical.field import Doc
from strongroom.logical.operation import Operation
from strongroom.logical.request import Response
from strongroom.mounts.table import touch_epoch
from strongroom.system import audit_devices
from strongroom.system.area import AtPath, Nothing
from strongroom.system.audit_devices import StoredDevice
from strongroom.system.node import Node

_NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,127}(?:/[A-Za-z0-9_-][A-Za-z0-9._-]{0,127})*")


@dataclass(slots=True)
class EnableDevice:
    """A device to enable."""

    path: Annotated[str, Doc("The name under which it is enabled.", public=True)]
    type: Annotated[str, Doc("The type of device, for example `file`.", public=True)] = ""
    description: Annotated[str, Doc("What it is for, in words.", public=True)] = ""
    options: Annotated[dict[str, str], Doc("Options of the type, for example `file_path`.", public=True)] = field(
        default_factory=dict
    )
    local: Annotated[bool, Doc("Kept for compatibility; there is no replication.", public=True)] = False


@dataclass(slots=True)
class HashInput:
    """A value to hash as a device's records do."""

    path: Annotated[str, Doc("The device.", public=True)]
    input: Annotated[str, Doc("The value.")]


class AuditArea:
    """Audit devices."""

    def __init__(self, node: Node) -> None:
        self._node = node

    def paths(self) -> tuple[Path, ...]:
        """The declarations of this area."""
        both = Shape.ENVELOPE_AND_TOP_LEVEL
        return (
            Path(
                "audit",
                "The enabled audit devices.",
                (Endpoint(Operation.READ, self.list, "List them.", sudo=True, shape=both),),
            ),
            Path(
                "audit/{path...}",
                "One audit device.",
                (
                    # On the pool: they open files, which is an effect outside of the transaction.
                    Endpoint(Operation.UPDATE, self.enable, "Enable a device.", sudo=True, slow=True),
                    Endpoint(Operation.DELETE, self.disable, "Disable a device.", sudo=True, slow=True),
                ),
            ),
            Path(
                "audit-hash/{path...}",
                "The keyed hash under which a value stands in the records of a device.",
                (Endpoint(Operation.UPDATE, self.hash, "Hash a value.", shape=both),),
            ),
        )

    def list(self, context: Context, _: Nothing) -> Response:
        """All devices, those of the configuration file and those of the API."""
        del context
        return Response(data={f"{enabled.name}/": _described(enabled) for enabled in self._node.broker.enabled})

    def enable(self, context: Context, request: EnableDevice) -> None:
        """Check the device, write a test record to it, and use it from the next request on."""
        if not self._node.settings.unsafe_allow_api_audit_creation:
            raise InvalidRequest(
                "audit devices are declared in the server's configuration file; to allow them here, "
                "set unsafe_allow_api_audit_creation there"
            )
        name = canonical_name(request.path)
        if any(_overlaps(name, enabled.name) for enabled in self._node.broker.enabled):
            raise InvalidRequest("path already in use: disable the device there first, or choose another name")
        stored = StoredDevice(
            name=name,
            type=request.type,
            description=request.description,
            options=request.options,
            local=request.local,
        )
        enabled = audit_devices.opened(stored, self._node.plugs.audit_devices, self._node.audit_limits(from_api=True))
        self._node.broker.probe(enabled)
        # Every process of this server enables it for itself, at its next batch; this one was for trying.
        enabled.device.close()
        audit_devices.store(context.storage, stored)
        touch_epoch(context.storage)

    def disable(self, context: Context, request: AtPath) -> None:
        """Stop using a device. One from the configuration file stays."""
        name = canonical_name(request.path)
        found = next((enabled for enabled in self._node.broker.enabled if enabled.name == name), None)
        if found is None:
            return
        if found.from_configuration:
            raise InvalidRequest("this device is declared in the server's configuration file; remove it there")
        audit_devices.forget(context.storage, name)
        touch_epoch(context.storage)

    def hash(self, context: Context, request: HashInput) -> Response:
        """The hash of the input."""
        del context
        return Response(data={"hash": self._node.broker.hash(canonical_name(request.path), request.input)})


def canonical_name(path: str) -> str:
    """The name of a device without slashes around it. Raises InvalidRequest."""
    name = path.strip("/")
    if not _NAME.fullmatch(name):
        raise InvalidRequest("the name of an audit device has letters, digits, '.', '_' and '-', parted by single '/'")
    return name


def _overlaps(one: str, other: str) -> bool:
    return f"{one}/".startswith(f"{other}/") or f"{other}/".startswith(f"{one}/")


def _described(enabled: Enabled) -> dict[str, object]:
    return {
        "description": enabled.description,
        "local": enabled.local,
        "options": dict(enabled.options),
        "path": f"{enabled.name}/",
        "type": enabled.type,
    }
