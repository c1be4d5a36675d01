from __future__ import annotations

import os
import pty
import select
import shlex
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest
from tests.cli.conftest import CommandLine
from tests.processes import wait_until


@pytest.fixture
def secret(quick: CommandLine) -> str:
    """The path of a secret with a value that can be masked and one that is too short."""
    quick.value("kv", "put", "secret/beside", "PW=CANARY-value", "S=abc")
    return "secret/beside"


class Typist:
    """Types at a terminal, and reads what appears on it."""

    def __init__(self, words: list[str], environ: dict[str, str]) -> None:
        self.process, self._descriptor = pty.fork()
        if self.process == 0:
            for number in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTSTP):
                # Whoever runs the tests in the background may have made us ignore some.
                signal.signal(number, signal.SIG_DFL)
            os.execvpe(words[0], words, environ)
        self.seen = ""

    def sees(self, mark: str) -> None:
        """Waits until ``mark`` appears after what was seen before."""
        start, deadline = len(self.seen), time.monotonic() + 60
        while mark not in self.seen[start:]:
            assert time.monotonic() < deadline, self.seen
            if not self._read():
                raise AssertionError(self.seen)

    def types(self, keys: str) -> None:
        os.write(self._descriptor, keys.encode())

    def exit_code(self) -> int:
        while self._read():
            pass
        _, status = os.waitpid(self.process, 0)
        os.close(self._descriptor)
        return os.waitstatus_to_exitcode(status)

    def _read(self) -> bool:
        select.select([self._descriptor], [], [], 60)
        try:
            content = os.read(self._descriptor, 4096)
        except OSError:
            return False
        self.seen += content.decode(errors="replace")
        return bool(content)


def test_output_into_a_pipe_is_masked_and_the_rest_passes(ours: CommandLine, secret: str) -> None:
    script = 'cat; echo "$PW"; printf %s "$PW" | base64; echo "x$S" >&2; exit 3'
    done = ours("run", "-path", secret, "-redact=on", "--", "sh", "-c", script, stdin="in\n")
    assert (done.exit_code, done.out) == (3, "in\n[redacted: PW]\n[redacted: PW]\n")
    assert done.err == "too short to be masked in the output (fewer than 8 bytes): S\nxabc\n"
    show = "cat $CREDENTIALS_DIRECTORY/PW"
    assert "CANARY" in ours("run", "-path", secret, "-redact=off", "-creds-dir", "--", "sh", "-c", show).out


def test_a_terminal_is_never_touched(ours: CommandLine, secret: str) -> None:
    script = "test -t 0 && test -t 1 && test -t 2 && stty size && echo $PW && read x && echo got $x && exit 4"
    typist = Typist(
        [*ours.program, "run", "-path", secret, "-watch", "-redact=on", "--", "sh", "-c", script], ours.environ
    )
    typist.sees("CANARY-value")
    typist.types("typed\n")
    typist.sees("got typed")
    assert typist.exit_code() == 4
    assert "redacted" not in typist.seen


def test_the_interrupt_key_reaches_the_program(ours: CommandLine, secret: str) -> None:
    script = "trap 'echo stopped; exit 9' INT; echo ready; while :; do sleep 0.05; done"
    typist = Typist([*ours.program, "run", "-path", secret, "-watch", "--", "sh", "-c", script], ours.environ)
    typist.sees("ready")
    typist.types("\x03")
    typist.sees("stopped")
    assert typist.exit_code() == 9


@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash")
def test_a_shell_can_stop_it_and_go_on_with_it(ours: CommandLine, secret: str) -> None:
    typist = Typist(["bash", "--norc", "--noprofile", "-i"], {**ours.environ, "TERM": "dumb"})
    # Who sets the terminal has it, or waits for it: a key that is pressed in the moment of the hand-over may be anybody's.
    script = 'stty echo </dev/tty; echo re""ady; read x; echo g""ot $x'
    typist.types(shlex.join([*ours.program, "run", "-path", secret, "-watch", "--", "sh", "-c", script]) + "\n")
    typist.sees("ready")
    typist.types("\x1a")
    typist.sees("Stopped")
    typist.types("fg\n")
    typist.sees("sh -c")
    typist.types("words\n")
    typist.sees("got words")
    typist.types("exit\n")
    assert typist.exit_code() == 0


def test_credentials_are_files_that_are_gone_at_the_end(ours: CommandLine, quick: CommandLine) -> None:
    quick.value("kv", "put", "secret/files", "tls.key=CANARY-key", "PW=CANARY-value")
    script = 'echo "$CREDENTIALS_DIRECTORY"; ls -A "$CREDENTIALS_DIRECTORY"; env | grep -c CANARY; kill -KILL $$'
    done = ours("run", "-path=secret/files", "-creds-dir", "--", "sh", "-c", script)
    folder, *names, visible = done.out.split()
    assert (done.exit_code, names, visible) == (137, ["PW", "tls.key"], "0")
    assert not Path(folder).exists()


def test_a_pipe_gives_the_values_once(ours: CommandLine, secret: str, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    words = ("run", "-path", secret, "-mount", str(pipe), "-mount-format=json", "-redact=off", "--", "sh", "-c")
    done = ours(*words, f"cat {pipe}; cat {pipe} 2>/dev/null; env | grep -c CANARY")
    assert done.out == '{\n  "PW": "CANARY-value",\n  "S": "abc"\n}\n0\n'
    assert not pipe.exists()


def test_a_reader_that_hangs_does_not_keep_the_program_from_ending(
    ours: CommandLine, quick: CommandLine, tmp_path: Path
) -> None:
    quick.value("kv", "put", "secret/large", "-", stdin='{"BIG": "' + "x" * 300_000 + '"}')
    pipe = tmp_path / "pipe"
    script = f"(exec 3<{pipe}; : >{tmp_path}/open; sleep 60) >/dev/null & while [ ! -e {tmp_path}/open ]; do :; done; echo $!"
    done = ours("run", "-path=secret/large", "-mount", str(pipe), "--", "sh", "-c", script)
    assert done.exit_code == 0
    os.kill(int(done.out), signal.SIGKILL)
    assert not pipe.exists()


def test_a_newer_version_starts_the_program_again(ours: CommandLine, quick: CommandLine, tmp_path: Path) -> None:
    quick.value("kv", "put", "secret/watched", "PW=CANARY-one")
    log = tmp_path / "log"
    script = f'echo "$PW" >>{log}; case $PW in *two) exit 5;; esac; while :; do sleep 0.05; done'
    words = [*ours.program, "run", "-path=secret/watched", "-watch", "-watch-interval=1s", "--", "sh", "-c", script]
    process = subprocess.Popen(words, env=ours.environ, stderr=subprocess.PIPE)
    wait_until(log.exists, process=process)
    wait_until(lambda: ".sh" in ours("consumer", "list", "-secret=secret/watched").out, process=process)
    quick.value("kv", "patch", "secret/watched", "PW=CANARY-two")
    _, told = process.communicate(timeout=60)
    assert process.returncode == 5
    assert log.read_text() == "CANARY-one\nCANARY-two\n"
    assert told == b"secrets have changed: starting the program again\n"


def test_a_newer_version_reaches_the_files_and_then_the_signal_the_program(
    ours: CommandLine, quick: CommandLine, tmp_path: Path
) -> None:
    quick.value("kv", "put", "secret/signalled", "PW=CANARY-one")
    script = (
        f"trap 'cat $CREDENTIALS_DIRECTORY/PW >{tmp_path}/seen; exit 6' USR1; : >{tmp_path}/ready; "
        "while :; do sleep 0.05; done"
    )
    words = ["run", "-path=secret/signalled", "-watch=signal:USR1", "-watch-interval=1", "-creds-dir", "--", "sh", "-c"]
    process = subprocess.Popen([*ours.program, *words, script], env=ours.environ, stderr=subprocess.DEVNULL)
    wait_until((tmp_path / "ready").exists, process=process)
    quick.value("kv", "put", "secret/signalled", "PW=CANARY-two")
    assert process.wait(timeout=60) == 6
    assert (tmp_path / "seen").read_text() == "CANARY-two"


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["-watch=signal:NOPE"], "no signal called 'NOPE'"),
        (["-watch=sometimes"], "-watch takes restart, or signal:NAME"),
        (["-watch", "-watch-interval=0s"], "a second at least"),
        (["-redact=maybe"], "-redact takes auto, on or off"),
        (["-mount=/tmp", "-mount-format=xml"], "-mount-format is one of dotenv, "),
        (["-mount=/tmp", "-mount-max-reads=-1"], "0 is any number"),
        (["-mount=/dev/null"], "exists already"),
    ],
)
def test_what_cannot_be_done_is_told_before_anything_runs(
    quick: CommandLine, secret: str, words: list[str], complaint: str, tmp_path: Path
) -> None:
    done = quick("run", "-path", secret, *words, "--", "touch", str(tmp_path / "ran"))
    assert done.exit_code == 125
    assert complaint in done.err
    assert not (tmp_path / "ran").exists()
