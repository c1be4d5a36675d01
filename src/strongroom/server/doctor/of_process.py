"""Checks of the running server's processes: whose they are, and who could read their memory."""

from __future__ import annotations

from strongroom.server.doctor.check import Check, Scene, Verdict, fail, ok, skipped, unknown, warn, worst

_ROOT = 0
_LOCKED_LEAST = 0.9


def _not_root(scene: Scene) -> Verdict:
    if scene.processes:
        uids = {process.uid for process in scene.processes}
        return fail("the server runs as root") if _ROOT in uids else ok(f"it runs as user {min(uids)}")
    if scene.server_uid == _ROOT:
        return fail("the data folder belongs to root, so the server can only run as root")
    return ok(f"the data folder belongs to user {scene.server_uid}")


def _memory(scene: Scene) -> Verdict:
    if not scene.processes:
        return ok("lock_memory is set") if scene.config.lock_memory else scene.without_processes
    verdicts = []
    for process in scene.processes:
        if process.swapped_bytes:
            verdicts.append(fail(f"{process.swapped_bytes} bytes of process {process.pid} are in the swap now"))
        elif process.resident_bytes and process.locked_bytes >= _LOCKED_LEAST * process.resident_bytes:
            verdicts.append(ok("memory is locked"))
        elif process.can_swap:
            verdicts.append(fail("the system has swap that the server may use, and its memory is not locked"))
        else:
            verdicts.append(ok("there is no swap that the server may use"))
    return worst(verdicts, otherwise=scene.without_processes)


def _core_dumps(scene: Scene) -> Verdict:
    return worst(
        (
            ok("the limit is 0") if process.core_bytes == 0 else fail(f"process {process.pid} may leave a core file")
            for process in scene.processes
        ),
        otherwise=scene.without_processes,
    )


def _tracing(scene: Scene) -> Verdict:
    said = {
        True: fail("a process of the same user can read the memory of the server"),
        False: ok("only root can read the memory of the server"),
        None: skipped("the server runs as root; whether others of root can trace it makes no difference"),
    }
    return worst((said[process.is_traceable] for process in scene.processes), otherwise=scene.without_processes)


def _isolated(scene: Scene) -> Verdict:
    return worst(
        (
            ok("Python runs in isolated mode")
            if process.is_isolated
            else warn("Python also loads code from folders that its environment names")
            for process in scene.processes
        ),
        otherwise=scene.without_processes,
    )


def _clock(scene: Scene) -> Verdict:
    now_ns = scene.clock.now_ns()
    if not _BUILT_NS < now_ns < _NO_LATER_NS:
        return fail("the clock shows a year that cannot be")
    if scene.config.storage.path:
        newest = max(
            (file.stat().st_mtime_ns for file in scene.data_files()),
            default=0,
        )
        if newest > now_ns + _AHEAD_NS:
            return fail("the clock is behind the last change of the data: it was set back")
    if scene.is_synchronised is None:
        return unknown("the kernel does not say whether the clock is synchronised")
    return ok("it is synchronised") if scene.is_synchronised else warn("nothing keeps the clock right (no NTP)")


_BUILT_NS = 1_760_000_000 * 10**9
_NO_LATER_NS = 4_102_444_800 * 10**9
_AHEAD_NS = 5 * 10**9

CHECKS = (
    Check(
        "not-root",
        "The server does not run as root",
        "A flaw in the server is then a flaw in one user's rights, and not in the whole machine's.",
        "Make a user for it, chown the data and the audit log to that user, and set `User=` in its unit.",
        _not_root,
    ),
    Check(
        "memory",
        "The server's memory is not written to a swap",
        "What is in the swap stays on the disk: keys, tokens and values, readable by whoever gets the disk.",
        "Switch swap off, set `MemorySwapMax=0` in the unit, or set `lock_memory = true` with `LimitMEMLOCK=infinity`.",
        _memory,
    ),
    Check(
        "core-dumps",
        "The server leaves no core file",
        "A core file is the memory of the process with all its keys.",
        "The server sets the limit to 0 by itself; find out who raised it, and set `LimitCORE=0` in the unit.",
        _core_dumps,
    ),
    Check(
        "tracing",
        "No process of the same user can read the server's memory",
        "Without this, any program that the user runs is as good as the root key.",
        "The server switches it off by itself; find out what switched it on, and restart the server.",
        _tracing,
    ),
    Check(
        "isolated",
        "Python loads the server's code from where it was installed, and from nowhere else",
        "`PYTHONPATH`, the working folder or a user's own packages could put other code in its place.",
        "Install Strongroom into its own environment and start `strongroom server` from there; it isolates itself.",
        _isolated,
    ),
    Check(
        "clock",
        "The clock is right, and something keeps it right",
        "Leases, tokens and certificates end by the clock; a clock set back keeps alive what should be over.",
        "Run chrony or systemd-timesyncd.",
        _clock,
    ),
)
