"""Checks of files and folders: who may write the code and the configuration, who may read data, logs and keys, and what room is left."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path

from strongroom.server.config_kinds import KeyPlace
from strongroom.server.config_values import SealType, TcpListener
from strongroom.server.doctor.check import Check, Scene, Verdict, fail, ok, skipped, unknown, warn, worst

_OTHERS = 0o077
_WORLD = 0o007
_GIB = 1 << 30
_FREE_LEAST = _GIB // 4
_FREE_WANTED = _GIB
_ROOT = 0


def _code(scene: Scene) -> Verdict:
    return _unwritable(scene, (path for root in scene.roots for path in _tree(root)), "code")


def _configuration(scene: Scene) -> Verdict:
    paths = [
        path for given in scene.config_paths for path in ([given, *given.iterdir()] if given.is_dir() else [given])
    ]
    return _unwritable(scene, paths, "configuration")


def _data(scene: Scene) -> Verdict:
    if not scene.config.storage.path:
        return skipped("nothing is stored on a disk")
    if not Path(scene.config.storage.path).exists():
        return skipped("the data folder does not exist yet; the server makes it")
    return worst((_closed(path, scene.server_uid, _OTHERS) for path in scene.data_files()), otherwise=ok(""))


def _audit_files(scene: Scene) -> Verdict:
    files = [path for path in _audit_paths(scene) if path.exists()]
    if not files:
        return skipped("no audit file exists yet")
    return worst((_closed(path, scene.server_uid, _WORLD) for path in files), otherwise=ok(""))


def _keys(scene: Scene) -> Verdict:
    verdicts = []
    for path, bits in (
        *((path, _OTHERS) for path in _seal_key_paths(scene)),
        # Links to keys are usual there; what they lead to is what has to be closed.
        *((path.resolve(), _WORLD) for path in _tls_keys(scene)),
    ):
        if not path.exists():
            verdicts.append(fail(f"{path} is missing"))
        else:
            verdicts.append(_closed(path, scene.server_uid, bits, owners=(_ROOT,)))
    return worst(verdicts, otherwise=skipped("no key lies in a file"))


def _seal_key_apart(scene: Scene) -> Verdict:
    if scene.config.seal.type is not SealType.STATIC:
        return skipped("the key is in people's hands")
    verdicts = []
    data = Path(scene.config.storage.path).resolve() if scene.config.storage.path else None
    for path in _seal_key_paths(scene):
        if data is None:
            continue
        if data == path.resolve().parent or data in path.resolve().parents:
            verdicts.append(fail(f"{path} lies in the data folder: who gets the data gets the key"))
        elif path.exists() and data.exists() and path.stat().st_dev == data.stat().st_dev:
            verdicts.append(warn(f"{path} lies on the same file system as the data: who gets the disk gets the key"))
        else:
            verdicts.append(ok(f"{path} lies apart from the data"))
    return worst(verdicts, otherwise=ok("the key comes from the service manager or a descriptor"))


def _data_space(scene: Scene) -> Verdict:
    if not scene.config.storage.path:
        return skipped("nothing is stored on a disk")
    return _space(Path(scene.config.storage.path))


def _audit_space(scene: Scene) -> Verdict:
    paths = _audit_paths(scene)
    verdicts = [_space(path) for path in paths]
    if scene.config.storage.path and paths:
        data = _nearest(Path(scene.config.storage.path)).stat().st_dev
        if all(_nearest(path).stat().st_dev == data for path in paths):
            verdicts.append(
                warn("the audit log shares the file system of the data: if it fills, neither can be written")
            )
    return worst(verdicts, otherwise=skipped("no audit file is declared"))


def _unwritable(scene: Scene, paths: Iterable[Path], what: str) -> Verdict:
    """Whether the server's user, or everybody, could change one of ``paths``, or exchange it in a folder above."""
    if scene.server_uid == _ROOT:
        return skipped("root may write everything; see not-root")
    groups = set(_groups(scene.server_uid))
    seen: set[Path] = set()
    for path in paths:
        for place in (path, *path.resolve().parents):
            if place in seen:
                continue
            seen.add(place)
            state = place.stat()
            if _may_write(state, scene.server_uid, groups):
                return fail(f"the server's user can write {place}, and so change the {what}")
    return ok(f"the server's user cannot write the {what}") if seen else unknown(f"there is no {what}")


def _may_write(state: os.stat_result, uid: int, groups: set[int]) -> bool:
    mode = state.st_mode
    if state.st_uid == uid:
        # Its owner can give themselves the right to write.
        return True
    if stat.S_ISDIR(mode) and mode & stat.S_ISVTX:
        # Others may add to such a folder, and may not exchange what is there.
        return False
    return bool(mode & stat.S_IWOTH or (mode & stat.S_IWGRP and state.st_gid in groups))


def _groups(uid: int) -> list[int]:
    import pwd

    try:
        user = pwd.getpwuid(uid)
    except KeyError:
        return []
    return os.getgrouplist(user.pw_name, user.pw_gid)


def _closed(path: Path, uid: int, bits: int, owners: tuple[int, ...] = ()) -> Verdict:
    state = path.lstat()
    if state.st_uid not in {uid, *owners}:
        return fail(f"{path} belongs to another user")
    if state.st_mode & bits:
        return fail(f"{path} has the mode {stat.S_IMODE(state.st_mode):04o}")
    return ok("they are closed to others")


def _space(path: Path) -> Verdict:
    place = _nearest(path)
    state = os.statvfs(place)
    free = state.f_bavail * state.f_frsize
    text = f"{free / _GIB:.1f} GiB are free on the file system of {place}"
    if free < _FREE_LEAST:
        return fail(text)
    return warn(text) if free < _FREE_WANTED else ok(text)


def _nearest(path: Path) -> Path:
    """``path``, or the nearest folder above it that exists."""
    return next((place for place in (path, *path.parents) if place.exists()), Path("/"))


def _tree(root: Path) -> Iterator[Path]:
    yield root
    for folder, folders, files in os.walk(root):
        folders[:] = [name for name in folders if name != "__pycache__"]
        yield from (Path(folder, name) for name in (*folders, *files))


def _audit_paths(scene: Scene) -> list[Path]:
    paths = []
    for device in scene.config.audit_devices:
        path = device.options.get("file_path") or device.options.get("path") or ""
        if device.type == "file" and path.startswith("/"):
            paths.append(Path(path))
    return paths


def _seal_key_paths(scene: Scene) -> list[Path]:
    sources = (scene.config.seal.current_key, scene.config.seal.previous_key)
    return [Path(source.location) for source in sources if source is not None and source.place is KeyPlace.FILE]


def _tls_keys(scene: Scene) -> list[Path]:
    listeners = (one for one in scene.config.listeners if isinstance(one, TcpListener))
    return [Path(one.tls.key_file) for one in listeners if one.tls is not None]


CHECKS = (
    Check(
        "code",
        "The server's user cannot write the server's code",
        "Whoever takes over the running server must not be able to stay in it.",
        "Install Strongroom as root, and take the right to write from everybody else: `chmod -R go-w`.",
        _code,
    ),
    Check(
        "configuration",
        "The server's user cannot write its configuration",
        "The configuration says which files the server may write and where it listens.",
        "Let the configuration belong to root: `chown -R root /etc/strongroom && chmod -R go-w /etc/strongroom`.",
        _configuration,
    ),
    Check(
        "data-files",
        "The data folder and what is in it are closed to others",
        "Names are clear text in the store, and whoever can write there can destroy it.",
        "`chmod 700` the folder and `chmod 600` its files; they belong to the server's user.",
        _data,
    ),
    Check(
        "audit-files",
        "Audit files are closed to others",
        "They hold who asked for what, and when.",
        "`chmod 600` them, or 640 for a group that collects them.",
        _audit_files,
    ),
    Check(
        "key-files",
        "Files with keys are closed to others",
        "The static seal's key opens the vault; the TLS key lets its owner pretend to be the server.",
        "`chmod 600` them, and let them belong to root or to the server's user.",
        _keys,
    ),
    Check(
        "seal-key-apart",
        "The static seal's key is not kept with the data",
        "Automatic unsealing protects a stolen disk only if the key is not on that disk.",
        "Keep the key on another device, or use `credential://` with systemd's encrypted credentials.",
        _seal_key_apart,
    ),
    Check(
        "data-space",
        "There is room for the data",
        "A vault that cannot write answers reads and revocations, and nothing else.",
        "Make room: 1 GiB at least.",
        _data_space,
    ),
    Check(
        "audit-space",
        "There is room for the audit log, on a file system of its own",
        "What cannot be recorded is not answered.",
        "Rotate the log and move old files away, or give the log a file system of its own.",
        _audit_space,
    ),
)
