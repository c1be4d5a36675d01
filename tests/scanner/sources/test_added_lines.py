"""New lines with so much around them as it takes to see what they say, and nothing reported of what was there before."""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st
from tests.scanner.command_line import CommandLine
from tests.scanner.hiding.repositories import number_of, start
from tests.scanner.hiding.searching import Given, search

from strongroom.scanner.examine import Hit
from strongroom.scanner.fragment import Fragment
from strongroom.scanner.fresh_lines import FreshLines
from strongroom.scanner.problem import Problem
from strongroom.scanner.sources.added_lines import added
from strongroom.scanner.sources.staged import Staged


def fragments(data: bytes, *before: bytes) -> list[Fragment]:
    return list(added("f", data, before, "0" * 40))


def fresh(data: bytes, *before: bytes) -> list[int]:
    """The numbers of the lines that count."""
    spans = [span for one in fragments(data, *before) for span in one.fresh or ()]
    return [line for first, last in spans for line in range(first, last + 1)]


def test_the_lines_that_no_version_before_has_count() -> None:
    assert fresh(b"a\nnew\nb\n", b"a\nb\n") == [2]
    assert fresh(b"a\r\nnew\r\nb\r\n", b"a\nb\n") == [2]
    assert fresh(b"b\na\n", b"a\nb\n") == []
    assert fresh(b"x\na\ny\n", b"x\n", b"y\n") == [2]


def test_what_is_far_from_a_new_line_is_not_read_again() -> None:
    far = b"".join(b"line %06d\n" % at for at in range(5000))
    [first, last] = fragments(b"one\n" + far + b"two\n", far)
    assert (first.line, first.fresh) == (1, ((1, 1),))
    assert last.fresh == ((5002, 5002),)
    assert len(first.data) + len(last.data) < 10_000


def test_a_long_line_beside_a_new_one_is_not_read_again() -> None:
    [only] = fragments(b"x" * 100_000 + b"\nnew\n" + b"y" * 100_000, b"x" * 100_000 + b"\n" + b"y" * 100_000)
    assert only.data == b"new"


LINES = st.lists(st.sampled_from([b"a", b"b", b"", b"c" * 3000, b"d" * 5000, b"e\r"]), max_size=12)


@given(LINES, LINES)
def test_every_new_line_is_in_one_fragment_where_it_stands(old: list[bytes], new: list[bytes]) -> None:
    data, before = b"\n".join(new), b"\n".join(old)
    known = {line.rstrip(b"\r") for line in before.split(b"\n")}
    lines = data.split(b"\n")
    assert fresh(data, before) == [at for at, line in enumerate(lines, 1) if line.rstrip(b"\r") not in known]
    end = 0
    for one in fragments(data, before):
        count = one.data.count(b"\n") + 1
        assert one.line > end
        assert one.data.split(b"\n") == lines[one.line - 1 : one.line - 1 + count]
        assert all(one.line <= first <= last < one.line + count for first, last in one.fresh or ())
        end = one.line + count - 1


def test_a_value_that_is_changed_below_its_name_is_found(scan: CommandLine, tmp_path: Path) -> None:
    builder = start(tmp_path / "r")
    text = "env:\n  - name: DB_PASSWORD\n    value: {}\n  - name: OTHER\n    value: x\n"
    builder.write("pod.yaml", text.format("changeme"))
    builder.commit("old")
    builder.write("pod.yaml", text.format("tr4-Wq9.kk2zPd"))
    builder.git("add", "--all")
    done = scan.revealed("staged", str(builder.root))
    assert done.places("tr4-Wq9.kk2zPd") == {("pod.yaml", 3)}


def test_a_key_is_found_whose_first_and_last_line_were_there(scan: CommandLine, tmp_path: Path) -> None:
    builder = start(tmp_path / "r")
    builder.write("key.pem", pem("old"))
    base = builder.commit("old")
    builder.write("key.pem", pem("new"))
    builder.commit("new")
    done = scan("git", "-format=jsonl", f"-since={base}", str(builder.root))
    assert [(row["file"], row["line"]) for row in done.rows] == [("key.pem", 1)]


def test_what_stands_around_new_lines_is_not_reported(tmp_path: Path) -> None:
    builder = start(tmp_path / "r")
    old, new = number_of("old").decode(), number_of("new").decode()
    builder.write("a.py", f"{old}\n\nlast\n")
    builder.commit("old")
    builder.write("a.py", f"{old}\n{new}\nlast\n")
    builder.git("add", "--all")
    problems: list[Problem] = []
    found = search(Staged(str(builder.root), problems.append), problems)
    assert [(hit.value.decode(), hit.line) for hit in found.hits] == [(new, 2)]


def test_of_a_hit_that_comes_late_the_lines_of_its_own_file_decide() -> None:
    lines = FreshLines()
    lines.add(Fragment("a", b"", fresh=((3, 4), (9, 9))))
    lines.add(Fragment("b", b"", fresh=((1, 1),)))

    def counts(path: str, line: int, end_line: int) -> bool:
        hit = Hit(0, b"", path, line, end_line, 1, 2, "", (), 1.0, (), b"")
        return list(lines.among([hit])) == [hit]

    assert [at for at in range(1, 12) if counts("a", at, at)] == [3, 4, 9]
    assert counts("a", 1, 3)
    assert not counts("a", 5, 8)
    assert counts("a", 5, 20)
    assert not counts("b", 3, 3)
    assert counts("c", 3, 3)


def test_where_every_line_counts_nothing_is_left_out() -> None:
    token = number_of("any")
    assert search(Given(Fragment("f", token)), []).places(token) == {("f", 1)}


def pem(seed: str) -> str:
    """What looks like a private key, of bytes that are none."""
    body = b"".join(hashlib.sha512(f"{seed} {at}".encode()).digest() for at in range(19))[:1190]
    text = base64.encodebytes(b"\x30\x82\x04\xa2\x02\x01\x00\x02\x82\x01\x01\x00" + body).decode()
    kind = "RSA PRIVATE KEY"
    return f"-----BEGIN {kind}-----\n{text}-----END {kind}-----\n"
