"""``scan staged``: what a commit is about to add."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from strongroom.cli.grammar import command, expect
from strongroom.cli.scan_options import choosing_options, limits_of, scan_options
from strongroom.cli.scan_run import Target, of_repository, perform
from strongroom.cli.session import Session

if TYPE_CHECKING:
    from strongroom.scanner.config import ScanConfig
    from strongroom.scanner.fragment import Source
    from strongroom.scanner.problem import Report


@command("staged", "[PATH]", *choosing_options(), *scan_options(), remote=False)
def scan_staged(session: Session, arguments: tuple[str, ...], **flags: Any) -> int:
    """Finds secrets in the lines that the next commit adds. Fit for a pre-commit hook.

    strongroom scan staged
    """
    expect(arguments, 0, 1)
    path = arguments[0] if arguments else "."

    def open_source(config: ScanConfig, report: Report) -> Source:
        from strongroom.scanner.sources.staged import Staged

        include, exclude = (*flags["include"], *config.include), (*flags["exclude"], *config.exclude)
        limits = limits_of(flags["max_file_size"])
        return Staged(path, report, environment=os.environ, include=include, exclude=exclude, limits=limits)

    return perform(session, flags, Target(open_source, of_repository(path)))
