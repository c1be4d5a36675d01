from __future__ import annotations

from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from tests.tokens.conftest import Shelf as Folderless

from strongroom.core.fingerprints import FingerprintIndex
from strongroom.crypto.fingerprint import fingerprint
from strongroom.system.fingerprint_rows import AREA

KEY = b"k" * 32


class Shelf(Folderless):
    """With a number for each writing."""

    def version(self, key: str) -> int | None:
        return 1 if key in self.content else None


values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(st.characters(codec="utf-8"), max_size=8)
    | st.decimals(allow_nan=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)


def marks(storage: Shelf) -> set[str]:
    return {key.removeprefix(AREA).split("/")[0] for key in storage.content}


def test_every_text_and_number_is_remembered_at_any_depth_and_nothing_else() -> None:
    storage = Shelf()
    secret: dict[str, Any] = {"a": "x", "b": [1, {"c": Decimal("1.5")}], "d": None, "e": True, "f": "", "g": {}}
    FingerprintIndex(KEY, storage, "mount").record("path/to", 3, secret)
    assert marks(storage) == {fingerprint(KEY, value).hex() for value in (b"x", b"1", b"1.5")}
    assert set(storage.content.values()) == {b"3"}


def test_an_entry_says_where_the_value_is() -> None:
    storage = Shelf()
    FingerprintIndex(KEY, storage, "mount").record("path/to", 3, {"a/b %": "x"})
    assert list(storage.content) == [f"{AREA}{fingerprint(KEY, b'x').hex()}/mount/a%2Fb%20%25/path/to"]


def test_a_value_that_stays_keeps_the_entry_of_the_version_that_brought_it() -> None:
    storage = Shelf()
    index = FingerprintIndex(KEY, storage, "mount")
    index.record("path", 1, {"a": "x"})
    index.record("path", 2, {"a": "x", "b": "y"})
    assert sorted(storage.content.values()) == [b"1", b"2"]


def test_an_equal_value_elsewhere_has_the_same_mark_and_an_entry_of_its_own() -> None:
    storage = Shelf()
    index = FingerprintIndex(KEY, storage, "mount")
    index.record("one", 1, {"a": "x"})
    index.of_mount("other").record("one", 1, {"a": "x"})
    assert len(marks(storage)) == 1
    assert len(storage.content) == 2


def test_another_key_gives_other_marks() -> None:
    one, other = Shelf(), Shelf()
    FingerprintIndex(KEY, one, "m").record("p", 1, {"a": "x"})
    FingerprintIndex(b"o" * 32, other, "m").record("p", 1, {"a": "x"})
    assert not marks(one) & marks(other)


@given(st.dictionaries(st.text(max_size=6), values, max_size=4))
def test_what_is_forgotten_leaves_nothing(secret: dict[str, Any]) -> None:
    storage = Shelf()
    index = FingerprintIndex(KEY, storage, "mount")
    index.record("other", 1, {"a": "kept"})
    before = dict(storage.content)
    index.record("path", 1, secret)
    index.forget("path", secret)
    assert storage.content == before
