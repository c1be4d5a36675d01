"""Runs a program under what a unit of systemd asks for, as far as the kernel does it by a call: no new rights, no capabilities,
no system call but those listed.

    python confined.py FILE-OF-CALLS yes|no PROGRAM ARGUMENTS...

The second word says whether memory may not be both written and run, as MemoryDenyWriteExecute= does.
"""

from __future__ import annotations

import ctypes
import errno
import os
import sys
from pathlib import Path

_PR_CAPBSET_DROP, _PR_SET_NO_NEW_PRIVS, _PR_SET_MDWE = 24, 38, 65
_PR_MDWE_REFUSE_EXEC_GAIN = 1
_ALLOW, _ERRNO = 0x7FFF0000, 0x00050000


def main() -> None:
    """Become the program."""
    calls, denies_write_execute, *words = sys.argv[1:]
    libc = ctypes.CDLL(None, use_errno=True)
    for capability in range(int(Path("/proc/sys/kernel/cap_last_cap").read_text()) + 1):
        libc.prctl(_PR_CAPBSET_DROP, capability, 0, 0, 0)
    for option in (_PR_SET_NO_NEW_PRIVS, *([_PR_SET_MDWE] if denies_write_execute == "yes" else [])):
        if libc.prctl(option, _PR_MDWE_REFUSE_EXEC_GAIN, 0, 0, 0):
            sys.exit(f"prctl {option}: {os.strerror(ctypes.get_errno())}")
    seccomp = ctypes.CDLL("libseccomp.so.2")
    seccomp.seccomp_init.restype = ctypes.c_void_p
    filtering = ctypes.c_void_p(seccomp.seccomp_init(ctypes.c_uint32(_ERRNO | errno.EPERM)))
    for name in Path(calls).read_text().split():
        number = seccomp.seccomp_syscall_resolve_name(name.encode())
        if number >= 0 and seccomp.seccomp_rule_add(filtering, ctypes.c_uint32(_ALLOW), number, 0):
            sys.exit(f"no rule for {name}")
    if seccomp.seccomp_load(filtering):
        sys.exit("the filter cannot be loaded")
    os.execv(words[0], words)


if __name__ == "__main__":
    main()
