"""``python -m strongroom`` and the commands ``strongroom`` and ``sr``.

A server holds keys, so it loads code from where it is installed and from nowhere else: before anything is imported that a folder
named by ``PYTHONPATH``, the working folder or a user's own packages could replace, Python is started again in its isolated mode.
"""

from __future__ import annotations

import os
import sys

_SERVERS = frozenset({"server", "dev"})
_QUICK = (["run"], ["kv", "get"], ["scan", "dir"])
"""Commands that mostly need no click: see ``cli.quick``."""


_INTERRUPTED = 130


def main() -> int:
    """Runs the command line and returns its exit code."""
    try:
        return _main()
    except KeyboardInterrupt:  # while something was still being loaded: from then on it is the command's
        return _INTERRUPTED


def _main() -> int:
    if sys.argv[1:2] and sys.argv[1] in _SERVERS:
        isolate()
    exit_code = None
    if sys.argv[1:2] in _QUICK or sys.argv[1:3] in _QUICK:
        from strongroom.cli.quick import attempt

        exit_code = attempt(sys.argv[1:])
    if exit_code is None:
        from strongroom.cli.main import main as run

        exit_code = run()
    if sys.argv[1:2] == ["scan"]:
        _leave(exit_code)
    return exit_code


def _leave(exit_code: int) -> None:
    """End at once. To take apart what a scan has built up, rule by rule, would take a tenth of a small one's time."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            continue  # whoever read it has gone
    os._exit(exit_code)


def isolate() -> None:
    """Start this program again in Python's isolated mode (-I), in the same process, unless it is in it.

    Where this program itself comes from ``PYTHONPATH`` or the working folder, as for somebody who works on it, nothing happens:
    isolated it would not be found. ``strongroom doctor`` says so.
    """
    if sys.flags.isolated or not sys.executable or _is_found_by_search():
        return
    warnings = [f"-W{option}" for option in sys.warnoptions]
    os.execv(sys.executable, [sys.executable, "-I", "-B", *warnings, "-m", "strongroom", *sys.argv[1:]])  # noqa: S606 -- no shell


def _is_found_by_search() -> bool:
    here = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))  # noqa: PTH100, PTH120 -- pathlib is slow to load
    searched = [*os.environ.get("PYTHONPATH", "").split(os.pathsep), os.getcwd()]  # noqa: PTH109 -- as above
    return here in {os.path.realpath(folder) for folder in searched if folder}


if __name__ == "__main__":
    sys.exit(main())
