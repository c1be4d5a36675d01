"""One fragment, from bytes to hits."""

from __future__ import annotations

from tests.scanner.conftest import Examine

SECRET = b"ttt_" + b"aB3dE6gH9j" * 3


def test_a_token_is_found_with_its_line_and_column(examine: Examine) -> None:
    (hit,) = examine(b"first\nkey = " + SECRET + b"\nlast\n")

    assert hit.value == SECRET[4:]
    assert (hit.line, hit.end_line, hit.column, hit.end_column) == (2, 2, 11, 41)


def test_a_format_beats_a_guess_about_the_same_bytes(examine: Examine) -> None:
    hits = examine(b'password = "' + SECRET + b'"\n')

    assert [hit.value for hit in hits] == [SECRET[4:]]


def test_two_guesses_on_one_line_are_two_hits(examine: Examine) -> None:
    hits = examine(b'{"password": "one two three", "db_password": "four five six"}')

    assert [hit.value for hit in hits] == [b"one two three", b"four five six"]


def test_nothing_is_guessed_in_what_is_no_text(examine: Examine) -> None:
    data = b"\x7fELF\0\0\0\x01\0\0" * 20 + b'password = "hunter22" ' + SECRET + b"\0"

    assert [hit.value for hit in examine(data)] == [SECRET[4:]]


def test_what_crosses_the_border_of_two_windows_is_found_once(examine: Examine) -> None:
    size = 4 * 1024 * 1024
    for distance in (0, 5, 64 * 1024, 64 * 1024 + 10, 128 * 1024):
        data = bytearray(b"-" * 99 + b"\n") * (size * 2 // 100 + 5)
        at = size - distance
        data[at : at + len(SECRET) + 2] = b" " + SECRET + b" "

        hits = examine(bytes(data))

        assert [(hit.value, hit.line) for hit in hits] == [(SECRET[4:], data[:at].count(b"\n") + 1)]
