"""What every kind of scan does with its flags, its findings and its exit code: 0 clean, 1 secrets found, 2 failed."""

from __future__ import annotations

import datetime as dt
import errno
import fnmatch
import importlib.util
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from strongroom.cli.ending import is_unread
from strongroom.cli.errors import CommandFailed
from strongroom.cli.extras import how_to_install
from strongroom.cli.prompts import agreed
from strongroom.cli.scan_known import known_values
from strongroom.cli.scan_options import FAILED, FORMATS, LEVELS
from strongroom.cli.session import Session
from strongroom.logical.ambient import SystemClock

if TYPE_CHECKING:
    from strongroom.scanner.config import ScanConfig
    from strongroom.scanner.fragment import Source
    from strongroom.scanner.job import Job, Verify
    from strongroom.scanner.problem import Problem, Report
    from strongroom.scanner.reports.report import Report as ScanReport
    from strongroom.scanner.rule import Rule
    from strongroom.scanner.seen import Ignores


@dataclass(frozen=True, slots=True)
class Target:
    """What is scanned. `folder` is where the repository's own settings for scans are looked for; `root` is cut off where paths are relative."""

    open: Callable[[ScanConfig, Report], Source]
    folder: Path
    root: str = ""
    ignores: Sequence[Ignores] = field(default_factory=tuple)


def of_repository(path: str) -> Path:
    """Where the settings of the repository stand that `path` is in, or `path` where there is none: that will be told by who scans it."""
    from strongroom.scanner.sources.git_command import GitFailed
    from strongroom.scanner.sources.git_layout import find_repository

    try:
        return Path(find_repository(path).root)
    except GitFailed:
        return Path(path)


def perform(session: Session, flags: dict[str, Any], target: Target) -> int:
    """Scan `target` as the flags say, write the report, and return the exit code."""
    _check(flags)
    if flags["reveal"] and not flags["yes"] and not agreed(session, "Secrets will be shown in full. Go on?"):
        raise CommandFailed("Nothing was scanned. Without -reveal secrets are masked.", FAILED)
    with failing():
        job, report = scan(session, flags, target)
        _tell_problems(session, report)
        if flags["write_baseline"]:
            return _write_baseline(session, flags, job, report)
        write_report(session, flags, report)
    if report.failures:
        return FAILED
    return int(flags["exit_code"]) if report.findings else 0


def scan(session: Session, flags: dict[str, Any], target: Target) -> tuple[Job, ScanReport]:
    """Scan `target` as the flags say: the job as it was ordered, and what it came to. Raises the scanner's own errors."""
    from strongroom.scanner.job import known_from

    _check(flags)
    config, rules = _rules(flags, target)
    ours = known_values(session, flags)
    job = _job(flags, config, [] if flags["known_only"] else rules, target)
    job = _with(job, wanted=_with(job.wanted, known=ours))
    known = known_from(_baseline(flags, config, target), job.fingerprinter)
    # Who writes a baseline wants all that is there in it, and what is known of it to be kept.
    job = _with(job, known={} if flags["write_baseline"] else known)
    problems: list[Problem] = []
    with _progress() as progress:
        report = job.run(target.open(config, problems.append), problems, session.note, progress)
    report = _with(report, reveal=flags["reveal"], redact=flags["redact"], source_root=target.root)
    return _with(job, known=known), report if flags["reveal"] else _without_hidden_names(report)


def _without_hidden_names(report: ScanReport) -> ScanReport:
    from strongroom.scanner.hidden_names import HiddenNames

    names = HiddenNames(report.findings)
    names.hide(report.findings)
    shown: ScanReport = _with(report, problems=names.told(report.problems))
    return shown


def _baseline(flags: dict[str, Any], config: ScanConfig, target: Target) -> Path | None:
    """The file of what is known: the one that is named, or else the one of the configuration."""
    from strongroom.scanner.config import own_file

    if flags["baseline"]:
        return Path(flags["baseline"])
    if not config.baseline:
        return None
    folder = Path(flags["config"]).parent if flags["config"] else target.folder
    if flags["write_baseline"] and not os.path.lexists(folder / config.baseline):
        return None
    if (path := own_file(folder, config.baseline)) is None:
        raise CommandFailed(
            f"The baseline {config.baseline} is no file of this repository. -write-baseline writes one.", FAILED
        )
    return path


def _check(flags: dict[str, Any]) -> None:
    for name, choices in (("format", FORMATS), ("level", LEVELS)):
        if flags[name] and flags[name] not in choices:
            raise CommandFailed(f"-{name} is one of {', '.join(choices)}", FAILED)
    if any(form not in FORMATS or not file for form, file in _more_reports(flags)):
        raise CommandFailed(f"-report is FORMAT:FILE, and the format is one of {', '.join(FORMATS)}", FAILED)
    if flags["reveal"] and flags["redact"]:
        raise CommandFailed("-reveal and -redact contradict each other", FAILED)
    if not 0 <= flags["exit_code"] <= 125:
        raise CommandFailed("-exit-code is a number from 0 to 125", FAILED)
    for name in ("jobs", "max_depth"):
        if flags[name] is not None and not 0 <= flags[name] <= 1024:
            raise CommandFailed(f"-{name.replace('_', '-')} is a number from 0 to 1024", FAILED)


def _not_installed(module: str | None) -> CommandFailed:
    return CommandFailed(f"The scanner is not installed here (no module {module}): {how_to_install('scanner')}", FAILED)


@contextmanager
def failing() -> Iterator[None]:
    """Errors of the scanner as those of the command line."""
    if importlib.util.find_spec("re2") is None:
        # Found out now: by the processes of a scan it would be said of each file.
        raise _not_installed("re2")
    try:
        yield
    except ModuleNotFoundError as error:
        if error.name and error.name.startswith("strongroom"):
            raise
        raise _not_installed(error.name) from None
    except OSError as error:
        if is_unread(error):
            raise
        raise CommandFailed(f"Cannot read or write {error.filename or 'a file'}: {error.strerror}", FAILED) from None
    except (ValueError, RuntimeError) as error:
        from strongroom.scanner.reports.masking import logged

        # It may name what a configuration of somebody else's has in it.
        raise CommandFailed(f"Cannot scan: {logged(str(error))}", FAILED) from None


def _job(flags: dict[str, Any], config: ScanConfig, rules: Sequence[Rule], target: Target) -> Job:
    from strongroom import __version__
    from strongroom.scanner.assembly import builtin_wanted, default_jobs
    from strongroom.scanner.automaton_cache import default_folder
    from strongroom.scanner.fingerprint import fingerprinter_of
    from strongroom.scanner.job import Job
    from strongroom.scanner.layers import MAX_DEPTH
    from strongroom.scanner.levels import Level

    level = Level(flags["level"]) if flags["level"] else config.level or Level.DEFAULT
    depth = 0 if flags["no_decode"] else MAX_DEPTH if flags["max_depth"] is None else flags["max_depth"]
    wanted = builtin_wanted(
        rules,
        level,
        depth,
        flags["jobs"] or default_jobs(),
        None if flags["no_cache"] else default_folder(os.environ),
        target.root,
    )
    fingerprinter = fingerprinter_of(flags["fingerprint_key_file"])
    leaves_out = _excluded(flags, config)
    ignores = [*_ignores(target), *config.ignores, *target.ignores, lambda seen: leaves_out(seen.path)]
    verify = verification(flags)
    return Job(wanted, _now, fingerprinter, ignores=ignores, version=__version__, verify=verify, leaves_out=leaves_out)


def _rules(flags: dict[str, Any], target: Target) -> tuple[ScanConfig, list[Rule]]:
    """The configuration, and the rules that it and the flags leave."""
    from strongroom.scanner.config import FILE_NAME, own_file

    folder = target.folder
    if flags["config"]:
        config, rules = rules_of_config(Path(flags["config"]))
    else:
        config, rules = rules_of_config(own_file(folder, FILE_NAME) or own_file(folder, ".gitleaks.toml"), folder)
    if flags["rules"]:
        wanted = [name for given in flags["rules"] for name in given.split(",")]
        rules = [rule for rule in rules if _matches(rule.id, wanted)]
        if not rules:
            raise CommandFailed("No rule has an id like those of -rules. See docs/reference/scanner-rules.md", FAILED)
    if not rules:
        raise CommandFailed("No rule is left: disable in the configuration names them all", FAILED)
    return config, rules


def rules_of_config(path: Path | None, within: Path | None = None) -> tuple[ScanConfig, list[Rule]]:
    """The configuration of the scanner at `path`, if there is one, and the rules that it leaves and adds; one that nobody named stays `within` its folder."""
    from strongroom.scanner.catalogue import ALL_RULES
    from strongroom.scanner.config import ScanConfig, parse_config, read_toml

    config = parse_config(read_toml(path), path.name, within) if path is not None else ScanConfig()
    own = {rule.id for rule in config.rules}
    rules = [rule for rule in ALL_RULES if rule.id not in own] + list(config.rules)
    return config, [rule for rule in rules if rule.id in own or not _matches(rule.id, config.disable)]


def _matches(name: str, patterns: Sequence[str]) -> bool:
    return any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns)


def verification(flags: dict[str, Any]) -> Verify | None:
    """Who asks the issuers of secrets, where that is wanted."""
    if not flags["verify"]:
        return None
    import time

    from strongroom.scanner.verifiers.ask import Asker
    from strongroom.scanner.verifiers.verify import Verification

    return Verification(Asker(), time.monotonic, time.sleep)


def _ignores(target: Target) -> list[Ignores]:
    from strongroom.scanner.catalogue import ALL_RULES
    from strongroom.scanner.config import own_file
    from strongroom.scanner.ignore_file import FILE_NAME, read_ignore_file, text_of

    root, folder = target.root, target.folder
    found: list[Ignores] = []
    if path := own_file(folder, FILE_NAME):
        found.append(read_ignore_file(path).ignores)
    if path := own_file(folder, ".gitleaksignore"):
        from strongroom.scanner.gitleaks.accepted import read_gitleaks_ignore

        known = [rule.id for rule in ALL_RULES]
        found.append(read_gitleaks_ignore(text_of(path), known).ignores)
    return [_below(root, ignores) for ignores in found]


def _excluded(flags: dict[str, Any], config: ScanConfig) -> Callable[[str], bool]:
    """What -exclude names, for sources that know the path of a thing only once something was found in it."""
    from strongroom.scanner.sources.globs import Choice

    return Choice.of((), (*flags.get("exclude", ()), *config.exclude)).excludes


def _below(root: str, ignores: Ignores) -> Ignores:
    """As `ignores`, of paths from which `root` is cut off."""
    return lambda seen: ignores(_with(seen, path=seen.path.removeprefix(root)))


def _with(value: Any, **changes: Any) -> Any:
    from dataclasses import replace

    return replace(value, **changes)


def _now() -> dt.datetime:
    return dt.datetime.fromtimestamp(SystemClock().now_ns() / 1e9, dt.UTC)


@contextmanager
def _progress() -> Iterator[Callable[[int, int], None]]:
    """A line that counts, where a person watches."""
    if not sys.stderr.isatty():
        yield _say_nothing
        return

    def tell(fragments: int, size: int) -> None:
        sys.stderr.write(f"\r{fragments} files and parts, {size / 1e6:.0f} MB\x1b[K")
        sys.stderr.flush()

    try:
        yield tell
    finally:
        sys.stderr.write("\r\x1b[K")


def _say_nothing(fragments: int, size: int) -> None:
    """The progress that nobody watches."""


def _tell_problems(session: Session, report: ScanReport) -> None:
    from strongroom.scanner.reports.masking import logged

    for problem in report.failures:
        session.note(f"Not scanned: {logged(problem.path)}: {logged(problem.what)}")
    notes = len(report.problems) - len(report.failures)
    if notes and sys.stderr.isatty():
        session.note(f"Left out on purpose: {notes} (links, special files, what -exclude names)")


def _write_baseline(session: Session, flags: dict[str, Any], job: Job, report: ScanReport) -> int:
    from strongroom.scanner.baseline import write_baseline

    if report.failures:
        raise CommandFailed("The baseline was not written, because not everything could be scanned.", FAILED)
    path = Path(flags["write_baseline"])
    count = write_baseline(path, job.fingerprinter.scheme, report.findings, job.known)
    session.note(f"Wrote {count} known secrets to {path}")
    return 0


def write_report(session: Session, flags: dict[str, Any], report: ScanReport) -> None:
    """Write `report` in the format that is wanted, to the file that is named or to standard output."""
    from strongroom.scanner.reports.formats import formatter

    name = flags["format"]
    write = formatter(name)
    if report.reveal:
        session.note("Warning: this report shows secrets in full.")
    for form, file in _more_reports(flags):
        _write_file(file, formatter(form)(report))
    if flags["output"]:
        _write_file(flags["output"], write(report))
        return
    if name == "text":
        lines = write(report, colour=sys.stdout.isatty() and not os.environ.get("NO_COLOR"))
    else:
        lines = write(report)
    for line in lines:
        session.say(line, end="")
    sys.stdout.flush()  # here, where it counts as a failure of the scan if it cannot be written


def _more_reports(flags: dict[str, Any]) -> list[tuple[str, str]]:
    """Format and file of each report beside the first one."""
    return [(form, file) for form, _, file in (given.partition(":") for given in flags.get("report", ()))]


def _write_file(name: str, lines: Iterable[str]) -> None:
    """Write a report that its owner alone can read. What is no file, such as /dev/stdout, is written to as it is; a link to a file is not followed."""
    path = Path(name)
    is_special = path.exists() and not path.is_file()
    # In a repository of somebody else's, a link under this name could lead to any file of ours.
    flags = os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC | (0 if is_special else os.O_NOFOLLOW)
    try:
        descriptor = os.open(name, flags, 0o600)
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise CommandFailed(
                f"The report was not written: {name} is a link. Name the file itself.", FAILED
            ) from None
        raise
    with os.fdopen(descriptor, "w", encoding="utf-8", errors="backslashreplace", newline="") as file:
        if not is_special:
            os.fchmod(descriptor, 0o600)  # first: it may have been there, and open to others
            os.ftruncate(descriptor, 0)
        file.writelines(lines)
