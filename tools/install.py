"""Makes the project's virtual environment and installs pinned, hash-checked sets of packages into it.

    python3 tools/install.py [--this-python] SET...      SET: cli, server, scanner, dev, bench, train, lock

Runs on any Python with nothing but the standard library. What was installed is remembered by the hash of the files
that pinned it, so a second run costs milliseconds and a changed pin is never missed. Nothing is built from source.

The environment is made from the Python that runs this, with one exception: a Python that somebody built without profile-guided
optimisation (what pyenv does unless told otherwise) takes a third more time for everything than the distribution's own. Where both are
there and nobody named one (``make PYTHON=...``), the distribution's is taken.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import sysconfig
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ENVIRONMENT = ROOT / ".venv"
REQUIREMENTS = ROOT / "requirements"
OLDEST_PYTHON = (3, 11)
DISTRIBUTIONS_PYTHON = "/usr/bin/python3"

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
    digest = hashlib.sha256((ENVIRONMENT / "pyvenv.cfg").read_bytes())
    for path in (*(REQUIREMENTS / name for name in names), ROOT / "pyproject.toml"):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def chosen_python(*, is_named: bool) -> str:
    """The Python that the environment is made from; ``is_named`` says that somebody chose the one that runs this."""
    own = sys.executable
    if (
        is_named
        or own.startswith("/usr/bin/")
        or "--enable-optimizations" in str(sysconfig.get_config_var("CONFIG_ARGS"))
    ):
        return own
    question = f"import ensurepip, sys, venv; sys.exit(sys.version_info < {OLDEST_PYTHON})"
    try:
        is_fit = (
            subprocess.run([DISTRIBUTIONS_PYTHON, "-I", "-c", question], capture_output=True, check=False).returncode
            == 0
        )
    except OSError:
        return own
    return DISTRIBUTIONS_PYTHON if is_fit else own


def make_environment(python: str) -> None:
    """Create the virtual environment if it is not there. Exits with advice where Python cannot."""
    if (ENVIRONMENT / "bin" / "python").exists():
        return
    if subprocess.run([python, "-I", "-m", "venv", str(ENVIRONMENT)], check=False).returncode:
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
    arguments = sys.argv[1:]
    is_named = "--this-python" in arguments
    names = [argument for argument in arguments if argument != "--this-python"]
    if sys.version_info < OLDEST_PYTHON:
        sys.exit(
            f"Strongroom needs Python 3.11 or later; this is {sys.version.split()[0]}. Try: make PYTHON=python3.12"
        )
    unknown = [name for name in names if name not in SETS]
    if unknown or not names:
        sys.exit(f"usage: python3 tools/install.py [--this-python] {'|'.join(SETS)}...")
    make_environment(chosen_python(is_named=is_named))
    for name in names:
        install(name)


if __name__ == "__main__":
    main()
