"""What the scanner is measured on: made of what this machine has, the same again each time, and kept in a folder of the cache."""

from __future__ import annotations

import os
import shutil
import subprocess
import sysconfig
import zipfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

TREE_BYTES = 106_000_000
HISTORY_BYTES = 1_050_000_000
VERSIONS = 50
_MIB = 1 << 20
_LARGEST = 2_000_000
_KINDS = frozenset(
    [
        "",
        "c",
        "cfg",
        "cpp",
        "css",
        "go",
        "h",
        "hpp",
        "html",
        "ini",
        "java",
        "js",
        "json",
        "md",
        "pl",
        "pm",
        "py",
        "rb",
        "rs",
        "rst",
        "sh",
        "toml",
        "ts",
        "txt",
        "xml",
        "yaml",
        "yml",
    ][1:]
)
_PLACES = ("/usr/include", "/usr/share/perl", "/usr/share/doc", "/usr/lib/python3")


def inputs_folder() -> Path:
    """Where inputs are kept: some 10 GB when all were made."""
    base = os.environ.get("XDG_CACHE_HOME") or Path("~/.cache").expanduser()
    return Path(base) / "strongroom-bench" / "scanner"


def made(path: Path, make: Callable[[Path], None]) -> Path:
    """`path`, which `make` fills if it is not there; what was begun and not finished is made anew."""
    if not path.exists():
        unfinished = path.with_name(f"{path.name}.unfinished")
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(parents=True)
        make(unfinished)
        unfinished.rename(path)
    return path


def sources() -> Iterator[Path]:
    """The sources and texts of this machine: Python's library, installed packages, headers, documentation. In order, endlessly often."""
    roots = [sysconfig.get_path("stdlib"), sysconfig.get_path("purelib"), *_PLACES]
    files = [
        path
        for root in roots
        for path in sorted(Path(root).rglob("*"))
        if path.suffix[1:] in _KINDS and not path.is_symlink() and path.is_file() and path.stat().st_size <= _LARGEST
    ]
    while files:
        yield from files


def make_tree(folder: Path) -> None:
    """A tree of sources."""
    total = 0
    for number, path in enumerate(sources()):
        below = folder / str(number // 500)
        below.mkdir(exist_ok=True)
        copy = below / f"{number}-{path.name}"
        shutil.copyfile(path, copy)
        total += copy.stat().st_size
        if total >= TREE_BYTES:
            return


def make_history(folder: Path) -> None:
    """A repository in which each of many files has versions that differ in every fortieth line."""
    chosen: list[bytes] = []
    for path in sources():
        size = path.stat().st_size
        if 4_000 <= size <= 100_000:
            chosen.append(path.read_bytes())
        if sum(map(len, chosen)) * VERSIONS >= HISTORY_BYTES:
            break
    _imported(folder, _commits(chosen))


def _commits(chosen: list[bytes]) -> Iterator[bytes]:
    for version in range(VERSIONS):
        message = b"version %d" % version
        yield b"commit refs/heads/main\ncommitter A <a@example.com> %d +0000\n" % (1_700_000_000 + version * 3600)
        yield b"data %d\n%s\n" % (len(message), message)
        for number, text in enumerate(chosen):
            lines = text.split(b"\n")
            for at in range((version + number) % 40, len(lines), 40):
                lines[at] += b" # %d" % version
            content = b"\n".join(lines)
            yield b"M 100644 inline %d/%d.txt\ndata %d\n%s\n" % (number % 50, number, len(content), content)
        yield b"\n"


def _imported(folder: Path, stream: Iterable[bytes], *settings: str) -> None:
    subprocess.run(["git", "init", "--quiet", "--initial-branch=main", str(folder)], check=True)
    command = ["git", "-C", str(folder), *settings, "fast-import", "--quiet"]
    with subprocess.Popen(command, stdin=subprocess.PIPE) as importer:
        assert importer.stdin is not None
        importer.stdin.writelines(stream)
        importer.stdin.close()
        if importer.wait():
            raise RuntimeError("git fast-import failed")


def _sixteen_mib() -> bytes:
    text = bytearray()
    for path in sources():
        text += path.read_bytes()
        if len(text) >= 16 * _MIB:
            break
    return bytes(text[: 16 * _MIB])


def endless_text(size: int) -> Iterator[bytes]:
    """`size` bytes of sources, in pieces of 16 MiB, without a disk."""
    text = _sixteen_mib()
    while size > 0:
        yield text[:size]
        size -= len(text)


def make_large(folder: Path) -> None:
    """10 GB that are scanned, none of them a hole: many files, a large one, a line without an end, a member of an archive."""
    text = _sixteen_mib()
    many = folder / "many"
    for number in range(2048):
        below = many / str(number // 100)
        below.mkdir(parents=True, exist_ok=True)
        start = number * 7919 % (len(text) - _MIB)
        (below / f"{number}.txt").write_bytes(text[start : start + _MIB])
    with (folder / "large.txt").open("wb") as file:
        for _ in range(256):
            file.write(text)
    with (folder / "line.js").open("wb") as file:
        line = text.replace(b"\n", b" ")
        for _ in range(128):
            file.write(line)
    with (
        zipfile.ZipFile(folder / "large.zip", "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive,
        archive.open("member.txt", "w", force_zip64=True) as member,
    ):
        for _ in range(128):
            member.write(text)


def make_large_history(folder: Path) -> None:
    """A repository with one blob of 1 GB."""
    text = _sixteen_mib()

    def stream() -> Iterator[bytes]:
        yield b"commit refs/heads/main\ncommitter A <a@example.com> 1700000000 +0000\ndata 5\nlarge\n"
        yield b"M 100644 inline large.txt\ndata %d\n" % (len(text) * 64)
        yield from (text for _ in range(64))
        yield b"\n\n"

    _imported(folder, stream(), "-c", "core.compression=1")
