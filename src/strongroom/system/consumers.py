"""``sys/consumers``: which version of which secret each program runs, as the program reports it, for whoever rotates secrets.

Any token may report, for itself alone and about secrets that it may read; what it may not read is left out, whether or not it is there.
A report is the word of whoever holds the token, and it is over when its time is, unless it comes again. Reading is for operators.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Annotated, Any

from strongroom.consumers import store
from strongroom.consumers.consumer import (
    SECRETS_MAX,
    Consumer,
    Running,
    check_description,
    check_name,
    split_reference,
)
from strongroom.logical.backend import Context, Endpoint, Path
from strongroom.logical.errors import InvalidRequest, NotFound, PermissionDenied
from strongroom.logical.field import Doc, Duration
from strongroom.logical.instant import rfc3339
from strongroom.logical.operation import Operation
from strongroom.logical.path import check_canonical
from strongroom.logical.request import Response
from strongroom.mounts.table import MountMap
from strongroom.system import reach
from strongroom.system.area import Named
from strongroom.system.node import Node
from strongroom.tokens.entry import TokenEntry

_TTL_SECONDS = 3600


@dataclass(slots=True)
class Report:
    """What a consumer runs: all of it, in place of what it said before."""

    name: Annotated[str, Doc("The consumer's name; others may use the same one without being it.", public=True)]
    kind: Annotated[str, Doc("What it is, in a word like `agent`, `run` or `service`.", public=True)] = "service"
    host: Annotated[str, Doc("The machine that it runs on.", public=True)] = ""
    ttl: Annotated[
        Duration, Doc("For how long the report holds; 1 hour by default, from 1 minute to 30 days.", public=True)
    ] = _TTL_SECONDS
    secrets: Annotated[
        list[str],
        Doc(
            "Each secret as its API path, `@` and the version: `secret/data/app@3`; 0 where there are none.",
            public=True,
        ),
    ] = field(default_factory=list)


@dataclass(slots=True)
class Search:
    """Which consumers to list."""

    secret: Annotated[str, Doc("Only those that run this secret; its API path, as `secret/data/app`.", public=True)] = (
        ""
    )
    older_than: Annotated[
        int, Doc("Only those that run a version of `secret` below this one; 0 for all.", public=True)
    ] = 0


@dataclass(slots=True)
class Forget:
    """Which consumers to forget."""

    name: Annotated[str, Doc("The name.", public=True)]
    identity: Annotated[str, Doc("Only the one that this identity reported.", public=True)] = ""


class ConsumerArea:
    """Reports of consumers."""

    def __init__(self, node: Node) -> None:
        self._node = node

    def paths(self) -> tuple[Path, ...]:
        """The declarations of this area."""
        return (
            Path(
                "consumers",
                "The programs that run with secrets, and so who still runs an old version.",
                # It looks through all of them.
                (Endpoint(Operation.LIST, self.list_all, "List the consumers, or those of one secret.", slow=True),),
            ),
            Path(
                "consumers/{name}",
                "What the consumers of one name run.",
                (
                    Endpoint(Operation.READ, self.read, "Read what the consumers of this name run."),
                    Endpoint(Operation.UPDATE, self.report, "Report which versions the caller runs.", any_access=True),
                    Endpoint(Operation.DELETE, self.delete, "Forget the consumers of this name."),
                ),
            ),
        )

    def report(self, context: Context, request: Report) -> Response | None:
        """Store what the caller runs. What it may not read is left out, with a warning that does not tell what is there."""
        tokens = self._node.require().tokens
        entry = tokens.find(context.storage, context.request.token) if context.request.token is not None else None
        if entry is None:
            raise PermissionDenied
        check_name(request.name)
        check_description(request.kind, request.host, request.ttl)
        asked = _references(request.secrets)
        identity, now = tokens.identity_of(entry), context.now_ns()
        before = store.find(context.storage, identity, request.name)
        if before is not None and before.expire_time_ns <= now:
            store.remove(context.storage, before)
            before = None
        store.put(
            context.storage,
            Consumer(
                name=request.name,
                identity=identity,
                kind=request.kind,
                host=request.host,
                accessor=entry.accessor,
                display_name=entry.display_name,
                entity_id=entry.entity_id,
                ttl=request.ttl,
                first_seen_ns=before.first_seen_ns if before is not None else now,
                last_seen_ns=now,
                secrets=self._readable(context, entry, asked, before),
            ),
        )
        return None

    def list_all(self, context: Context, request: Search) -> Response:
        """The names of consumers, with how they run what was asked for."""
        if request.older_than and not request.secret:
            raise InvalidRequest("'older_than' needs 'secret': versions of different secrets do not compare")
        found: dict[str, list[dict[str, Any]]] = {}
        for consumer, versions in self._matching(context, request):
            summary = _described(consumer) | (
                {"versions": versions} if request.secret else {"secrets": len(consumer.secrets)}
            )
            found.setdefault(consumer.name, []).append(summary)
        if not found:
            raise NotFound
        info = {name: {"consumers": found[name]} for name in sorted(found)}
        return Response(data={"keys": list(info), "key_info": info}, returned_keys=())

    def read(self, context: Context, request: Named) -> Response:
        """Every consumer of one name, with everything that it runs."""
        found = store.named(context.storage, check_name(request.name), context.now_ns())
        if not found:
            raise NotFound
        mounts = self._mounts(context)
        consumers = [_described(one) | {"secrets": _shown(mounts, one.secrets)} for one in found]
        return Response(data={"name": request.name, "consumers": consumers})

    def delete(self, context: Context, request: Forget) -> None:
        """Forget; nothing happens where there are none. One that still runs comes back with its next report."""
        for one in store.named(context.storage, check_name(request.name), 0):
            if request.identity in ("", one.identity):
                store.remove(context.storage, one)

    def _matching(self, context: Context, request: Search) -> Iterable[tuple[Consumer, list[int]]]:
        """The consumers that the search is about, with the versions of its secret that each runs."""
        if not request.secret:
            return ((one, []) for one in store.all_consumers(context.storage, context.now_ns()))
        found = reach.secret_at(self._node, context.storage, check_canonical(request.secret))
        if found is None:
            return ()
        mount, path = found[0].entry.uuid, found[1]
        running = store.running(context.storage, mount, path, context.now_ns())
        asked = ((one, _versions(one, mount, path, request.older_than)) for one in running)
        return ((one, versions) for one, versions in asked if versions)

    def _readable(
        self, context: Context, entry: TokenEntry, asked: dict[tuple[str, int], None], before: Consumer | None
    ) -> tuple[Running, ...]:
        since = {(one.mount, one.path, one.version): one.since_ns for one in before.secrets} if before else {}
        now, kept = context.now_ns(), []
        for path, version in asked:
            found = reach.secret_at(self._node, context.storage, path)
            if found is not None and reach.may_read(self._node, context.storage, entry, path, now):
                mount = found[0].entry.uuid
                kept.append(Running(mount, found[1], version, since.get((mount, found[1], version), now)))
        if len(kept) < len(asked):
            context.warnings.append(
                f"{len(asked) - len(kept)} of 'secrets' were left out: the token may not read them, or nothing is mounted there"
            )
        return tuple(kept)

    def _mounts(self, context: Context) -> MountMap:
        return self._node.require().mounts.at(context.storage, self._node.epoch(context.storage))


def _references(texts: list[str]) -> dict[tuple[str, int], None]:
    """The references, each once, in order. Raises InvalidRequest for too many or a malformed one."""
    if len(texts) > SECRETS_MAX:
        raise InvalidRequest(f"a consumer reports at most {SECRETS_MAX} secrets; report under several names")
    asked = dict.fromkeys(split_reference(text) for text in texts)
    for path, _ in asked:
        if check_canonical(path).endswith("/"):
            raise InvalidRequest("a path in 'secrets' names a folder")
    return asked


def _versions(consumer: Consumer, mount: str, path: str, below: int) -> list[int]:
    running = (one.version for one in consumer.secrets if one.mount == mount and one.path == path)
    return sorted(version for version in running if not below or version < below)


def _described(consumer: Consumer) -> dict[str, Any]:
    return {
        "accessor": consumer.accessor,
        "display_name": consumer.display_name,
        "entity_id": consumer.entity_id,
        "expire_time": rfc3339(consumer.expire_time_ns),
        "first_seen_time": rfc3339(consumer.first_seen_ns),
        "host": consumer.host,
        "identity": consumer.identity,
        "kind": consumer.kind,
        "last_seen_time": rfc3339(consumer.last_seen_ns),
        "ttl": consumer.ttl,
    }


def _shown(mounts: MountMap, secrets: tuple[Running, ...]) -> list[dict[str, Any]]:
    """The secrets by path as it is today; those of mounts that are gone are left out."""
    live = ((one, mounts.by_uuid(one.mount)) for one in secrets)
    shown = [
        {"path": mount.entry.path + one.path, "since": rfc3339(one.since_ns), "version": one.version}
        for one, mount in live
        if mount is not None
    ]
    return sorted(shown, key=lambda one: (one["path"], one["version"]))
