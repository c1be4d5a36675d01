"""``hook run``: what an installed hook calls. Exit code 0 lets git go on, 1 for secrets and 2 for what could not be scanned stop it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from strongroom.cli.errors import CommandFailed
from strongroom.cli.grammar import command, expect
from strongroom.cli.options import text, whole
from strongroom.cli.scan_options import FAILED, choosing_options, scan_options
from strongroom.cli.scan_run import Target, failing, scan
from strongroom.cli.session import Session

if TYPE_CHECKING:
    from strongroom.scanner.config import ScanConfig
    from strongroom.scanner.fragment import Source
    from strongroom.scanner.hooks.called import Call
    from strongroom.scanner.problem import Report

_MOST_ARGUMENTS = 1000


@command(
    "run",
    "HOOK [ARGUMENT...]",
    text("-level", help="provider, default or all. (what .strongroom-scan.toml says, or default)"),
    text(
        "-config",
        help="Configuration. (.strongroom-scan.toml of the repository; on a server, the one in the bare repository)",
    ),
    text("-baseline", help="File of what is known already: those secrets are not reported."),
    whole("-jobs", help="How many processes scan. (one for each processor)"),
    remote=False,
)
def run_hook(session: Session, arguments: tuple[str, ...], **flags: Any) -> int:
    """Scans what git tells a hook of: HOOK is pre-commit, pre-push or pre-receive. Secrets are never shown, only where they are.

    Behind the name stands what git gives the hook; standard input and environment are read as git makes them. For other
    programs that manage hooks:

        strongroom hook run pre-commit
    """
    from strongroom.scanner.hooks import HOOKS, HookRefused
    from strongroom.scanner.hooks.called import Call

    expect(arguments, 1, _MOST_ARGUMENTS)
    name = arguments[0]
    if name not in HOOKS:
        raise CommandFailed(f"There is no hook {name} of ours; there are {', '.join(HOOKS)}", FAILED)
    call = Call(arguments[1:], session.environ, sys.stdin.buffer.read)
    try:
        exit_code = _scanned(session, name, call, flags)
    except HookRefused as error:
        exit_code = _refused(session, f"strongroom: {error}")
    except CommandFailed as failure:
        exit_code = _refused(session, failure.text)
    except Exception as error:  # noqa: BLE001 -- who pushes is told in a line, and not shown our insides
        exit_code = _refused(session, f"strongroom: the scan broke off ({type(error).__name__}), so this is refused.")
    if exit_code and name == "pre-receive" and _is_let_through(call):
        session.note("strongroom: accepted all the same, by a push option that this server knows.")
        return 0
    return exit_code


def _scanned(session: Session, name: str, call: Call, flags: dict[str, Any]) -> int:
    from strongroom.scanner.reports.hook import hook_message

    with failing():
        target = _SCANNED[name](call)
        if target is None:  # nothing comes, as when a branch is deleted
            return 0
        _, report = scan(session, {**_defaults(), **flags, "redact": True}, target)
        for line in hook_message(report, name):
            session.note(line)
    return FAILED if report.failures else int(bool(report.findings))


def _refused(session: Session, text: str) -> int:
    session.note(text)
    return FAILED


def _is_let_through(call: Call) -> bool:
    from strongroom.scanner.hooks import HookRefused

    try:
        with failing():
            return call.is_let_through(call.repository())
    except (CommandFailed, HookRefused):
        return False


def _defaults() -> dict[str, Any]:
    return {flag.key: flag.default for flag in (*scan_options(), *choosing_options())}


def _of_commit(call: Call) -> Target | None:
    from strongroom.scanner.sources.staged import Staged

    repository = call.repository()

    def open_source(config: ScanConfig, report: Report) -> Source:
        def staged(*, whole: bool) -> Staged:
            return Staged(
                repository,
                report,
                environment=call.environ,
                whole=whole,
                include=config.include,
                exclude=config.exclude,
            )

        source = staged(whole=False)
        # With nothing staged, a framework wants the files as they were committed: `pre-commit run --all-files`.
        return staged(whole=True) if source.is_empty and call.is_of_framework else source

    return Target(open_source, Path(repository.root))


def _of_push(call: Call) -> Target | None:
    from strongroom.scanner.sources.globs import Choice
    from strongroom.scanner.sources.pushed import Pushed

    repository = call.repository()
    updates = call.pushed(repository)
    if not any(update.new for update in updates):
        return None

    def open_source(config: ScanConfig, report: Report) -> Source:
        choice = Choice.of(config.include, config.exclude)
        return Pushed(repository, report, updates, remote=call.remote, environment=call.environ, choice=choice)

    return Target(open_source, Path(repository.root))


def _of_receipt(call: Call) -> Target | None:
    from strongroom.scanner.sources.globs import Choice
    from strongroom.scanner.sources.pushed import Pushed

    repository = call.repository()
    updates = call.received()
    if not any(update.new for update in updates):
        return None

    def open_source(config: ScanConfig, report: Report) -> Source:
        choice = Choice.of(config.include, config.exclude)
        return Pushed(repository, report, updates, environment=call.environ, choice=choice)

    # Settings of the server's own. What stands in a working tree was pushed, by the very people who are being checked.
    return Target(open_source, Path(repository.common))


_SCANNED = {"pre-commit": _of_commit, "pre-push": _of_push, "pre-receive": _of_receipt}
