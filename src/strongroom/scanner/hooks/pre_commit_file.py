"""`.pre-commit-config.yaml`: our hooks for those who have theirs managed by pre-commit or prek."""

from __future__ import annotations

import os
import re
import tempfile
from pathlib import Path

from strongroom.scanner.hooks import HookRefused

FILE_NAME = ".pre-commit-config.yaml"
ENTRY = """\
- repo: local
  hooks:
    - id: strongroom-scan
      name: secrets in what is committed
      entry: strongroom hook run pre-commit
      language: system
      pass_filenames: false
    - id: strongroom-scan-push
      name: secrets in what is pushed
      entry: strongroom hook run pre-push
      language: system
      pass_filenames: false
      always_run: true
      stages: [pre-push]
"""
_ITEM = re.compile(r"( *)- .*")
_LARGEST = 1 << 20


def add_hooks(folder: str) -> bool:
    """Put our hooks into the file in `folder`. False if they are there. Raises HookRefused where the file is too unusual for us to change."""
    path = Path(folder) / FILE_NAME
    if not os.path.lexists(path):
        _write(path, f"repos:\n{_indented('  ')}")
        return True
    if path.is_symlink() or not path.is_file() or path.stat().st_size > _LARGEST:
        raise HookRefused(f"{FILE_NAME} is no file that can be changed here")
    text = path.read_bytes().decode("utf-8", "surrogateescape")
    if "strongroom hook run" in text or "strongroom-scan" in text:
        return False
    indentation = _indentation(text)
    if indentation is None:
        raise HookRefused(f"{FILE_NAME} is not written as most are. Add this to its list of repos:\n\n{ENTRY}")
    _write(path, f"{text.rstrip()}\n{_indented(indentation)}")
    return True


def _indentation(text: str) -> str | None:
    """How far the entries of `repos` are moved in, if that is the last key of the file and its entries stand on lines of their own."""
    lines = text.split("\n")
    keys = [line for line in lines if line and line[0] not in " #-"]
    if "\r" in text or not keys or keys[-1].partition("#")[0].rstrip() != "repos:":
        return None
    below = lines[lines.index(keys[-1]) + 1 :]
    items = [item[1] for line in below if (item := _ITEM.fullmatch(line))]
    return items[0] if items else None


def _indented(by: str) -> str:
    return "".join(f"{by}{line}\n" for line in ENTRY.splitlines())


def _write(path: Path, text: str) -> None:
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", errors="surrogateescape") as file:
            file.write(text)
            os.fchmod(descriptor, path.stat().st_mode & 0o777 if path.exists() else 0o644)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
