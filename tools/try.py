"""`make try`: the whole life of one secret in a few seconds, on a real server with a real store, in a folder that goes away.

Stores a secret, shows that the disk does not have it, delivers it to a process, shows the audit record, and stops the server.
"""

from __future__ import annotations

import json
import os
import secrets
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

PROGRAM = Path(sys.executable).parent / "strongroom"
LONGEST_START_SECONDS = 20
BOLD, DIM, PLAIN = (
    ("\033[1m", "\033[2m", "\033[0m") if sys.stdout.isatty() and not os.environ.get("NO_COLOR") else ("", "", "")
)

CONFIGURATION = """
storage "sqlite" {{
  path = "{folder}/data"
}}
listener "tcp" {{
  address     = "127.0.0.1:{port}"
  tls_disable = true
}}
audit "file" "demonstration" {{
  options {{
    file_path = "{folder}/audit.log"
  }}
}}
"""


class Demonstration:
    """A server in a folder, and the commands that are shown."""

    def __init__(self, folder: Path, port: int) -> None:
        self.folder = folder
        self.environment = {
            "PATH": f"{PROGRAM.parent}:{os.environ['PATH']}",
            "HOME": str(folder),
            "STRONGROOM_ADDR": f"http://127.0.0.1:{port}",
        }
        (folder / "server.hcl").write_text(CONFIGURATION.format(folder=folder, port=port))
        with (folder / "server.log").open("wb") as log:
            command = [str(PROGRAM), "server", f"-config={folder}/server.hcl"]
            self.server = subprocess.Popen(command, stdout=log, stderr=log, cwd=folder)

    def wait(self) -> None:
        """Until the server answers. Exits with its log if it does not."""
        deadline = time.monotonic() + LONGEST_START_SECONDS
        while self.run("status", check=False).returncode not in {0, 2}:
            if self.server.poll() is not None or time.monotonic() > deadline:
                sys.exit(f"the server did not start:\n{(self.folder / 'server.log').read_text()}")
            time.sleep(0.05)

    def run(self, *words: str, stdin: str = "", check: bool = True) -> subprocess.CompletedProcess[str]:
        """One command of the command line. Exits with its words where it should have worked."""
        done = subprocess.run(
            [PROGRAM, *words], input=stdin, env=self.environment, capture_output=True, text=True, check=False
        )
        if check and done.returncode:
            sys.exit(f"strongroom {' '.join(words)} failed:\n{done.stderr}")
        return done

    def show(self, title: str, *words: str, stdin: str = "") -> str:
        """A command with its heading, the way a person would type it, and what it says."""
        print(f"\n{BOLD}{title}{PLAIN}\n{DIM}$ strongroom {' '.join(map(quoted, words))}{PLAIN}")
        said = self.run(*words, stdin=stdin).stdout.strip()
        if said:
            print(said)
        return said

    def stop(self) -> None:
        """End the server."""
        self.server.terminate()
        try:
            self.server.wait(10)
        except subprocess.TimeoutExpired:
            self.server.kill()
            self.server.wait()


def quoted(word: str) -> str:
    """The word as it would stand on a command line."""
    return f"'{word}'" if " " in word else word


def free_port() -> int:
    """A port of the loopback address that nobody uses at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def audit_record(file: Path, path: str) -> dict[str, Any]:
    """The last record of an answer from the path."""
    for line in reversed(file.read_text().splitlines()):
        record: dict[str, Any] = json.loads(line)
        if (
            record["type"] == "response"
            and record["request"]["path"] == path
            and record["request"]["operation"] == "read"
        ):
            return record
    raise SystemExit("the audit file has no record of the read")


def demonstrate(it: Demonstration) -> None:
    """The way of one secret."""
    it.wait()
    made = json.loads(it.run("operator", "init", "-key-shares=1", "-key-threshold=1", "-format=json").stdout)
    it.run("operator", "unseal", made["unseal_keys_b64"][0])
    it.environment["STRONGROOM_TOKEN"] = made["root_token"]
    it.run("secrets", "enable", "-path=secret", "-version=2", "kv")
    print("A server runs: encrypted store on disk, audit on, unsealed with a fresh key.")

    value = secrets.token_urlsafe(18)
    it.show("1. Store a secret. The value comes from standard input, never from the command line.", "kv", "put", "secret/app", "DB_PASSWORD=-", stdin=value)  # fmt: skip
    stored = b"".join(path.read_bytes() for path in (it.folder / "data").rglob("*") if path.is_file())
    if value.encode() in stored:
        sys.exit("the value lies on the disk in clear")
    print(f"{DIM}(searched: the value is nowhere in the {len(stored):,} bytes of the store){PLAIN}")

    script = 'echo "this process has DB_PASSWORD, ${#DB_PASSWORD} characters long"'
    said = it.show("2. Deliver it into a process. No file, no argument.", "run", "-path", "secret/app", "--", "sh", "-c", script)  # fmt: skip
    if f"{len(value)} characters" not in said:
        sys.exit("the process did not get the secret")

    print(f"\n{BOLD}3. The audit record of that delivery: what left, by name; values only as keyed hashes.{PLAIN}")
    record = audit_record(it.folder / "audit.log", "secret/data/app")
    if value in (it.folder / "audit.log").read_text():
        sys.exit("the value lies in the audit file in clear")
    for place in ("time", "type", "auth.display_name", "request.operation", "request.path", "request.remote_address", "response.data.data", "response.returned_keys"):  # fmt: skip
        print(f"{DIM}  {place:24}{PLAIN}{json.dumps(member(record, place))}")


def member(record: Any, place: str) -> Any:
    """What stands at a dotted place of a record."""
    for name in place.split("."):
        record = record[name]
    return record


def main() -> None:
    """Show it, and say what to type next."""
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="strongroom-try-") as scratch:
        it = Demonstration(Path(scratch), free_port())
        try:
            demonstrate(it)
        finally:
            it.stop()
    print(f"\nThe server is stopped and its folder removed ({time.monotonic() - started:.1f} s).")
    print(f"{BOLD}Type next:{PLAIN}")
    print("  .venv/bin/strongroom server -dev        # a server to play with; in another terminal:")
    print("  export STRONGROOM_ADDR=http://127.0.0.1:8200")
    print("  .venv/bin/strongroom login              # with the root token that the server shows")


if __name__ == "__main__":
    main()
