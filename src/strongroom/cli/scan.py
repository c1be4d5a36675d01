"""``scan``: find leaked secrets. Needs no server, only the scanner's packages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from strongroom.cli.grammar import command, expect
from strongroom.cli.options import text
from strongroom.cli.scan_dir import SCAN_DIR, scan_folders
from strongroom.cli.scan_options import choosing_options, limits_of, scan_options
from strongroom.cli.scan_run import Target, of_repository, perform
from strongroom.cli.session import Session

if TYPE_CHECKING:
    from strongroom.scanner.config import ScanConfig
    from strongroom.scanner.fragment import Source
    from strongroom.scanner.problem import Report


def _since() -> Any:
    return text("-since", help="Only what commits brought: after a revision, in a range (main..HEAD), or after a date.")


scan_dir = command("dir", "PATH...", *SCAN_DIR.flags, remote=False)(scan_folders)


@command("git", "[PATH]", *choosing_options(), _since(), *scan_options(), remote=False)
def scan_git(session: Session, arguments: tuple[str, ...], **flags: Any) -> int:
    """Finds secrets in a git repository: in its working tree, and in every object that its store holds, reachable or not.

    Merges, stashes, messages, tags, notes and dangling objects are read too. Nothing of the repository is executed.

        strongroom scan git .
        strongroom scan git -since=origin/main..HEAD -format=github .
    """
    expect(arguments, 0, 1)
    path = arguments[0] if arguments else "."

    def open_source(config: ScanConfig, report: Report) -> Source:
        from strongroom.scanner.sources.git import GitRepository

        include, exclude = (*flags["include"], *config.include), (*flags["exclude"], *config.exclude)
        limits = limits_of(flags["max_file_size"])
        return GitRepository(path, report, since=flags["since"], include=include, exclude=exclude, limits=limits)

    return perform(session, flags, Target(open_source, of_repository(path)))
