from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from tests.processes import wait_until

# Signals and process groups belong to a process as a whole, so each case runs in one of its own.
PRELUDE = """
import os, signal, sys, threading
from strongroom.delivery.child import start
from strongroom.delivery.redact import Known
from strongroom.delivery.streams import descriptors, filtered
from strongroom.delivery.supervise import Change, Supervisor
from strongroom.logical.ambient import SystemClock

for number in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM):
    # Whoever runs the tests in the background may have made us ignore some.
    signal.signal(number, signal.SIG_DFL)

def starter(*words, **environ):
    return lambda streams: start(words, {"PATH": os.environ["PATH"], **environ}, descriptors(streams))

def supervisor(*words, mode="on", secret="CANARY-value", **more):
    return Supervisor(starter(*words), filtered(mode, Known({"S": secret})), SystemClock(), **more)
"""


def code(case: str) -> list[str]:
    return [sys.executable, "-c", PRELUDE + textwrap.dedent(case)]


def ran(case: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(code(case), input=stdin, capture_output=True, text=True, check=False, timeout=60)


@pytest.mark.parametrize(
    ("script", "exit_code"),
    [("exit 7", 7), ("kill -KILL $$", 137), ("kill -TERM $$", 143), ("true", 0)],
)
def test_the_exit_code_is_the_programs_or_says_which_signal_killed_it(script: str, exit_code: int) -> None:
    assert ran(f"sys.exit(supervisor('sh', '-c', {script!r}).run())").returncode == exit_code


def test_input_passes_and_output_is_masked() -> None:
    done = ran("sys.exit(supervisor('sh', '-c', 'cat; echo CANARY-value >&2').run())", stdin="a CANARY-value b\n")
    assert (done.stdout, done.stderr) == ("a [redacted: S] b\n", "[redacted: S]\n")


def test_output_comes_through_whole_however_much_it_is() -> None:
    script = "i=0; while [ $i -lt 20000 ]; do echo line $i CANARY-value; i=$((i+1)); done"
    done = ran(f"sys.exit(supervisor('sh', '-c', {script!r}).run())")
    assert done.stdout == "".join(f"line {number} [redacted: S]\n" for number in range(20000))


def test_one_pipe_for_both_outputs_keeps_their_order() -> None:
    done = subprocess.run(
        code("sys.exit(supervisor('sh', '-c', 'for i in 1 2 3 4 5; do echo o$i; echo e$i >&2; done').run())"),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=True,
        timeout=60,
    )
    assert done.stdout.split() == [f"{letter}{number}" for number in range(1, 6) for letter in "oe"]


def test_a_prompt_shows_although_it_may_be_the_beginning_of_a_secret() -> None:
    process = subprocess.Popen(
        code("sys.exit(supervisor('sh', '-c', 'printf CANA; read x; echo RY-$x').run())"),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    assert os.read(process.stdout.fileno(), 100) == b"CANA"
    out, _ = process.communicate(b"value\n", timeout=60)
    assert out == b"[redacted: S]\n"


def test_a_reader_that_goes_away_ends_the_program_as_it_would_have() -> None:
    process = subprocess.Popen(code("sys.exit(supervisor('yes').run())"), stdout=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.read(10)
    process.stdout.close()
    assert process.wait(timeout=60) == 128 + signal.SIGPIPE


def test_a_process_that_was_left_behind_keeps_nobody_from_ending() -> None:
    done = ran("sys.exit(supervisor('sh', '-c', 'sleep 50 & echo $!; exit 3').run())")
    assert done.returncode == 3
    os.kill(int(done.stdout), signal.SIGKILL)


@pytest.mark.parametrize("name", ["TERM", "INT", "HUP", "QUIT", "USR1", "USR2", "WINCH"])
def test_signals_reach_the_whole_group_of_the_program(tmp_path: Path, name: str) -> None:
    # The one that notes it is a child of the program, so it is the group that was told.
    inner = f"trap 'echo {name} >{tmp_path}/got; exit 0' {name}; : >{tmp_path}/ready; while :; do sleep 0.05; done"
    script = f'trap : {name}; sh -c "{inner}"; exit 5'
    case = f"sys.exit(supervisor('sh', '-c', {script!r}).run())"
    process = subprocess.Popen(code(case))
    wait_until((tmp_path / "ready").exists, process=process)
    process.send_signal(getattr(signal, f"SIG{name}"))
    assert process.wait(timeout=60) == 5
    assert (tmp_path / "got").read_text() == f"{name}\n"


def test_what_was_ignored_when_we_started_stays_ignored() -> None:
    script = "kill -HUP $PPID; kill -HUP $$; echo alive"
    done = ran(f"signal.signal(signal.SIGHUP, signal.SIG_IGN)\nsys.exit(supervisor('sh', '-c', {script!r}).run())")
    assert (done.returncode, done.stdout) == (0, "alive\n")


def test_pipes_break_for_the_program_as_they_would_without_us() -> None:
    assert ran("sys.exit(supervisor('sh', '-c', 'kill -PIPE $$').run())").returncode == 128 + signal.SIGPIPE


@pytest.mark.parametrize(("word", "exit_code"), [("no-such-program", 127), ("/etc/passwd", 126), ("/", 126)])
def test_a_program_that_cannot_be_started_says_why(word: str, exit_code: int) -> None:
    case = f"""
    from strongroom.delivery.execute import CannotExecute
    try:
        supervisor({word!r}).run()
    except CannotExecute as error:
        sys.exit(error.exit_code)
    """
    assert ran(case).returncode == exit_code


RESTART = """
import time
beside = supervisor("sh", "-c", {first!r}, kill_after_seconds=0.3)
def change():
    while not os.path.exists({ready!r}):
        time.sleep(0.02)
    beside.change(Change(Known([("S", "CANARY-value"), ("S", "CANARY-other")]), starter("sh", "-c", {then!r})))
threading.Thread(target=change, daemon=True).start()
sys.exit(beside.run())
"""


def test_a_change_starts_the_program_again_and_masks_old_and_new(tmp_path: Path) -> None:
    ready = str(tmp_path / "ready")
    first = f"trap 'echo bye CANARY-value; exit 0' TERM; : >{ready}; while :; do sleep 0.05; done"
    done = ran(RESTART.format(first=first, ready=ready, then="echo again CANARY-value CANARY-other; exit 6"))
    assert done.stdout == "bye [redacted: S]\nagain [redacted: S] [redacted: S]\n"
    assert done.returncode == 6


def test_a_program_that_does_not_end_is_killed_with_its_children_before_the_next(tmp_path: Path) -> None:
    ready = str(tmp_path / "ready")
    first = f"trap '' TERM; (trap '' TERM; sleep 60) & echo $!; : >{ready}; while :; do sleep 0.05; done"
    done = ran(RESTART.format(first=first, ready=ready, then="exit 6"))
    assert done.returncode == 6
    assert not _runs(int(done.stdout))


def test_a_change_that_comes_when_all_is_over_is_written_nowhere() -> None:
    case = """
    beside = supervisor("true")
    beside.run()
    reader, writer = os.pipe()  # these get the numbers that were free
    os.set_blocking(reader, False)
    others = [os.dup(writer) for _ in range(8)]
    beside.change(Change(Known([]), starter("true")))
    try:
        sys.exit(len(os.read(reader, 16)))
    except BlockingIOError:
        sys.exit(7)
    """
    assert ran(case).returncode == 7


def test_a_change_can_be_a_signal(tmp_path: Path) -> None:
    ready = tmp_path / "ready"
    script = f"trap 'echo told; exit 0' HUP; : >{ready}; while :; do sleep 0.05; done"
    case = f"""
    import time
    beside = supervisor("sh", "-c", {script!r})
    def change():
        while not os.path.exists({str(ready)!r}):
            time.sleep(0.02)
        beside.change(Change(Known({{}}), None, signal.SIGHUP))
    threading.Thread(target=change, daemon=True).start()
    sys.exit(beside.run())
    """
    assert ran(case).stdout == "told\n"


def _namespaces() -> bool:
    if shutil.which("unshare") is None:
        return False
    words = ["unshare", "--pid", "--fork", "--mount-proc", "true"]
    return subprocess.run(words, capture_output=True, check=False).returncode == 0


@pytest.mark.skipif(not _namespaces(), reason="this machine lets nobody make a process namespace")
def test_as_the_first_process_it_reaps_the_children_of_others_and_hears_signals(tmp_path: Path) -> None:
    script = (
        f"(sleep 0.1 & echo); trap 'echo end; exit 4' TERM; "
        f"while [ $(ps -e | grep -c sleep) -gt 0 ] || ps -e | grep defunct; do :; done; "
        f": >{tmp_path}/ready; while :; do sleep 0.05; done"
    )
    words = ["unshare", "--pid", "--fork", "--mount-proc", *code(f"sys.exit(supervisor('sh', '-c', {script!r}).run())")]
    process = subprocess.Popen(words, stdout=subprocess.PIPE)
    wait_until((tmp_path / "ready").exists, process=process)
    first = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()[0]
    os.kill(int(first), signal.SIGTERM)
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 4
    assert out.endswith(b"end\n")


def _runs(process: int) -> bool:
    try:
        return "Z" not in Path(f"/proc/{process}/stat").read_text().split(")")[1].split()[0]
    except FileNotFoundError:
        return False
