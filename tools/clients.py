"""Installs the clients of other people that journeys are made with: node-vault, and Ansible with its collection for Vault.

    .venv/bin/python tools/clients.py

Each has a place of its own below ``.venv/clients``, pinned and checked by hash, so that the normal installation stays small. What cannot
be installed is said and left out: the test that needs it then skips. Ansible's collections come in one large package from the Python
registry; the one that is needed is taken out of it, and the rest is thrown away.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
import venv
import zipfile
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
KEPT = ROOT / ".venv" / "clients"
NODE = ROOT / "tests" / "journeys" / "clients" / "node"
NODE_MODULES = KEPT / "node" / "node_modules"
PINNED = ROOT / "requirements" / "ansible.txt"
ANSIBLE = KEPT / "ansible"
ANSIBLE_PLAYBOOK = ANSIBLE / "bin" / "ansible-playbook"
COLLECTIONS = KEPT / "collections"
COLLECTION = "ansible_collections/community/hashi_vault/"
# Written last, so that what was left half done is no installation.
NODE_LOCK = NODE / "package-lock.json"
NODE_STAMP = KEPT / "node.json"
ANSIBLE_STAMP = KEPT / "ansible.txt"
LONGEST_SECONDS = 600


def is_there(stamp: Path, pinned: Path) -> bool:
    """Whether what ``pinned`` names was installed to the end."""
    return stamp.exists() and stamp.read_bytes() == pinned.read_bytes()


def install_node() -> None:
    """What the journey in node needs, as its lock file says. No script of a package runs."""
    folder = NODE_MODULES.parent
    if is_there(NODE_STAMP, NODE_LOCK):
        return
    npm = shutil.which("npm")
    if npm is None:
        raise OSError("npm is not there; on Debian and Ubuntu: apt-get install nodejs npm")
    NODE_STAMP.unlink(missing_ok=True)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copy(NODE / name, folder)
    quiet = ("--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier", "--loglevel=error")
    run(npm, "ci", "--omit=dev", *quiet, at=folder)
    NODE_STAMP.write_bytes(NODE_LOCK.read_bytes())


def install_ansible() -> None:
    """Ansible in an environment of its own, and the one collection beside it."""
    if is_there(ANSIBLE_STAMP, PINNED):
        return
    ANSIBLE_STAMP.unlink(missing_ok=True)
    for folder in (ANSIBLE, COLLECTIONS):
        shutil.rmtree(folder, ignore_errors=True)
    KEPT.mkdir(parents=True, exist_ok=True)
    venv.create(ANSIBLE, with_pip=True)
    checked = ("--require-hashes", "--no-deps", "--only-binary", ":all:")
    pip = (ANSIBLE / "bin" / "python", "-m", "pip", "--quiet", "--disable-pip-version-check")
    collections, others = split(PINNED.read_text())
    with tempfile.TemporaryDirectory(dir=KEPT) as scratch:
        for name, lines in (("others.txt", others), ("collections.txt", collections)):
            (Path(scratch) / name).write_text(lines)
        run(*pip, "install", *checked, "-r", f"{scratch}/others.txt", at=KEPT)
        run(*pip, "download", *checked, "-d", scratch, "-r", f"{scratch}/collections.txt", at=KEPT)
        (wheel,) = Path(scratch).glob("ansible-*.whl")
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(COLLECTIONS, [name for name in archive.namelist() if name.startswith(COLLECTION)])
    ANSIBLE_STAMP.write_bytes(PINNED.read_bytes())


def split(pinned: str) -> tuple[str, str]:
    """The lines of the package of collections, and all others."""
    found = re.search(r"^ansible==[^\\\n]*(?:\\\n[^\\\n]*)*\n?", pinned, re.MULTILINE)
    if found is None:
        raise OSError(f"{PINNED.name} does not pin ansible")
    return found.group(), pinned.replace(found.group(), "")


def run(*command: object, at: Path) -> None:
    """Run a command to its end. Raises OSError with the last of what it said where it fails."""
    words = [str(word) for word in command]
    done = subprocess.run(words, cwd=at, capture_output=True, text=True, timeout=LONGEST_SECONDS, check=False)
    if done.returncode:
        raise OSError(done.stderr.strip()[-500:] or f"exit code {done.returncode}")


def main() -> None:
    """Install what can be installed, and say what cannot."""
    sets: tuple[tuple[str, Callable[[], None]], ...] = (("node-vault", install_node), ("Ansible", install_ansible))
    for name, install in sets:
        try:
            install()
        except (OSError, subprocess.SubprocessError, zipfile.BadZipFile) as error:
            print(f"could not install {name}, so its journey is skipped: {error}", file=sys.stderr)


if __name__ == "__main__":
    main()
