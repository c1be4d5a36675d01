"""The source files as the tidy rules see them: text, syntax tree and what each name was imported from."""

from __future__ import annotations

import ast
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
SOURCE = ROOT / "src" / "strongroom"


@dataclass(frozen=True)
class Finding:
    """One place where a rule is broken."""

    path: str
    line: int
    what: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.what}"


@dataclass
class Module:
    """One Python file. ``path`` is relative to the project, ``name`` is dotted and empty outside ``src``."""

    path: str
    text: str
    tree: ast.Module = field(init=False)
    origins: dict[str, str] = field(init=False)

    def __post_init__(self) -> None:
        self.tree = ast.parse(self.text, self.path)
        self.origins = dict(imported_names(self.tree))

    @property
    def name(self) -> str:
        """``strongroom.engines.kv_v1`` for ``src/strongroom/engines/kv_v1.py``."""
        if not self.path.startswith("src/"):
            return ""
        dotted = self.path.removeprefix("src/").removesuffix(".py").replace("/", ".")
        return dotted.removesuffix(".__init__")

    @property
    def lines(self) -> list[str]:
        """The lines of the file, without their ends."""
        return self.text.splitlines()

    def origin(self, node: ast.expr) -> str:
        """The full dotted name that an expression means: ``t.time`` after ``import time as t`` is ``time.time``."""
        if isinstance(node, ast.Name):
            return self.origins.get(node.id, node.id)
        if isinstance(node, ast.Attribute):
            return f"{self.origin(node.value)}.{node.attr}"
        return ""


def imported_names(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """Each local name that an import binds, anywhere in the file, with what it stands for."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield (
                    alias.asname or alias.name.split(".")[0],
                    alias.name if alias.asname else alias.name.split(".")[0],
                )
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                yield alias.asname or alias.name, f"{node.module}.{alias.name}"


def imported_modules(tree: ast.Module) -> Iterator[str]:
    """Every dotted name that the file may load as a module: of ``from a import b`` both ``a`` and ``a.b``."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def committed_files() -> list[Path]:
    """Every file under version control or about to be; without git, every file that is not a cache or an environment."""
    command = ["git", "-C", str(ROOT), "ls-files", "--cached", "--others", "--exclude-standard"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode == 0:
        paths = [ROOT / name for name in done.stdout.splitlines()]
    else:
        paths = [path for path in ROOT.rglob("*") if not re.search(r"/(\.\w+|__pycache__)/", path.as_posix())]
    return [path for path in paths if path.is_file()]


def load(folder: Path) -> tuple[Module, ...]:
    """The Python files below a folder of the project."""
    paths = sorted(folder.rglob("*.py"))
    return tuple(Module(path.relative_to(ROOT).as_posix(), path.read_text()) for path in paths)
