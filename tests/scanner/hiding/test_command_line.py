"""Every hiding place through the command line as it comes: all rules, the default level, all decoders and containers."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest
from tests.scanner.command_line import CommandLine, Scanned
from tests.scanner.decoding.ways import TOKEN, WAYS
from tests.scanner.hiding.fifth_files import FIFTH_HIDINGS
from tests.scanner.hiding.files import HIDINGS
from tests.scanner.hiding.fourth_files import FOURTH_HIDINGS
from tests.scanner.hiding.more_files import MORE_HIDINGS
from tests.scanner.hiding.repositories import Builder, hide_everywhere, number_of
from tests.scanner.hiding.secret_token import made_up_token
from tests.scanner.hiding.test_git import BESIDE, IN_HISTORY, IN_OTHERS, PATHLESS
from tests.scanner.hiding.third_files import THIRD_HIDINGS

FILES = {**HIDINGS, **MORE_HIDINGS, **THIRD_HIDINGS, **FOURTH_HIDINGS, **FIFTH_HIDINGS}
NUMBERS = {name: number for number, name in enumerate(FILES, 300)}
IMAGES = ["docker save", "image environment", "OCI layer"]


def token_of(name: str) -> bytes:
    return made_up_token(NUMBERS[name])


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for each hiding place."""
    root = tmp_path_factory.mktemp("hidden")
    for name, hiding in FILES.items():
        called = f"{token_of(name).decode()}.txt" if name == "name of a file" else hiding.name or "f"
        file = root / str(NUMBERS[name]) / called
        file.parent.mkdir(parents=True)
        file.write_bytes(hiding.write(token_of(name)))
    for number, write in enumerate(WAYS.values()):
        (root / f"way{number}").mkdir()
        (root / f"way{number}" / "f").write_bytes(b"first line\n" + write() + b"\nlast line\n")
    return root


@pytest.fixture(scope="module")
def found(files: Path, scan: CommandLine) -> Scanned:
    """One scan over all of it."""
    return scan.revealed("dir", str(files))


@pytest.mark.parametrize("name", FILES, ids=str)
def test_a_token_in_a_file_is_found(name: str, files: Path, found: Scanned) -> None:
    hiding, folder = FILES[name], f"{files}/{NUMBERS[name]}/"
    path = hiding.path.replace("f", hiding.name, 1) if hiding.name and hiding.path == "f" else hiding.path
    places = {(file.removeprefix(folder), line) for file, line in found.places(token_of(name).decode())}
    if path:
        assert (path, hiding.line) in places
    else:
        assert hiding.line in {line for _, line in places} or (places and not hiding.line)


@pytest.mark.parametrize("way", WAYS, ids=str)
def test_a_token_that_is_written_another_way_is_found(way: str, files: Path, found: Scanned) -> None:
    file = f"{files}/way{list(WAYS).index(way)}/f"
    assert file in {path for path, _ in found.places(TOKEN.decode())}


def test_a_scan_of_an_archive_or_of_standard_input_finds_what_a_scan_of_the_folder_does(
    files: Path, found: Scanned, scan: CommandLine, tmp_path: Path
) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for path in sorted(files.rglob("*")):
            archive.write(path, path.relative_to(files))
    (tmp_path / "all.zip").write_bytes(buffer.getvalue())
    tokens = {token_of(name).decode() for name in FILES} & {row["value"] for row in found.rows}
    in_archive = scan.revealed("archive", str(tmp_path / "all.zip"))
    in_stream = scan.revealed("stdin", stdin=buffer.getvalue())
    assert tokens - {row["value"] for row in in_archive.rows} == set()
    assert tokens - {row["value"] for row in in_stream.rows} == set()


@pytest.mark.parametrize("name", IMAGES)
def test_a_scan_of_an_image_finds_what_is_in_it(name: str, scan: CommandLine, tmp_path: Path) -> None:
    (tmp_path / "image.tar").write_bytes(FILES[name].write(token_of(name)))
    assert token_of(name).decode() in {row["value"] for row in scan.revealed("image", str(tmp_path / "image.tar")).rows}


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Builder:
    return hide_everywhere(tmp_path_factory.mktemp("git"))


@pytest.fixture(scope="module")
def in_repository(repository: Builder, scan: CommandLine) -> Scanned:
    return scan.revealed("git", str(repository.root))


@pytest.mark.parametrize("hiding", IN_HISTORY + BESIDE + IN_OTHERS)
def test_a_token_in_a_repository_is_found(hiding: str, repository: Builder, in_repository: Scanned) -> None:
    places = in_repository.places(number_of(hiding).decode())
    path, line = repository.placed[hiding]
    if hiding in PATHLESS:
        assert [at for shown, at in places if shown.startswith("<blob ")] == [line]
    else:
        assert (path, line) in places


def test_what_was_committed_carries_its_first_commit_its_author_and_whether_head_has_it(
    repository: Builder, in_repository: Scanned
) -> None:
    [row] = [row for row in in_repository.rows if row["value"] == number_of("removed later").decode()]
    log = repository.git("log", "--all", "--diff-filter=A", "--format=%H %aI", "--", "removed.py")
    assert f"{row['commit']} {row['author_date']}" == log
    assert row["author"] == "A U Thor <author@example.com>"
    assert row["in_head"] is False
