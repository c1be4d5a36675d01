from __future__ import annotations

import bz2
import gzip
import io
import lzma
import random
import tarfile
import zipfile
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.scanner.hiding.files import ar, cpio, docx, mail, pdf, png, seven, sqlite, tarred, zipped, zstd

from strongroom.scanner.containers import Limits, expand, expand_file, expand_stream, is_container
from strongroom.scanner.fragment import Fragment
from strongroom.scanner.problem import Problem

TEXT = b"first\nsecond\nthird\n"
SMALL = Limits(free_bytes=1 << 20, total_bytes=8 << 20, whole_bytes=4 << 20, entries=100, depth=6)

# One of each format, to be damaged.
SAMPLES = {
    "zip": zipped({"a/b": TEXT * 100, "c": TEXT}),
    "tar": tarred({"a/b": TEXT * 100, "c": TEXT}),
    "gzip": gzip.compress(TEXT * 100),
    "bzip2": bz2.compress(TEXT * 100),
    "xz": lzma.compress(TEXT * 100),
    "zstd": zstd(TEXT * 100),
    "zlib": zlib.compress(TEXT * 100),
    "7z": seven({"a/b": TEXT * 100}),
    "ar": ar({"a": TEXT, "b": TEXT}),
    "cpio": cpio({"a": TEXT, "b": TEXT}),
    "docx": docx(b"x" * 40),
    "pdf": pdf(b"x" * 40),
    "sqlite": sqlite(b"x" * 40),
    "mail": mail(b"x" * 40),
    "png": png(b"x" * 40, compressed=True),
    "wide text": TEXT.decode().encode("utf-16"),
}


def refuse(problem: Problem) -> None:
    raise AssertionError(problem)


def opened(data: bytes, limits: Limits = SMALL) -> tuple[dict[str, bytes], list[Problem]]:
    """Content by path, and the problems."""
    problems: list[Problem] = []
    found: dict[str, bytes] = {}
    for fragment in expand(Fragment("f", data), limits, problems.append):
        found[fragment.path] = found.get(fragment.path, b"") + fragment.data
    return found, problems


@pytest.mark.parametrize("kind", SAMPLES)
def test_each_format_is_told_by_its_first_bytes(kind: str) -> None:
    assert is_container(SAMPLES[kind][:4096])


def test_ordinary_text_is_itself() -> None:
    fragment = Fragment("f.zip", TEXT)
    assert list(expand(fragment, SMALL, refuse)) == [fragment]


@pytest.mark.parametrize(
    "text", [b"x^2 + y^2 = z^2\n" * 9, b"BZh is a name\n", b"070701 is a number\n", b"From here on: it goes\n\n"]
)
def test_text_that_begins_like_a_format_is_text(text: bytes) -> None:
    found, _ = opened(text)
    assert found["f"].startswith(text)


@pytest.mark.parametrize("kind", ["zip", "tar", "gzip", "bzip2", "xz", "ar", "cpio"])
def test_of_a_container_that_is_cut_off_the_beginning_is_read_and_the_rest_reported(kind: str) -> None:
    pieces = [b"%032x\n" % random.Random(number).getrandbits(128) for number in range(3000)]
    content = b"".join(pieces)
    whole = {"zip": zipped, "tar": tarred, "ar": ar, "cpio": cpio}
    pack = {
        "gzip": gzip.compress,
        "bzip2": lambda data: bz2.compress(data * 20),
        "xz": lzma.compress,
        "zstd": lambda data: zstd(data * 20),
    }
    data: bytes = whole[kind]({"a": content}) if kind in whole else pack[kind](content)  # type: ignore[no-untyped-call]  # a lambda among functions
    found, problems = opened(data[: len(data) * 3 // 4], Limits())
    assert any(pieces[5] in text for text in found.values())
    assert problems


def test_of_a_gzip_with_a_wrong_checksum_everything_is_read() -> None:
    data = bytearray(gzip.compress(TEXT))
    data[-6] ^= 1
    found, problems = opened(bytes(data))
    assert (found["f"], len(problems)) == (TEXT, 1)


@given(st.sampled_from(sorted(SAMPLES)), st.data())
def test_damage_is_reported_and_never_raised(kind: str, data: st.DataObject) -> None:
    sample = bytearray(SAMPLES[kind])
    for _ in range(data.draw(st.integers(1, 6))):
        sample[data.draw(st.integers(0, len(sample) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(sample)))
    opened(bytes(sample[:cut]))


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress, zstd, zlib.compress])
def test_a_bomb_is_stopped_and_reported(pack: object) -> None:
    assert callable(pack)
    found, problems = opened(pack(b"\0" * (64 << 20)))
    assert sum(map(len, found.values())) <= SMALL.total_bytes + (1 << 21)
    assert [problem.what for problem in problems] == [
        "not scanned to its end: it unpacks to more than the limit for its size"
    ]


def test_a_bomb_of_containers_in_containers_is_stopped() -> None:
    bomb = gzip.compress(b"\0" * (4 << 20))
    for _ in range(3):
        bomb = zipped({f"{number}": bomb for number in range(12)})
    found, problems = opened(bomb)
    assert sum(map(len, found.values())) <= SMALL.total_bytes + (1 << 21)
    assert any("limit" in problem.what for problem in problems)


def test_containers_are_opened_only_so_deep() -> None:
    data = TEXT
    for _ in range(SMALL.depth + 2):
        data = zipped({"n": data})
    _, problems = opened(data)
    assert any("nested deeper" in problem.what for problem in problems)


def test_a_gzip_within_a_gzip_without_end_is_given_up() -> None:
    data = TEXT
    for _ in range(40):
        data = gzip.compress(data)
    _, problems = opened(data)
    assert any("nested deeper" in problem.what for problem in problems)


def test_more_entries_than_allowed_are_reported() -> None:
    _, problems = opened(tarred({f"{number}": b"x" for number in range(300)}))
    assert any("more than 100 entries" in problem.what for problem in problems)


@pytest.mark.parametrize("size", [-1, -512, 1 << 62])
def test_a_tar_with_an_impossible_size_ends(size: int) -> None:
    entry = tarfile.TarInfo("a")
    header = bytearray(entry.tobuf(tarfile.GNU_FORMAT))
    header[124:136] = (
        b"\xff" * 4 + size.to_bytes(8, "big", signed=True) if size < 0 else b"\x80" + size.to_bytes(11, "big")
    )
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    found, problems = opened(bytes(header) + TEXT * 100)
    assert found or problems


def test_names_are_labels_and_links_are_the_text_of_their_target() -> None:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, kind in (
            ("../../etc/owned", tarfile.REGTYPE),
            ("/etc/owned", tarfile.REGTYPE),
            ("a\x1b[31m\nb", tarfile.REGTYPE),
        ):
            entry = tarfile.TarInfo(name)
            entry.type, entry.size = kind, len(TEXT)
            archive.addfile(entry, io.BytesIO(TEXT))
        link = tarfile.TarInfo("link")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)
    found, _ = opened(buffer.getvalue())
    assert set(found) == {"f!/../../etc/owned", "f!/etc/owned", "f!/a\\x1b[31m\\x0ab", "f!/link"}
    assert found["f!/link"] == b"/etc/passwd"


def test_an_encrypted_entry_is_reported() -> None:
    buffer = io.BytesIO(zipped({"a": TEXT}))
    data = bytearray(buffer.getvalue())
    data[6] |= 1
    data[data.index(b"PK\x01\x02") + 8] |= 1
    _, problems = opened(bytes(data))
    assert any("encrypted" in problem.what for problem in problems)


def test_a_document_expands_no_entities() -> None:
    namespace = b'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
    laughs = b"".join(b'<!ENTITY l%d "%b">' % (level + 1, b"&l%d;" % level * 10) for level in range(9))
    xml = b'<!DOCTYPE x [<!ENTITY l0 "lol"><!ENTITY e SYSTEM "file:///etc/passwd">' + laughs + b"]>"
    xml += b"<w:p " + namespace + b"><w:t>a&l9;&e;b</w:t></w:p>"
    found, _ = opened(zipped({"word/document.xml": xml}))
    assert b"a&l9;&e;b" in found["f!/word/document.xml"]
    assert sum(map(len, found.values())) < 4000


def test_a_document_that_is_laid_out_in_lines_keeps_them() -> None:
    namespace = b'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
    xml = (
        b"<w:d "
        + namespace
        + b">\n"
        + b"<w:p>\n<w:r><w:t>x</w:t></w:r></w:p>\n" * 5
        + b"<w:p><w:t>ab</w:t><w:t>cd</w:t></w:p>\n</w:d>"
    )
    problems: list[Problem] = []
    texts = [fragment.data for fragment in expand(Fragment("f", xml), SMALL, problems.append)]
    assert [text.split(b"abcd")[0].count(b"\n") for text in texts if b"abcd" in text] == [11]


def test_a_large_file_is_read_in_windows_and_a_large_archive_without_being_held() -> None:
    content = b"".join(b"line %d\n" % number for number in range(900_000))
    windows = list(expand_file("f", io.BytesIO(content), len(content), Limits(), refuse))
    assert len(windows) > 1
    assert all(content.split(b"\n", window.line - 1)[-1][:20] for window in windows[1:3])
    packed = tarred({"a": content})
    inside = list(expand_file("f", io.BytesIO(packed), len(packed), Limits(), refuse))
    assert {fragment.path for fragment in inside} == {"f!/a"}


def test_a_stream_is_opened_as_it_comes() -> None:
    inside = list(expand_stream("<stdin>", io.BytesIO(gzip.compress(tarred({"a": TEXT}))), Limits(), refuse))
    assert [(fragment.path, fragment.data) for fragment in inside] == [("<stdin>!/a", TEXT)]


def test_a_zip_without_its_directory_is_read_by_its_entries() -> None:
    data = zipped({"a": TEXT, "b": TEXT * 2})
    found, problems = opened(data[: data.index(b"PK\x01\x02")])
    assert (found["f!/a"], found["f!/b"]) == (TEXT, TEXT * 2)
    assert len(problems) == 1


def test_a_window_of_a_large_file_is_no_container() -> None:
    window = Fragment("f", zipped({"a": TEXT}), 1, "", 1, 0, 10)
    assert list(expand(window, SMALL, refuse)) == [window]


def test_zip_entries_that_share_their_bytes_count_each_time() -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a", b"\0" * (1 << 20))
        [entry] = archive.infolist()
        archive.filelist.extend([entry] * 90)
    found, problems = opened(buffer.getvalue())
    assert sum(map(len, found.values())) <= SMALL.total_bytes + (1 << 21)
    assert problems
