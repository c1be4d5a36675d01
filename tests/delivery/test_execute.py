from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from strongroom.delivery.execute import CannotExecute, become, too_large

ENVIRON = {"PATH": "/usr/bin:/bin"}


@pytest.mark.parametrize(
    ("words", "exit_code"),
    [
        (["no-such-program"], 127),
        (["/no/such/program"], 127),
        (["/etc/passwd/x"], 127),
        (["/etc/passwd"], 126),
        (["/"], 126),
        (["true", "a\0b"], 125),
        (["true", "x" * (1 << 22)], 125),
    ],
    ids=["not on the path", "not there", "below a file", "not executable", "a folder", "zero byte", "too long"],
)
def test_a_program_that_cannot_start_is_an_error_as_a_shell_has_it(words: list[str], exit_code: int) -> None:
    with pytest.raises(CannotExecute) as caught:
        become(words, ENVIRON)
    assert caught.value.exit_code == exit_code


def test_a_file_that_is_no_program_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("just text\n")
    (tmp_path / "text").chmod(0o700)
    with pytest.raises(CannotExecute) as caught:
        become([str(tmp_path / "text")], ENVIRON)
    assert caught.value.exit_code == 126


def test_signals_are_as_before_when_the_program_did_not_start() -> None:
    before = signal.getsignal(signal.SIGPIPE)
    with pytest.raises(CannotExecute):
        become(["no-such-program"], ENVIRON)
    assert signal.getsignal(signal.SIGPIPE) == before


def test_too_much_for_the_system_is_told_by_name_and_size() -> None:
    large = too_large(["program"], {"SMALL": "1", "LARGE": "CANARY" * 30_000})
    assert "the variable LARGE has 180,007 bytes" in large
    assert "CANARY" not in large
    many = too_large(["program"], {f"V{number}": "x" * 100_000 for number in range(30)})
    assert "have 3,000,396 bytes together" in many


def test_what_does_not_fit_ends_with_our_own_code() -> None:
    with pytest.raises(CannotExecute, match="the variable LARGE has") as caught:
        become(["true"], {"PATH": os.environ["PATH"], "LARGE": "x" * 200_000})
    assert caught.value.exit_code == 125
