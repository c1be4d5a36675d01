"""Files are read by systemd's own code: its library, and systemd-creds."""

from __future__ import annotations

import ctypes
import functools
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from tests.delivery.export.values import VALUES, exported

from strongroom.delivery.environment import CannotDeliver
from strongroom.delivery.export.systemd import credentials, environment_file

HOSTILE = "".join(chr(code) for code in range(1, 256)) + "\\\"'$`\u2028\ufeff\\"


@functools.cache
def library() -> ctypes.CDLL:
    """The code that reads ``EnvironmentFile=`` in the service manager itself."""
    found = sorted(Path("/usr/lib").glob("*/systemd/libsystemd-shared-*.so")) or sorted(
        Path("/usr/lib/systemd").glob("libsystemd-shared-*.so")
    )
    for path in found:
        loaded = ctypes.CDLL(str(path))
        if hasattr(loaded, "load_env_file"):
            return loaded
    pytest.skip("systemd's shared library is not installed, or reads environment files in another way")


def loaded(file: Path) -> dict[str, str]:
    array = ctypes.POINTER(ctypes.c_char_p)()
    assert library().load_env_file(None, ctypes.c_char_p(str(file).encode()), ctypes.byref(array)) >= 0
    found, at = {}, 0
    while ctypes.cast(array, ctypes.c_void_p).value and array[at] is not None:
        name, _, value = array[at].decode().partition("=")
        found[name] = value
        at += 1
    return found


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("systemd") / "file"


@given(VALUES)
@settings(max_examples=60)
@example({"A": HOSTILE, "B": "", "C": "a\\\nb", "D": "\\", "E": " x ", "F": "# c", "G": "\r\n"})
def test_the_service_state_reads_every_value_back(file: Path, values: dict[str, str]) -> None:
    wanted = {name: value for name, value in values.items() if holds(value)}
    file.write_bytes(environment_file(exported(wanted)))
    assert loaded(file) == wanted


def holds(value: str) -> bool:
    return not any(0xFDD0 <= ord(letter) <= 0xFDEF or ord(letter) & 0xFFFE == 0xFFFE for letter in value)


@pytest.mark.parametrize("letter", ["\ufdd0", "\ufdef", "\uffff", "\U0001fffe", "\U0010ffff"])
def test_what_systemd_would_drop_and_write_to_its_log_is_refused(letter: str) -> None:
    with pytest.raises(
        CannotDeliver, match="the value of A holds a code that Unicode leaves without a character"
    ) as caught:
        environment_file(exported({"A": f"CANARY{letter}"}))
    assert "CANARY" not in str(caught.value)


@pytest.fixture
def sealing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A key of root that is not this machine's."""
    if shutil.which("systemd-creds") is None:
        pytest.skip("systemd-creds is not installed")
    if os.geteuid():
        pytest.skip("systemd-creds seals with a key of root")
    (tmp_path / "lib").mkdir(mode=0o700)
    monkeypatch.setenv("SYSTEMD_CREDENTIAL_SECRET", str(tmp_path / "lib" / "credential.secret"))


@pytest.mark.usefixtures("sealing")
def test_only_this_machine_opens_the_credentials_and_nobody_reads_them_in_the_unit(tmp_path: Path) -> None:
    values = {"DB_PASSWORD": f"CANARY {HOSTILE}", "empty": "", "tls.key": "-----BEGIN\nx\n"}
    drop_in = credentials(exported(values)).decode()
    assert drop_in.startswith("[Service]\n")
    assert "CANARY" not in drop_in
    found = dict(re.findall(r"^SetCredentialEncrypted=([^:]+): ((?:.*\\\n)*.*)\n", drop_in, re.MULTILINE))
    assert found.keys() == values.keys()
    for name, text in found.items():
        sealed = "".join(text.replace("\\\n", "").split())
        done = subprocess.run(
            ["systemd-creds", "decrypt", f"--name={name}", "-", "-"],
            input=sealed.encode(),
            capture_output=True,
            check=True,
        )
        assert done.stdout.decode() == values[name]
    del tmp_path


@pytest.mark.usefixtures("sealing")
def test_a_unit_with_the_drop_in_is_one_that_systemd_loads(tmp_path: Path) -> None:
    program = shutil.which("systemd-analyze")
    if program is None:
        pytest.skip("systemd-analyze is not installed")
    unit = tmp_path / "units" / "it.service"
    unit.parent.mkdir()
    unit.write_bytes(b"[Unit]\nDescription=x\n" + credentials(exported({"A": "x" * 500})) + b"ExecStart=/bin/true\n")
    done = subprocess.run([program, "verify", str(unit)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_without_the_program_the_reason_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(CannotDeliver, match="systemd-creds is needed, and part of systemd 250 and later") as caught:
        credentials(exported({"A": "CANARY"}))
    assert "CANARY" not in str(caught.value)


def test_what_the_program_says_is_told_and_the_value_is_not(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    fake = tmp_path / "systemd-creds"
    fake.write_text("#!/bin/sh\necho 'no key here' >&2\nexit 1\n")
    fake.chmod(0o700)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(CannotDeliver, match="systemd-creds could not seal A: no key here") as caught:
        credentials(exported({"A": "CANARY"}))
    assert "CANARY" not in str(caught.value)


def test_a_credential_that_systemd_would_not_pass_on_is_refused() -> None:
    with pytest.raises(CannotDeliver, match="the value of A has 1,048,577 bytes"):
        credentials(exported({"A": "x" * ((1 << 20) + 1)}))
