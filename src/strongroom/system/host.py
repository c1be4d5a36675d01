"""What the server is and runs on: ``sys/host-info``, ``sys/version-history``, ``sys/config/state``, ``sys/plugins/catalog``."""

from __future__ import annotations

import os
import platform
import shutil
from dataclasses import dataclass
from typing import Annotated, Any

from strongroom import __version__
from strongroom.logical.backend import Context, Endpoint, Path
from strongroom.logical.errors import NotFound
from strongroom.logical.field import Doc
from strongroom.logical.instant import rfc3339
from strongroom.logical.operation import Operation
from strongroom.logical.request import Response
from strongroom.system import founding
from strongroom.system.area import Nothing
from strongroom.system.node import Node


@dataclass(slots=True)
class OfType:
    """A type of plug."""

    type: Annotated[str, Doc("auth, secret or database.", public=True)]


@dataclass(slots=True)
class OfName:
    """A plug."""

    type: Annotated[str, Doc("auth, secret or database.", public=True)]
    name: Annotated[str, Doc("The plug's name.", public=True)]


class HostArea:
    """The server itself."""

    def __init__(self, node: Node) -> None:
        self._node = node

    def paths(self) -> tuple[Path, ...]:
        """The declarations of this area."""
        read = Operation.READ
        return (
            Path("host-info", "The machine of this node.", (Endpoint(read, self.host_info, "Read it.", sudo=True),)),
            Path(
                "version-history",
                "Which versions this vault ran with.",
                (Endpoint(Operation.LIST, self.version_history, "List them."),),
            ),
            Path(
                "config/state/sanitized",
                "The server's configuration, without anything secret.",
                (Endpoint(read, self.sanitized, "Read it."),),
            ),
            Path(
                "plugins/catalog",
                "Engines and methods that can be mounted. All are built in.",
                (
                    Endpoint(read, self.catalog, "Read the catalog.", sudo=True),
                    Endpoint(Operation.LIST, self.catalog, "List the catalog.", sudo=True),
                ),
            ),
            Path(
                "plugins/catalog/{type}",
                "Engines or methods that can be mounted.",
                (
                    Endpoint(read, self.catalog_of_type, "Read them.", sudo=True),
                    Endpoint(Operation.LIST, self.catalog_of_type, "List them.", sudo=True),
                ),
            ),
            Path(
                "plugins/catalog/{type}/{name}",
                "One engine or method.",
                (Endpoint(read, self.catalog_entry, "Read it.", sudo=True),),
            ),
        )

    def host_info(self, context: Context, _: Nothing) -> Response:
        """Processors, memory and disk, as far as an operator needs them to size a node."""
        usage = shutil.disk_usage("/")
        return Response(
            data={
                "timestamp": rfc3339(context.now_ns()),
                "host": {
                    "hostname": platform.node(),
                    "os": platform.system().lower(),
                    "kernelArch": platform.machine(),
                    "kernelVersion": platform.release(),
                },
                "cpu": [{"cpu": number} for number in range(os.cpu_count() or 1)],
                "memory": _memory(),
                "disk": [{"path": "/", "total": usage.total, "used": usage.used, "free": usage.free}],
            }
        )

    def version_history(self, context: Context, _: Nothing) -> Response:
        """The version that founded the vault."""
        vault = founding.load(context.storage)
        info = {
            "build_date": rfc3339(vault.created_ns),
            "previous_version": None,
            "timestamp_installed": rfc3339(vault.created_ns),
        }
        return Response(data={"keys": [vault.version], "key_info": {vault.version: info}})

    def sanitized(self, context: Context, _: Nothing) -> Response:
        """What the configuration file says."""
        del context
        return Response(data=dict(self._node.settings.sanitized))

    def catalog(self, context: Context, _: Nothing) -> Response:
        """All plugs by type."""
        del context
        names = {kind: self._names(kind) for kind in ("auth", "database", "secret")}
        detailed = [_entry(kind, name) for kind, all_names in names.items() for name in all_names]
        return Response(data={**names, "detailed": detailed})

    def catalog_of_type(self, context: Context, request: OfType) -> Response:
        """The plugs of one type."""
        del context
        names = self._names(request.type)
        if not names:
            raise NotFound
        return Response(data={"keys": names})

    def catalog_entry(self, context: Context, request: OfName) -> Response:
        """One plug."""
        del context
        if request.name not in self._names(request.type):
            raise NotFound
        return Response(data={**_entry(request.type, request.name), "args": None, "command": "", "sha256": ""})

    def _names(self, kind: str) -> list[str]:
        if kind == "auth":
            return sorted(self._node.plugs.auth_methods)
        if kind == "secret":
            # The cubbyhole is there from the first day and cannot be mounted a second time.
            return sorted(name for name in self._node.plugs.engines if "/" not in name and name != "cubbyhole")
        return []


def _entry(kind: str, name: str) -> dict[str, Any]:
    return {
        "name": name,
        "type": kind,
        "builtin": True,
        "version": f"v{__version__}+builtin",
        "deprecation_status": "supported",
    }


def _memory() -> dict[str, int]:
    page = os.sysconf("SC_PAGE_SIZE")
    return {"total": os.sysconf("SC_PHYS_PAGES") * page, "available": os.sysconf("SC_AVPHYS_PAGES") * page}
