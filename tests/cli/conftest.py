"""A running server, our command line as a process, and the command line of OpenBao to compare with."""

from __future__ import annotations

import contextlib
import io
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from tests.processes import free_port

from strongroom.cli.main import main

BAO = str(Path(sys.executable).with_name("bao"))
OURS = (sys.executable, "-m", "strongroom")
# The server under all these tests. OpenBao's own shows whether a difference is the command line's or the server's.
SERVERS = {
    "strongroom": ((*OURS, "server"), "export VAULT_ADDR", "listening on"),
    "openbao": ((BAO, "server"), "Development mode should NOT", "server started!"),
}
PROGRAM, DEV_IS_READY, SEALED_IS_READY = SERVERS[os.environ.get("CLI_TESTS_SERVER", "strongroom")]


@dataclass(frozen=True)
class Server:
    """Where a server listens, and a token that may do everything."""

    address: str
    token: str = field(repr=False)


@dataclass(frozen=True)
class Done:
    """How a command ended."""

    exit_code: int
    out: str
    err: str


@dataclass(frozen=True)
class CommandLine:
    """A command line with its environment; a call runs it to its end."""

    program: tuple[str, ...]
    environ: dict[str, str]

    def __call__(self, *words: str, stdin: str = "", **environ: str) -> Done:
        done = subprocess.run(
            [*self.program, *words],
            input=stdin,
            env={**self.environ, **environ},
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        return Done(done.returncode, done.stdout, done.stderr)

    def value(self, *words: str, stdin: str = "", **environ: str) -> str:
        """The output of a command that must succeed."""
        done = self(*words, stdin=stdin, **environ)
        assert done.exit_code == 0, done.err
        return done.out.rstrip("\n")


@dataclass(frozen=True)
class InThisProcess(CommandLine):
    """Our command line without the price of a process."""

    def __call__(self, *words: str, stdin: str = "", **environ: str) -> Done:
        out, err = io.TextIOWrapper(io.BytesIO()), io.TextIOWrapper(io.BytesIO())
        with pytest.MonkeyPatch.context() as patch:
            for name in list(os.environ):
                patch.delenv(name)
            for name, value in {**self.environ, **environ}.items():
                patch.setenv(name, value)
            patch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin.encode())))
            with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
                exit_code = main(words)
        return Done(exit_code, _written(out), _written(err))


def _written(stream: io.TextIOWrapper) -> str:
    stream.flush()
    assert isinstance(stream.buffer, io.BytesIO)
    return stream.buffer.getvalue().decode()


@contextmanager
def running(words: list[str], ready: str) -> Iterator[None]:
    """A server process that has said ``ready``."""
    process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert process.stdout is not None
    try:
        for line in process.stdout:
            if ready in line:
                break
        else:
            raise AssertionError("the server ended before it was ready")
        yield
    finally:
        # Asked to end, a development server takes its folder with it.
        process.terminate()
        process.communicate(timeout=60)


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """The server that the command line is tried against."""
    address = f"127.0.0.1:{free_port()}"
    words = [*PROGRAM, "-dev", "-dev-no-store-token", "-dev-root-token-id=root", f"-dev-listen-address={address}"]
    with running(words, ready=DEV_IS_READY):
        yield Server(f"http://{address}", "root")


@pytest.fixture
def sealed_server(tmp_path: Path) -> Iterator[Server]:
    """A server that was never initialized."""
    port = free_port()
    config = tmp_path / "server.hcl"
    config.write_text(
        f'storage "inmem" {{}}\napi_addr = "http://127.0.0.1:{port}"\nunsafe_allow_api_audit_creation = true\n'
        f'listener "tcp" {{\n  address = "127.0.0.1:{port}"\n  tls_disable = true\n'
        "  disable_unauthed_rekey_endpoints = false\n}\n"
    )
    with running([*PROGRAM, f"-config={config}"], ready=SEALED_IS_READY):
        yield Server(f"http://127.0.0.1:{port}", "")


def environment(server: Server, home: Path) -> dict[str, str]:
    environ = {"PATH": os.environ["PATH"], "HOME": str(home), "VAULT_ADDR": server.address, "PYTHONWARNINGS": "error"}
    return {**environ, "VAULT_TOKEN": server.token} if server.token else environ


@pytest.fixture
def quick(server: Server, tmp_path: Path) -> CommandLine:
    """Our command line in this process, logged in, with an empty home."""
    return InThisProcess(("strongroom",), environment(server, tmp_path))


@pytest.fixture
def ours(server: Server, tmp_path: Path) -> CommandLine:
    """Our command line, logged in, with an empty home."""
    return CommandLine(OURS, environment(server, tmp_path))


@pytest.fixture
def theirs(server: Server, tmp_path: Path) -> CommandLine:
    """OpenBao's command line, logged in, with the same empty home."""
    return CommandLine((BAO,), environment(server, tmp_path))
