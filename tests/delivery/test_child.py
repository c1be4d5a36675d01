from __future__ import annotations

import os
import signal
import subprocess

from strongroom.delivery.child import has_pending


def test_a_stop_that_was_asked_for_waits_until_the_program_goes_on() -> None:
    with subprocess.Popen(["sleep", "60"], process_group=0) as program:
        try:
            assert not has_pending(program.pid, signal.SIGTSTP)
            program.send_signal(signal.SIGSTOP)
            os.waitid(os.P_PID, program.pid, os.WSTOPPED)
            program.send_signal(signal.SIGTSTP)
            assert has_pending(program.pid, signal.SIGTSTP)
            assert not has_pending(program.pid, signal.SIGUSR1)
            program.send_signal(signal.SIGCONT)
            os.waitid(os.P_PID, program.pid, os.WCONTINUED)
            assert not has_pending(program.pid, signal.SIGTSTP)
        finally:
            program.kill()


def test_nothing_waits_for_a_process_that_is_gone() -> None:
    with subprocess.Popen(["true"]) as program:
        program.wait()
    assert not has_pending(program.pid, signal.SIGTSTP)
