from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strongroom.backup.damage import BadBackup
from strongroom.backup.rows import RowReader, encode_row
from strongroom.physical.store import VERSION_MAX, Record

KEYS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20)
ROWS = st.dictionaries(KEYS, st.builds(Record, st.integers(0, VERSION_MAX), st.binary(max_size=200)), max_size=12)


def read(stream: bytes, step: int) -> list[tuple[str, Record]]:
    reader = RowReader()
    found = [row for at in range(0, len(stream), step) for row in reader.feed(stream[at : at + step])]
    reader.end()
    return found


@given(ROWS, st.integers(1, 300))
def test_rows_come_back_however_the_stream_is_cut(rows: dict[str, Record], step: int) -> None:
    ordered = sorted(rows.items())
    assert read(b"".join(encode_row(*row) for row in ordered), step) == ordered


@given(ROWS.filter(bool), st.data())
def test_a_stream_that_ends_within_a_row_is_refused(rows: dict[str, Record], data: st.DataObject) -> None:
    stream = b"".join(encode_row(*row) for row in sorted(rows.items()))
    last = encode_row(*max(rows.items()))
    cut = data.draw(st.integers(1, len(last) - 1))
    with pytest.raises(BadBackup):
        read(stream[:-cut], 7)


@given(st.binary(max_size=300), st.integers(1, 64))
def test_any_bytes_are_rows_or_refused(stream: bytes, step: int) -> None:
    try:
        rows = read(stream, step)
    except BadBackup:
        return
    assert b"".join(encode_row(*row) for row in rows) == stream


@pytest.mark.parametrize(
    "stream",
    [
        encode_row("b", Record(1, b"")) + encode_row("a", Record(1, b"")),
        encode_row("a", Record(1, b"")) * 2,
        b"\0\0\0\0",
        b"\xff\xff\xff\xff",
        b"\0\0\0\1\xff" + bytes(12),
        b"\0\0\0\1a" + b"\xff" * 12,
        b"\0\0\0\1a" + bytes(8) + b"\xff" * 4,
    ],
    ids=["order", "twice", "empty key", "endless key", "no text", "version", "endless value"],
)
def test_what_no_store_gives_is_refused(stream: bytes) -> None:
    with pytest.raises(BadBackup):
        read(stream, 1000)
