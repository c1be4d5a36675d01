"""Makes the project's virtual environment and installs pinned, hash-checked sets of packages into it.

    python3 tools/install.py SET...      SET: cli, server, dev, lock

Runs on the system's Python with nothing but the standard library. What was installed is remembered by the hash of the files
that pinned it, so a second run costs milliseconds and a changed pin is never missed. Nothing is built from source.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ENVIRONMENT = ROOT / ".venv"
REQUIREMENTS = ROOT / "requirements"
OLDEST_PYTHON = (3, 11)

# Each set of packages: the files that pin it, and whether the project itself is installed on top.
SETS = {
    "cli": (("cli.txt", "build.txt"), True),
    "server": (("server.txt", "build.txt"), True),
    "scanner": (("cli.txt", "scanner.txt", "build.txt"), True),
    "dev": (("dev.txt",), True),
    "bench": (("bench.txt",), False),
    "train": (("train.txt",), False),
    "lock": (("lock.txt",), False),
}


def fingerprint(names: tuple[str, ...]) -> str:
    """The hash over everything that decides what an installed set contains."""
    digest = hashlib.sha256(sys.version.encode())
    for path in (*(REQUIREMENTS / name for name in names), ROOT / "pyproject.toml"):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def make_environment() -> None:
    """Create the virtual environment if it is not there. Exits with advice where Python cannot."""
    if (ENVIRONMENT / "bin" / "python").exists():
        return
    try:
        venv.create(ENVIRONMENT, with_pip=True)
    except (subprocess.CalledProcessError, ImportError):
        sys.exit("This Python cannot make virtual environments. On Debian and Ubuntu: apt-get install python3-venv")


def install(name: str) -> None:
    """Bring the environment to the pinned state of one set."""
    files, with_project = SETS[name]
    stamp = ENVIRONMENT / "stamps" / f"{name}-{fingerprint(files)}"
    if stamp.exists():
        return
    print(f"installing the pinned packages of {', '.join(files)} (once)", file=sys.stderr, flush=True)
    pinned = [argument for file in files for argument in ("-r", str(REQUIREMENTS / file))]
    run_pip("install", "--require-hashes", "--only-binary", ":all:", "--no-deps", *pinned)
    if with_project:
        run_pip("install", "--no-deps", "--no-build-isolation", "--no-index", "-e", str(ROOT))
    stamp.parent.mkdir(exist_ok=True)
    for older in stamp.parent.glob(f"{name}-*"):
        older.unlink()
    stamp.touch()


def run_pip(*arguments: str) -> None:
    """Run the environment's pip quietly; its errors are shown and end the run."""
    command = [str(ENVIRONMENT / "bin" / "python"), "-m", "pip", "--quiet", "--disable-pip-version-check", *arguments]
    environment = {**os.environ, "PIP_ROOT_USER_ACTION": "ignore"}
    done = subprocess.run(command, cwd=ROOT, env=environment, check=False)
    if done.returncode:
        sys.exit(f"pip failed while it installed: {' '.join(arguments[:1])}. Is the package registry reachable?")


def main() -> None:
    """Install every named set."""
    if sys.version_info < OLDEST_PYTHON:
        sys.exit(
            f"Strongroom needs Python 3.11 or later; this is {sys.version.split()[0]}. Try: make PYTHON=python3.12"
        )
    unknown = [name for name in sys.argv[1:] if name not in SETS]
    if unknown or not sys.argv[1:]:
        sys.exit(f"usage: python3 tools/install.py {'|'.join(SETS)}...")
    make_environment()
    for name in sys.argv[1:]:
        install(name)


if __name__ == "__main__":
    main()
