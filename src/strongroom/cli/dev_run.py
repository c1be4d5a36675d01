"""``dev -- COMMAND``: a server for as long as one program runs, with the values of a ``.env`` file in it, in one terminal."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import IO

from strongroom.cli.errors import CommandFailed
from strongroom.cli.run import callers_environment
from strongroom.cli.run_sources import read_text
from strongroom.cli.run_supervised import Plan, supervise
from strongroom.cli.secret_reader import SecretReader
from strongroom.cli.session import Session
from strongroom.client import exact_json
from strongroom.client.client import Client
from strongroom.client.errors import ClientError, ConnectionFailed
from strongroom.client.settings import Settings
from strongroom.delivery.dotenv import BadLine, parse
from strongroom.delivery.environment import CannotDeliver, Inheritance, Selection, Source, Variable, collect
from strongroom.delivery.execute import CANNOT_RUN
from strongroom.logical.ambient import SystemEntropy
from strongroom.logical.secret import Secret

_PATH = "secret/app"
_START_SECONDS = 60.0


def dev_run(session: Session, words: Sequence[str], file: str) -> int:
    """Start a server, store what ``file`` holds, run the program with it, and stop the server. The program's exit code."""
    try:
        values = {entry.name: entry.value.reveal() for entry in parse(read_text(file))}
    except BadLine as error:
        raise CommandFailed(f"{file}: {error}", CANNOT_RUN) from None
    with _server(session.environ) as settings, Client(settings) as client:
        client.write("secret/data/app", {"data": values})
        found = SecretReader(client).read(_PATH)
        try:
            variables = collect([Source(found.api_path, found.values)], Selection(), exact_json.encode)
            session.note(f"{len(variables)} values of {file} are at {_PATH} of a server that ends with this program")
            return _run(session, words, variables)
        except CannotDeliver as error:
            raise CommandFailed(str(error), CANNOT_RUN) from None


def _run(session: Session, words: Sequence[str], variables: list[Variable]) -> int:
    from strongroom.cli.run_sources import Gathered

    def never(_: Client) -> tuple[Gathered, list[Variable]]:
        raise CommandFailed("nothing is watched")

    first = (Gathered([], {}, unversioned=False), variables)
    return supervise(session, words, Plan(redact="off"), never, first, (callers_environment(), Inheritance()))


@contextmanager
def _server(environ: Mapping[str, str]) -> Iterator[Settings]:
    """A development server of its own, and how to reach it."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{probe.getsockname()[1]}"
    token = Secret(SystemEntropy().bytes(16).hex())
    log = tempfile.TemporaryFile()  # noqa: SIM115 -- closed when the server has ended
    process = subprocess.Popen(
        [sys.executable, "-m", "strongroom", "server", "-dev", "-dev-no-store-token", f"-dev-listen-address={address}"],
        env={**environ, "STRONGROOM_DEV_ROOT_TOKEN_ID": token.reveal()},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=log,
        process_group=0,  # the keys of the terminal are for the program
    )
    for number in (signal.SIGTERM, signal.SIGHUP):
        # Ended on the way, we still take the server with us.
        signal.signal(number, _end)
    settings = Settings(address=f"http://{address}", token=token, max_retries=0, timeout_seconds=10)
    try:
        _wait(process, settings, log)
        yield settings
    finally:
        process.terminate()
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        log.close()


def _wait(process: subprocess.Popen[bytes], settings: Settings, log: IO[bytes]) -> None:
    deadline = time.monotonic() + _START_SECONDS
    with Client(settings) as client:
        while True:
            try:
                client.ask("sys/health")
            except ConnectionFailed:
                pass
            except ClientError as error:
                raise CommandFailed(f"the server did not start: {error}", CANNOT_RUN) from None
            else:
                return
            if process.poll() is not None or time.monotonic() > deadline:
                said = os.pread(log.fileno(), 2000, 0).decode(errors="replace")
                raise CommandFailed(f"the server did not start: {said.strip() or 'it says nothing'}", CANNOT_RUN)
            time.sleep(0.05)


def _end(number: int, frame: FrameType | None) -> None:
    del frame
    raise SystemExit(128 + number)
