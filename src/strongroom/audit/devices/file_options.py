"""What a file device may be told, and by whom.

The configuration file is trusted to name any path. The API is not (CVE-2025-6000 began with an audit file): its paths must lie in a
folder that the configuration file allows, and are resolved here and opened later without following a single symlink.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass

from strongroom.audit.options import Limits, refuse_unknown
from strongroom.logical.errors import InvalidRequest

STDOUT = "stdout"
DISCARD = "discard"
FILE_OPTIONS = ("durability", "file_path", "mode", "path")
_MODES = {"0600": 0o600, "600": 0o600, "0640": 0o640, "640": 0o640}
_DURABILITIES = {"written": False, "synced": True}
_PATH_LENGTH_MAX = 4096


@dataclass(frozen=True, slots=True)
class FileOptions:
    """Checked options. ``synced`` flushes each batch to the disk. ``mode`` is 0600 or 0640."""

    path: str
    mode: int = 0o600
    synced: bool = False
    follow_symlinks: bool = False


def check_options(options: Mapping[str, str], limits: Limits) -> FileOptions:
    """The options of a file device, checked. Raises InvalidRequest with a text that says what is allowed."""
    refuse_unknown(options, FILE_OPTIONS)
    # The older name goes through the same checks as the newer one: they part nowhere after this line.
    path = options.get("file_path") or options.get("path") or ""
    if options.get("file_path") and options.get("path"):
        raise InvalidRequest("give audit option 'file_path' or its older name 'path', not both")
    if not path:
        raise InvalidRequest("audit option 'file_path' is missing")
    mode = _MODES.get(options.get("mode", "0600"))
    if mode is None:
        raise InvalidRequest("audit option 'mode' must be 0600 or 0640")
    synced = _DURABILITIES.get(options.get("durability", "written"))
    if synced is None:
        raise InvalidRequest("audit option 'durability' must be written or synced")
    _check_text(path)
    if limits.from_api:
        return FileOptions(_inside(path, limits.allowed_folders), mode, synced)
    return FileOptions(path, mode, synced, follow_symlinks=True)


def _check_text(path: str) -> None:
    if len(path) > _PATH_LENGTH_MAX or not path.isprintable():
        raise InvalidRequest(f"audit option 'file_path' must be printable, {_PATH_LENGTH_MAX} characters at most")
    if path.endswith("/"):
        raise InvalidRequest("audit option 'file_path' must name a file, not a folder")


def _inside(path: str, allowed_folders: tuple[str, ...]) -> str:
    """``path`` with its folder resolved, if that lies in an allowed folder."""
    refusal = InvalidRequest(
        "audit option 'file_path' must be an absolute path, without '..', below a folder that the server's configuration file"
        " allows for audit files"
    )
    if not path.startswith("/") or {".", ".."} & set(path.split("/")):
        raise refusal
    folder, name = os.path.split(path)
    resolved = os.path.realpath(folder)
    for allowed in allowed_folders:
        limit = os.path.realpath(allowed)
        if resolved == limit or resolved.startswith(limit.rstrip("/") + "/"):
            return resolved.rstrip("/") + "/" + name
    raise refusal
