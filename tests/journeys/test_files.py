"""What a server leaves on the disk is closed to others, and belongs to one server at a time."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from tests.processes import free_port, running_server, start_server


@pytest.mark.parametrize("umask", ["000", "022"])
def test_files_are_closed_to_others_under_any_umask(folder: Path, umask: str) -> None:
    """SECURITY row 94."""
    argv = (
        "sh",
        "-c",
        f'umask {umask}; exec "$0" -m strongroom server -config="$1"',
        sys.executable,
        f"{folder}/server.hcl",
    )
    with running_server(folder, command=argv) as server:
        server.call("POST", "sys/mounts/kv", {"type": "kv"})
        server.call("POST", "kv/a", {"k": "v"})
        files = [path for path in (folder / "data").rglob("*") if path.is_file()]
        folders = [folder / "data", *(path for path in (folder / "data").rglob("*") if path.is_dir())]
        assert len(files) >= 2, "the database and its write-ahead log"
        assert {path.stat().st_mode & 0o777 for path in [*files, server.audit_file]} == {0o600}
        assert {path.stat().st_mode & 0o777 for path in folders} == {0o700}


def test_no_value_and_no_token_can_be_read_from_the_files(folder: Path) -> None:
    with running_server(folder) as server:
        server.call("POST", "sys/mounts/hunter2-mount", {"type": "kv"})
        server.call("POST", "hunter2-mount/a", {"password": "hunter2-value"})
        content = b"".join(path.read_bytes() for path in (folder / "data").rglob("*") if path.is_file())
        assert b"password" in content, (
            "names stand in clear, as the threat model says, so this looks at the right files"
        )
        assert b"hunter2-value" not in content
        assert server.token.encode() not in content
        assert server.token not in server.log
        assert "hunter2-value" not in server.log + server.audit_file.read_text(encoding="utf-8")


def test_a_second_server_on_the_same_folder_is_refused_and_the_first_goes_on(folder: Path) -> None:
    with running_server(folder) as server:
        first = (folder / "server.hcl").read_text(encoding="utf-8")
        second = folder / "second.hcl"
        second.write_text(first.replace(str(server.port), str(free_port())), encoding="utf-8")
        refused = subprocess.run(
            [sys.executable, "-m", "strongroom", "server", f"-config={second}"],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert refused.returncode == 1
        assert "Traceback" not in refused.stderr
        assert "another" in refused.stderr or "in use" in refused.stderr, refused.stderr
        assert server.call("GET", "sys/mounts").status == 200


def test_a_folder_that_is_open_to_others_is_refused(folder: Path) -> None:
    with running_server(folder) as server:
        assert server.stop() == 0
    (folder / "data").chmod(0o755)
    refused = subprocess.run(
        [sys.executable, "-m", "strongroom", "server", f"-config={folder}/server.hcl"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert refused.returncode == 1
    assert "Traceback" not in refused.stderr
    (folder / "data").chmod(0o700)
    server = start_server(folder)
    assert server.stop() == 0
