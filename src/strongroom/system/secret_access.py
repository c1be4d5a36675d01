"""What one caller may see and do with secrets, wherever they are mounted: asked by the areas that look into several mounts at once.

Every question goes to the caller's policies with the path that the API has for it, after the binding of the token. So nobody learns or does here what
a request for the secret itself would not allow.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from strongroom.environments.environment import Environment
from strongroom.environments.map import EnvironmentMap
from strongroom.logical.backend import Context
from strongroom.logical.errors import PermissionDenied
from strongroom.logical.inventory import Interior, Inventory, Layout, SecretState
from strongroom.logical.operation import Capability
from strongroom.mounts.table import LiveMount, MountMap
from strongroom.policy.decision import Question
from strongroom.system.node import Node
from strongroom.tokens.addresses import is_address_allowed


@dataclass(frozen=True, slots=True)
class SecretMount:
    """A mount that holds secrets, and the environment that it belongs to."""

    path: str
    uuid: str
    kind: str
    storage_prefix: str
    inventory: Inventory
    layout: Layout
    environment: Environment | None

    def data(self, path: str) -> str:
        """Where the API has the values of a secret."""
        return self.path + self.layout.data + path

    def metadata(self, path: str) -> str:
        """Where the API has what else is known of a secret; of a folder, what to list."""
        return self.path + self.layout.metadata + path


class Access:
    """The rights of whoever sent the request. Made once for a request; remembers what it asked."""

    def __init__(self, node: Node, context: Context) -> None:
        self._unsealed = node.require()
        self._context = context
        self._epoch = node.epoch(context.storage)
        token = context.request.token
        entry = self._unsealed.tokens.find(context.storage, token) if token else None
        if entry is None or not is_address_allowed(entry, context.request.connection.remote_address):
            raise PermissionDenied
        self.token = entry
        self._acl = self._unsealed.acl_for(context.storage, entry, self._epoch)
        self._now_ns = context.now_ns()
        self._listable: dict[str, int | None] = {}

    @property
    def environments(self) -> EnvironmentMap:
        """All environments, the least sensitive first."""
        return self._unsealed.environments.at(self._context.storage, self._epoch)

    def mounts(self) -> list[SecretMount]:
        """Every mount that holds secrets, by path, whether the caller may see it or not."""
        found = (self._as_secret_mount(live) for live in self._map().all(is_auth=False))
        return [mount for mount in found if mount is not None]

    def at(self, path: str) -> tuple[SecretMount, str] | None:
        """The mount under ``path`` and the path of the secret within, where the caller may know of that mount."""
        found = self._map().find(path.strip("/"))
        mount = self._as_secret_mount(found[0]) if found else None
        if found is None or mount is None or not self.may_see(mount):
            return None
        return mount, found[1]

    def may_see(self, mount: SecretMount) -> bool:
        """Whether anything at all in the mount is the caller's business."""
        return not self._is_barred(mount) and self._acl.has_any_access(mount.path, now_ns=self._now_ns)

    def may_see_below(self, mount: SecretMount, folder: str) -> bool:
        """Whether something may be listed in ``folder`` of the mount, or below."""
        return not self._is_barred(mount) and self._acl.has_any_access(mount.metadata(folder), now_ns=self._now_ns)

    def list_limit(self, mount: SecretMount, folder: str) -> int | None:
        """How many names of ``folder`` may be listed at once, 0 for all; None where it may not be listed."""
        asked = mount.metadata(folder)
        if asked not in self._listable:
            self._listable[asked] = self._list_limit(mount, asked)
        return self._listable[asked]

    def may_list(self, mount: SecretMount, folder: str) -> bool:
        """Whether the names directly in ``folder`` may be known."""
        return self.list_limit(mount, folder) is not None

    def may_read(self, mount: SecretMount, path: str) -> bool:
        """Whether the values of the secret at ``path`` may be read."""
        return self.may(mount, Capability.READ, mount.data(path))

    def may_know_keys(self, mount: SecretMount, path: str) -> bool:
        """Whether it may be known which keys the secret has."""
        if self.may_read(mount, path):
            return True
        subkeys = mount.layout.subkeys
        return subkeys is not None and self.may(mount, Capability.READ, mount.path + subkeys + path)

    def may(self, mount: SecretMount, capability: Capability, path: str, body: Mapping[str, Any] | None = None) -> bool:
        """Whether a request for ``path`` with this body would be allowed."""
        if self._is_barred(mount):
            return False
        question = Question(path=path, capability=capability, now_ns=self._now_ns, body=body or {})
        return self._acl.decide(question).allowed

    def may_know_notes(self, mount: SecretMount, path: str) -> bool:
        """Whether the notes of the secret may be read."""
        if not mount.layout.has_versions:
            return False
        return self.may(mount, Capability.READ, mount.metadata(path)) or self.may_read(mount, path)

    def interior(self, mount: SecretMount, *, is_known: bool = False) -> Interior:
        """The inside of the mount, in the transaction of this request. ``is_known`` where what is stored there was in its environment before."""
        context = self._context
        return Interior(
            storage=context.storage.view(mount.storage_prefix),
            mount_uuid=mount.uuid,
            entropy=context.entropy,
            fingerprints=context.fingerprints.of_mount(mount.uuid, is_known=is_known),
            now_ns=self._now_ns,
        )

    def state(self, mount: SecretMount, path: str) -> SecretState | None:
        """What the secret holds, whatever the caller may know of it."""
        return mount.inventory.state(self.interior(mount), path)

    def _list_limit(self, mount: SecretMount, path: str) -> int | None:
        if self._is_barred(mount):
            return None
        # The limit of a policy is kept by whoever lists; a rule that demands one is content with the greatest.
        question = Question(path=path, capability=Capability.LIST, now_ns=self._now_ns, body={"limit": "max"})
        decision = self._acl.decide(question)
        return (decision.pagination_limit or 0) if decision.allowed else None

    def _is_barred(self, mount: SecretMount) -> bool:
        return self._unsealed.is_barred(self._context.storage, self.token, mount.uuid, self._epoch)

    def _map(self) -> MountMap:
        return self._unsealed.mounts.at(self._context.storage, self._epoch)

    def _as_secret_mount(self, live: LiveMount) -> SecretMount | None:
        backend: object = live.router.backend
        if not isinstance(backend, Inventory):
            return None
        entry = live.entry
        kind = f"{entry.type}/{(entry.options or {}).get('version', '1')}"
        environment = self.environments.of_mount(entry.uuid)
        return SecretMount(entry.path, entry.uuid, kind, entry.storage_prefix, backend, backend.layout(), environment)
