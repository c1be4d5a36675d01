"""What the ``kv`` commands share: the words about mounts, and how a write's outcome is shown."""

from __future__ import annotations

from typing import Any

from strongroom.cli import tables
from strongroom.cli.session import Session

MOUNT_HELP = "Path of the kv store; the argument is then the secret's name below it."


def show_written(session: Session, path: str, answer: dict[str, Any] | None) -> None:
    """Prints what a kv write gave back: the new version's metadata, or that it worked."""
    if answer is None:
        session.success(f"Data written to: {path}")
        return
    if session.printer.field or not session.printer.is_table or answer.get("wrap_info") or not answer.get("data"):
        session.show(answer)
        return
    session.say(tables.banner("Secret Path", len(path)) + f"\n{path}\n")
    session.say(tables.titled("Metadata", answer["data"]))
    session.warn_of(answer)
