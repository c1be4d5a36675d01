"""Paths for the tab key: mounts, folders, secrets and environments, asked of the server.

The server gets a moment only. Where it does not answer at once, there is nothing to offer.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from strongroom.cli.session import Session

if TYPE_CHECKING:
    from strongroom.client.client import Client

PATIENCE_SECONDS = 0.07
"""For each step of asking the server, of which there are three at most: a person waits for the whole of it."""
_OTHER_PATHS = frozenset({"auth", "audit", "lease"})
"""Groups whose paths are not those of secrets."""


def paths(context: click.Context, _: click.Parameter, incomplete: str) -> list[str]:
    """The mounts, secrets and folders that start with ``incomplete``, where a path is asked for."""
    group = context.parent.info_name if context.parent else ""
    if context.params.get("arguments") or group in _OTHER_PATHS:
        return []
    is_kv = context.parent is not None and "kv" in context.parent.command_path.split()
    mount = str(context.params.get("mount") or "")
    with _hurried_client(context) as client:
        if is_kv and (mount or "/" in incomplete):
            return _below(client, mount, incomplete)
        return _mounts(client, incomplete, only_kv=is_kv)


def environments(context: click.Context, incomplete: str, most: int) -> list[str]:
    """The environments that start with ``incomplete``, of which the command takes ``most`` before anything else."""
    given = context.params.get("arguments") or ()
    if len(given) >= most:
        return []
    with _hurried_client(context) as client:
        answer = client.list("sys/environments") or {}
    return _starting(incomplete, (name for name in answer["data"]["keys"] if name not in given))


@contextmanager
def _hurried_client(context: click.Context) -> Iterator[Client]:
    session = Session({**context.params, "non_interactive": True})
    settings = session.settings._replace(timeout_seconds=PATIENCE_SECONDS, max_retries=0, wrap_ttl="")
    try:
        yield session.client_with(settings)
    finally:
        session.close()


def _mounts(client: Client, incomplete: str, *, only_kv: bool) -> list[str]:
    answer = client.ask("sys/internal/ui/mounts") or {}
    mounts = answer["data"]["secret"]
    return _starting(incomplete, (path for path in mounts if not only_kv or mounts[path]["type"] == "kv"))


def _below(client: Client, mount: str, incomplete: str) -> list[str]:
    from strongroom.cli.kv_mount import locate

    folder = incomplete[: incomplete.rfind("/") + 1]
    answer = client.list(locate(client, folder, mount).api("metadata")) or {}
    return _starting(incomplete, (folder + name for name in answer["data"]["keys"]))


def _starting(incomplete: str, names: Iterable[str]) -> list[str]:
    return sorted(name for name in names if name.startswith(incomplete))
