"""Standard streams that are closed, and names in messages that would steer a terminal."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from strongroom.cli.errors import visible

PROGRAM = (sys.executable, "-m", "strongroom")


def shell(redirection: str, words: Sequence[str]) -> subprocess.CompletedProcess[str]:
    """Run the program behind a shell that closes some of its streams."""
    call = [*("sh", "-c", f'exec "$@" {redirection}', "sh"), *PROGRAM, *words]
    return subprocess.run(call, capture_output=True, text=True, check=False, timeout=60)


def test_a_result_that_nobody_can_read_is_an_error_and_no_traceback() -> None:
    done = shell(">&-", ["completion", "bash"])
    assert (done.returncode, done.stderr) == (1, "the output cannot be written: bad file descriptor\n")


@pytest.mark.parametrize(
    ("redirection", "reason"), [(">&-", "Bad file descriptor"), (">/dev/full", "No space left on device")]
)
def test_a_report_that_nobody_can_read_is_a_scan_that_failed(redirection: str, reason: str, tmp_path: Path) -> None:
    done = shell(redirection, ["scan", "dir", "-no-cache", "-rules=aws*", "-format=json", str(tmp_path)])
    assert (done.returncode, done.stderr) == (2, f"Cannot read or write a file: {reason}\n")


@pytest.mark.parametrize("redirection", ["2>&-", "<&- 2>&-", "<&- >&- 2>&-"])
def test_messages_do_not_go_into_the_result_where_their_stream_is_closed(redirection: str) -> None:
    done = shell(redirection, ["inject", "/nowhere/at/all"])
    assert (done.returncode, done.stdout, done.stderr) == (1, "", "")


def test_a_closed_input_is_an_empty_one() -> None:
    done = shell("<&-", ["operator", "verify", "-key=-", "-config=/nowhere"])
    assert "Traceback" not in done.stderr
    assert done.returncode in {1, 2}


@pytest.mark.parametrize("name", ["a\x1b[31mb", "\u202eabc", "a\u2066b", "a\x07b"])
def test_what_a_terminal_would_obey_is_written_out_in_a_message(name: str, tmp_path: Path) -> None:
    done = shell("", ["inject", f"{tmp_path}/{name}"])
    assert done.returncode == 1
    assert name not in done.stderr
    assert name.encode("unicode_escape").decode() in done.stderr


def test_plain_text_is_left_as_it_is_in_a_message() -> None:
    for text in ("Größe: 5\n\tzwei", "", "日本語"):
        assert visible(text) == text
    assert visible("a\udc80b") == "a\\udc80b"
