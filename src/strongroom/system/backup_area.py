"""``sys/storage/backup``: backups made, fetched in parts, and what is known about those of the schedule."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

from strongroom.logical.backend import Context, Endpoint, Path, Shape
from strongroom.logical.errors import InvalidRequest
from strongroom.logical.field import Doc
from strongroom.logical.instant import rfc3339
from strongroom.logical.operation import Operation
from strongroom.logical.request import RawBody, Response
from strongroom.system.area import Nothing
from strongroom.system.backups import PART_BYTES, Fetched, Stage, task_of
from strongroom.system.node import Node

WAIT_SECONDS = 5.0
"""How long an answer waits for a backup that is nearly ready."""


@dataclass(slots=True)
class BackupNumber:
    """A backup that is being fetched."""

    number: Annotated[int, Doc("The number of the backup, from its making.", public=True)]


@dataclass(slots=True)
class BackupPart:
    """A part of a backup."""

    number: Annotated[int, Doc("The number of the backup, from its making.", public=True)]
    part: Annotated[int, Doc("Which part, from 0.", public=True)]


class BackupArea:
    """Backups. All of it is slow, because the leader of several processes answers it, which has them."""

    def __init__(self, node: Node) -> None:
        self._node = node

    def paths(self) -> tuple[Path, ...]:
        """The declarations of this area."""
        read, update, delete = Operation.READ, Operation.UPDATE, Operation.DELETE
        return (
            Path(
                "storage/backup",
                "Backups of everything that is stored, encrypted under a key of the vault. `strongroom operator backup` uses this.",
                (
                    Endpoint(update, self.make, "Make a backup, to be fetched in parts.", sudo=True, slow=True),
                    Endpoint(read, self.status, "Show what is known about scheduled backups.", sudo=True, slow=True),
                ),
            ),
            Path(
                "storage/backup/{number}",
                "One backup that is being fetched. It is dropped when nobody asks for it for ten minutes, and when the vault is sealed.",
                (
                    Endpoint(read, self.show, "Show how far it is.", sudo=True, slow=True),
                    Endpoint(delete, self.drop, "Drop it, once it was fetched.", sudo=True, slow=True),
                ),
            ),
            Path(
                "storage/backup/{number}/{part}",
                "The bytes of a backup, in parts.",
                (Endpoint(read, self.part, "Fetch a part.", sudo=True, slow=True, shape=Shape.BARE),),
            ),
        )

    def make(self, context: Context, _: Nothing) -> Response:
        """Begin a backup, and wait a little for its end."""
        unsealed, backups = self._node.require(), self._node.backups
        surroundings = self._node.lifecycle.surroundings
        fetched = backups.begin(lambda pace: task_of(unsealed, surroundings, pace))
        context.take_back.append(lambda: backups.drop(fetched.number))
        return self._shown(fetched)

    def show(self, context: Context, request: BackupNumber) -> Response:
        """How far it is. Raises what made it fail."""
        del context
        return self._shown(self._node.backups.find(request.number))

    def part(self, context: Context, request: BackupPart) -> Response:
        """The bytes of one part."""
        del context
        backups = self._node.backups
        fetched = backups.find(request.number)
        if fetched.stage is Stage.RUNNING:
            raise InvalidRequest("the backup is not ready yet; ask for its stage first")
        content = backups.part(fetched, request.part)
        return Response(raw=RawBody(content_type="application/octet-stream", content=content), returned_keys=())

    def drop(self, context: Context, request: BackupNumber) -> None:
        """Forget it."""
        backups = self._node.backups
        context.after_commit.append(lambda: backups.drop(request.number))

    def status(self, context: Context, _: Nothing) -> Response:
        """The schedule, and how its last backups went."""
        del context
        scheduled, settings = self._node.backups.scheduled, self._node.settings
        return Response(
            data={
                "enabled": bool(settings.backup_folder),
                "interval": settings.backup_interval if settings.backup_folder else None,
                "keep": settings.backup_keep if settings.backup_folder else None,
                "last_success": _moment(scheduled.last_success_ns),
                "last_failure": _moment(scheduled.last_failure_ns),
                "failure": scheduled.failure,
                "next": _moment(scheduled.next_ns),
                "bytes": scheduled.bytes,
            },
            returned_keys=(),
        )

    def _shown(self, fetched: Fetched) -> Response:
        fetched.done.wait(WAIT_SECONDS)
        if fetched.refusal is not None:
            self._node.backups.drop(fetched.number)
            raise fetched.refusal
        data: dict[str, Any] = {"number": fetched.number, "stage": fetched.stage.value}
        written = fetched.written
        if written is not None and fetched.stage is Stage.COMPLETE:
            data |= {
                "id": written.header.id,
                "vault": written.header.vault,
                "time": written.header.time,
                "counter": written.header.counter,
                "records": written.manifest.records,
                "bytes": written.size,
                "parts": -(-written.size // PART_BYTES),
                "checksum": written.checksum,
            }
        return Response(data=data, returned_keys=())


def _moment(nanoseconds: int) -> str | None:
    return rfc3339(nanoseconds) if nanoseconds else None
