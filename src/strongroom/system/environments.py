"""``sys/environments``: sets of mounts that stay apart."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

import msgspec

from strongroom.environments import store
from strongroom.environments.environment import Environment, Reuse, check_environment
from strongroom.environments.keyrings import assign_keyrings, is_resealing
from strongroom.environments.map import EnvironmentMap
from strongroom.environments.pending import is_pending, note_changes
from strongroom.environments.reason import require_reason
from strongroom.logical.backend import Context, Endpoint, Path
from strongroom.logical.errors import InvalidRequest, NotFound
from strongroom.logical.field import Doc
from strongroom.logical.instant import rfc3339
from strongroom.logical.operation import Operation
from strongroom.logical.request import Response
from strongroom.mounts.entry import MountEntry, canonical_mount_path
from strongroom.mounts.table import PROTECTED, touch_epoch
from strongroom.system.area import Named, Nothing
from strongroom.system.environment_use import roles_bound_to
from strongroom.system.node import Node


@dataclass(slots=True)
class WriteEnvironment:
    """What to set; what is absent stays as it is."""

    name: Annotated[str, Doc("The environment; letters are taken as small letters.", public=True)]
    rank: Annotated[
        int | None,
        Doc("How sensitive it is: the higher, the more. No two have the same. A new one needs it.", public=True),
    ] = None
    mounts: Annotated[
        list[str] | None,
        Doc("The mounts that belong to it, all of them; an auth method with `auth/` in front.", public=True),
    ] = None
    protected: Annotated[bool | None, Doc("Whether changes in it need a stated reason.", public=True)] = None
    reuse: Annotated[
        Reuse | None,
        Doc("What happens to a write in it of a value that is in use in a more sensitive one.", public=True),
    ] = None
    reuse_minimum_length: Annotated[
        int | None, Doc("Values with fewer characters are not compared; 8, or more.", public=True)
    ] = None
    shared_values: Annotated[
        list[str] | None, Doc("Values that are no secrets and may be in use in other environments, too.")
    ] = None
    description: Annotated[str | None, Doc("What it is for, in words.", public=True)] = None
    downward: Annotated[
        bool,
        Doc(
            "Let mounts that hold something leave for a less sensitive environment, or for none, "
            "and environments that hold something go below others by their rank.",
            public=True,
        ),
    ] = False


class EnvironmentArea:
    """Environments, read and changed."""

    def __init__(self, node: Node) -> None:
        self._node = node

    def paths(self) -> tuple[Path, ...]:
        """The declarations of this area."""
        return (
            Path(
                "environments",
                "The environments, the least sensitive first.",
                (Endpoint(Operation.LIST, self.list_all, "List them."),),
            ),
            Path(
                "environments/{name}",
                "One environment: its rank, its mounts, and what holds in it.",
                (
                    Endpoint(Operation.READ, self.read, "Read an environment."),
                    # What lists values runs where slow endpoints do.
                    Endpoint(Operation.UPDATE, self.write, "Create or change an environment.", sudo=True, slow=True),
                    # It looks through the roles of all auth methods.
                    Endpoint(
                        Operation.DELETE, self.delete, "Delete an environment that nothing uses.", sudo=True, slow=True
                    ),
                ),
                folded=frozenset({"name"}),
            ),
            Path(
                "environments/{name}/rotate",
                "Encrypt what is written in the environment with a new key from now on; old ones go on opening old records.",
                # On the pool: a rotation is durable by itself, outside of the transaction.
                (Endpoint(Operation.UPDATE, self.rotate, "Rotate its key.", sudo=True, slow=True),),
                folded=frozenset({"name"}),
            ),
        )

    def list_all(self, context: Context, _: Nothing) -> Response:
        """Names in the order of rank, with what is known of each."""
        info = {one.name: self._described(context, one) for one in self._map(context)}
        if not info:
            raise NotFound
        return Response(data={"keys": list(info), "key_info": info}, returned_keys=())

    def read(self, context: Context, request: Named) -> Response:
        """One environment."""
        environment = self._map(context).get(request.name)
        if environment is None:
            raise NotFound
        return Response(data=self._described(context, environment))

    def write(self, context: Context, request: WriteEnvironment) -> None:
        """Set what was sent. Raises InvalidRequest where the result makes no sense beside the others."""
        environments = self._map(context)
        before = environments.get(request.name)
        require_reason(context.request, before)
        if before is None and request.rank is None:
            raise InvalidRequest("missing field 'rank': a new environment needs one; the higher, the more sensitive")
        changed = check_environment(_merged(request, before))
        others = (one for one in environments if one.name != changed.name)
        same = next((one for one in others if one.rank == changed.rank), None)
        if same is not None:
            raise InvalidRequest(f"the environment {same.name!r} has this rank already; no two are equally sensitive")
        if before is not None and before.rank != changed.rank:
            self._check_order(context, request, before, changed)
        if request.mounts is not None:
            changed = self._with_mounts(context, request, changed)
        store.put_environment(context.storage, changed)
        self._changed(context, environments)

    def delete(self, context: Context, request: Named) -> None:
        """Delete; nothing happens where there is none. Raises InvalidRequest, naming what uses it."""
        environments = self._map(context)
        environment = environments.get(request.name)
        if environment is None:
            return
        require_reason(context.request, environment)
        users = [f"the mount {path}" for path in self._paths(context, environment).values()]
        users += roles_bound_to(self._node, context, environment.name)
        if users:
            raise InvalidRequest(f"the environment is in use by {', '.join(users)}; change these first")
        store.delete_environment(context.storage, environment.name)
        self._changed(context, environments)

    def rotate(self, context: Context, request: Named) -> Response:
        """Install a new term in its keyring, which every process of this server uses from its next batch on."""
        environment = self._map(context).get(request.name)
        if environment is None:
            raise NotFound("there is no such environment; list sys/environments to see which there are")
        require_reason(context.request, environment)
        try:
            self._node.require().barrier.rotate(environment.keyring)
        except LookupError:
            raise InvalidRequest("the keyring of this environment was lost; see sys/integrity") from None
        touch_epoch(context.storage)
        return Response(data={"keyring": self._keyring(environment)})

    def _map(self, context: Context) -> EnvironmentMap:
        return self._node.require().environments.at(context.storage, self._node.epoch(context.storage))

    def _changed(self, context: Context, before: EnvironmentMap) -> None:
        """Have the change hold from the very next request on, and what is stored in mounts be listed where it was not before."""
        touch_epoch(context.storage)
        if note_changes(context.storage, before) | assign_keyrings(context.storage):
            context.after_commit.append(self._node.wake_sweeper)

    def _check_order(
        self, context: Context, request: WriteEnvironment, before: Environment, changed: Environment
    ) -> None:
        """Refuse a rank by which what an environment holds would be less sensitive than that of another, as :meth:`_check_move` does."""
        entries = {entry.uuid: entry for entry in self._node.require().mounts.entries(context.storage)}
        for other in self._map(context):
            was_above = before.rank > other.rank
            if other.name == changed.name or was_above is (changed.rank > other.rank):
                continue
            require_reason(context.request, other)
            sinks, rises = (before, other) if was_above else (other, before)
            is_empty = all(_is_empty(context, entries[uuid]) for uuid in sinks.mounts if uuid in entries)
            if not request.downward and not is_empty:
                raise InvalidRequest(
                    f"the environment {sinks.name!r} holds something and would be less sensitive than {rises.name!r}; "
                    "empty its mounts first, or send downward=true if that is what you want"
                )

    def _with_mounts(self, context: Context, request: WriteEnvironment, changed: Environment) -> Environment:
        entries = {entry.path: entry for entry in self._node.require().mounts.entries(context.storage)}
        wanted = {entry.uuid: entry for entry in (_named(entries, path) for path in request.mounts or ())}
        by_uuid = {entry.uuid: entry for entry in entries.values()}
        leaving = [by_uuid[uuid] for uuid in changed.mounts if uuid not in wanted and uuid in by_uuid]
        for entry in leaving:
            self._check_move(context, request, entry, changed, None)
        for uuid, entry in wanted.items():
            if uuid not in changed.mounts:
                self._check_move(context, request, entry, store.take_out(context.storage, uuid), changed)
        return msgspec.structs.replace(changed, mounts=tuple(wanted))

    def _check_move(
        self,
        context: Context,
        request: WriteEnvironment,
        entry: MountEntry,
        source: Environment | None,
        target: Environment | None,
    ) -> None:
        """Refuse to take ``entry`` with what it holds to where more people may read it."""
        require_reason(context.request, source)
        require_reason(context.request, target)
        is_downward = source is not None and (target is None or target.rank < source.rank)
        if is_downward and not request.downward and not _is_empty(context, entry):
            raise InvalidRequest(
                f"the mount {entry.path} holds something and would leave for a less sensitive place; "
                "empty it first, or send downward=true if that is what you want"
            )

    def _described(self, context: Context, environment: Environment) -> dict[str, Any]:
        paths = self._paths(context, environment)
        return {
            "description": environment.description,
            "indexing": [path for uuid, path in paths.items() if is_pending(context.storage, uuid)],
            "keyring": self._keyring(environment),
            "mounts": list(paths.values()),
            "name": environment.name,
            "protected": environment.protected,
            "rank": environment.rank,
            "resealing": [path for uuid, path in paths.items() if is_resealing(context.storage, uuid)],
            "reuse": environment.reuse.value,
            "reuse_minimum_length": environment.reuse_minimum_length,
            "shared_values": list(environment.shared_values),
        }

    def _keyring(self, environment: Environment) -> dict[str, Any] | None:
        """The key that encrypts what is written in it; None where it has none of its own yet, or it was lost."""
        try:
            status = self._node.require().barrier.key_status(environment.keyring)
        except LookupError:
            return None
        if not environment.keyring:
            return None
        return {"id": environment.keyring, "install_time": rfc3339(status.install_time_ns), "term": status.term}

    def _paths(self, context: Context, environment: Environment) -> dict[str, str]:
        """The paths of its mounts, in order, by uuid."""
        mounts = self._node.require().mounts.at(context.storage, self._node.epoch(context.storage))
        found = (mounts.by_uuid(uuid) for uuid in environment.mounts)
        entries = sorted((live.entry for live in found if live is not None), key=lambda entry: entry.path)
        return {entry.uuid: entry.path for entry in entries}


def _merged(request: WriteEnvironment, before: Environment | None) -> Environment:
    base = before or Environment(name=request.name, rank=-1)
    names = ("rank", "protected", "reuse", "reuse_minimum_length", "description")
    sent = {name: value for name in names if (value := getattr(request, name)) is not None}
    if request.shared_values is not None:
        sent["shared_values"] = tuple(request.shared_values)
    return msgspec.structs.replace(base, **sent)


def _named(entries: dict[str, MountEntry], path: str) -> MountEntry:
    stripped = path.strip("/")
    is_auth = stripped.startswith("auth/")
    canonical = canonical_mount_path(stripped.removeprefix("auth/"), is_auth=is_auth)
    entry = entries.get(canonical)
    if entry is None:
        raise InvalidRequest("no mount at a path in 'mounts'; enable it first, or list sys/mounts to see what is there")
    if canonical in PROTECTED:
        raise InvalidRequest(f"{canonical} is everybody's and belongs to no environment")
    return entry


def _is_empty(context: Context, entry: MountEntry) -> bool:
    """Whether the mount holds nothing but settings of its own."""
    own = {"config", "digest_key"}
    return all(key in own for key in context.storage.view(entry.storage_prefix).scan(""))
