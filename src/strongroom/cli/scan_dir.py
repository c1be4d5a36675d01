"""What ``scan dir`` does. Knows nothing of click, so that it can start at once."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from strongroom.cli.errors import CommandFailed
from strongroom.cli.flags import Quick
from strongroom.cli.scan_options import choosing_options, limits_of, scan_options
from strongroom.cli.scan_run import Target, perform
from strongroom.cli.session import Session

if TYPE_CHECKING:
    from strongroom.scanner.config import ScanConfig
    from strongroom.scanner.fragment import Source
    from strongroom.scanner.problem import Report

SCAN_DIR = Quick((*choosing_options(), *scan_options()), (), "strongroom.cli.scan_dir:scan_folders", is_remote=False)
_PATHS_MAX = 1000


def scan_folders(session: Session, arguments: tuple[str, ...], **flags: Any) -> int:
    """Finds secrets in files and folders, and in the archives and documents among them.

    Every file is read, ignored and hidden ones too. Exit code: 0 clean, 1 secrets found, 2 something could not be scanned.

        strongroom scan dir .
        strongroom scan dir src deploy -format=sarif -output=scan.sarif
    """
    if len(arguments) > _PATHS_MAX:
        raise CommandFailed(f"Too many arguments (expected {_PATHS_MAX}, got {len(arguments)})")
    paths = arguments or (".",)

    def open_source(config: ScanConfig, report: Report) -> Source:
        from strongroom.scanner.several import Several
        from strongroom.scanner.sources.directory import Directory

        include, exclude = (*flags["include"], *config.include), (*flags["exclude"], *config.exclude)
        limits = limits_of(flags["max_file_size"])
        return Several(
            [
                Directory(path, report, include=include, exclude=exclude, shown_below=shown_prefix(path), limits=limits)
                for path in paths
            ]
        )

    first = Path(paths[0])
    folder = first if first.is_dir() else first.parent
    return perform(session, flags, Target(open_source, folder, shown_prefix(paths[0]) if len(paths) == 1 else ""))


def shown_prefix(path: str) -> str:
    """What stands before the names of files below `path` in reports: the path as it was given, and nothing for the current folder."""
    shown = os.fsencode(path).decode("utf-8", "backslashreplace")
    if not Path(path).is_dir():
        folder = shown.rpartition("/")[0]
        return f"{folder}/" if "/" in shown else ""
    cleaned = os.path.normpath(shown)
    return "" if cleaned == "." else f"{cleaned.rstrip('/')}/"
