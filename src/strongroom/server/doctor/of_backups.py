"""Checks of backups: whether there are any, whether they are fresh and closed, and whether they would be lost with what they save."""

from __future__ import annotations

from pathlib import Path

from strongroom.backup.folder import NAME
from strongroom.logical.instant import NANOSECONDS
from strongroom.server.config_kinds import KeyPlace
from strongroom.server.doctor.check import Check, Scene, Verdict, fail, ok, skipped, warn, worst

_OTHERS = 0o077
_LATE_SECONDS = 3600
_HOUR = 3600


def _backups(scene: Scene) -> Verdict:
    backup = scene.config.backup
    if not scene.config.storage.path:
        return skipped("nothing is stored on a disk")
    if backup is None:
        return warn("no backups are made by themselves")
    folder = Path(backup.path)
    made = [path.stat().st_mtime for path in folder.iterdir() if NAME.fullmatch(path.name)] if folder.is_dir() else []
    if not made:
        return warn(f"there is no backup in {folder} yet")
    state = folder.stat()
    if state.st_uid != scene.server_uid or state.st_mode & _OTHERS:
        return fail(f"{folder} is open to others, so no backup is made there any more")
    age = scene.clock.now_ns() / NANOSECONDS - max(made)
    text = f"the newest backup is {max(0.0, age) / _HOUR:.1f} hours old"
    return fail(text) if age > 2 * backup.interval + _LATE_SECONDS else ok(text)


def _apart(scene: Scene) -> Verdict:
    backup = scene.config.backup
    if backup is None:
        return skipped("no backups are made by themselves")
    folder, data = Path(backup.path), Path(scene.config.storage.path)
    seal = scene.config.seal
    keys = [
        Path(source.location).resolve()
        for source in (seal.current_key, seal.previous_key)
        if source is not None and source.place is KeyPlace.FILE
    ]
    verdicts = [
        fail(f"{key} lies with the backups: who gets them gets the key")
        for key in keys
        if folder.resolve() in key.parents
    ]
    if _nearest(folder).stat().st_dev == _nearest(data).stat().st_dev:
        verdicts.append(warn("the backups share the file system of the data: one broken disk takes both"))
    return worst(
        verdicts, otherwise=ok("the backups lie on another file system than the data, and apart from the keys")
    )


def _nearest(path: Path) -> Path:
    """``path``, or the nearest folder above it that exists."""
    return next((place for place in (path, *path.parents) if place.exists()), Path("/"))


CHECKS = (
    Check(
        "backups",
        "Backups are made, and the newest is fresh",
        "One disk holds the vault, and disks die.",
        'Add `backup { path = "…" }` to the configuration, or see why the last one failed: `strongroom read sys/storage/backup`.',
        _backups,
    ),
    Check(
        "backups-apart",
        "Backups do not lie with the data or with the keys",
        "What is lost together was saved in vain, and a backup with its key is no longer encrypted.",
        "Put the folder on another disk, or copy backups to another machine, and keep keys elsewhere.",
        _apart,
    ),
)
