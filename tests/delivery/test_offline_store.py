from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strongroom.delivery.offline_cipher import CannotSeal, NotTheCopy, seal, unsealed
from strongroom.delivery.offline_store import Asked, OfflineStore
from strongroom.logical.ambient import SystemEntropy
from strongroom.logical.secret import Secret

ASKED = Asked("https://vault", Secret("token-1"), "secret/app")
VALUES = Secret('{"A": "CANARY", "N": 1.50}')
HOUR = 3600


class Clock:
    def __init__(self) -> None:
        self.seconds = 1_000_000

    def now_ns(self) -> int:
        return self.seconds * 1_000_000_000

    def monotonic(self) -> float:
        return float(self.seconds)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(tmp_path: Path, clock: Clock) -> OfflineStore:
    """A store with one copy that is good for an hour."""
    made = OfflineStore(str(tmp_path / "offline"), clock, SystemEntropy())
    made.keep(ASKED, "secret/data/app", VALUES, 7, HOUR)
    return made


def only_copy(store: OfflineStore) -> Path:
    (found,) = Path(store.folder).glob("*.copy")
    return found


def test_a_copy_comes_back_as_it_was(store: OfflineStore, clock: Clock) -> None:
    clock.seconds += 60
    copy = store.find(ASKED, 24 * HOUR)
    assert copy is not None
    assert (copy.api_path, copy.values.reveal(), copy.version, copy.age_seconds) == (
        *("secret/data/app", VALUES.reveal(), 7, 60),
    )
    assert "CANARY" not in repr(copy)


def test_nothing_on_the_disk_tells_what_it_is(store: OfflineStore) -> None:
    folder = Path(store.folder)
    assert folder.stat().st_mode & 0o777 == 0o700
    for file in folder.iterdir():
        assert file.stat().st_mode & 0o777 == 0o600
        content = file.read_bytes() + file.name.encode()
        assert not any(word in content for word in (b"CANARY", b"secret", b"app", b"vault", b"token"))


@pytest.mark.parametrize(
    "other",
    [
        ASKED._replace(server="https://other"),
        ASKED._replace(token=Secret("token-2")),
        ASKED._replace(path="secret/ap"),
        ASKED._replace(version=7),
    ],
    ids=["server", "token", "path", "asked version"],
)
def test_a_copy_is_for_one_question_even_if_its_file_is_moved(store: OfflineStore, other: Asked) -> None:
    assert store.find(other, HOUR) is None
    content = only_copy(store).read_bytes()
    only_copy(store).unlink()
    store.keep(other, "x", VALUES, 7, HOUR)
    only_copy(store).write_bytes(content)
    with pytest.raises(CannotSeal, match="made for something else"):
        store.find(other, HOUR)


@pytest.mark.parametrize("position", [4, 11, 12, 30, -1])
def test_a_copy_that_was_changed_is_not_used(store: OfflineStore, position: int) -> None:
    content = bytearray(only_copy(store).read_bytes())
    content[position] ^= 1
    only_copy(store).write_bytes(content)
    with pytest.raises(CannotSeal, match="was changed"):
        store.find(ASKED, HOUR)


@pytest.mark.parametrize("length", [0, 3, 12, 20, 40])
def test_a_copy_that_was_cut_off_is_not_used(store: OfflineStore, length: int) -> None:
    only_copy(store).write_bytes(only_copy(store).read_bytes()[:length])
    with pytest.raises(CannotSeal, match="was changed"):
        store.find(ASKED, HOUR)


def test_a_copy_is_no_older_than_its_maker_and_its_reader_allow(store: OfflineStore, clock: Clock) -> None:
    clock.seconds += 100
    assert store.find(ASKED, 99) is None
    assert store.find(ASKED, 100) is not None
    clock.seconds += HOUR
    assert store.find(ASKED, 24 * HOUR) is None


def test_a_clock_that_was_set_back_makes_no_copy_young(store: OfflineStore, clock: Clock) -> None:
    clock.seconds -= 301
    with pytest.raises(CannotSeal, match="set back"):
        store.find(ASKED, HOUR)


def test_what_the_server_refuses_is_forgotten(store: OfflineStore) -> None:
    store.forget(ASKED)
    assert store.find(ASKED, HOUR) is None
    store.forget(ASKED)


def test_a_key_that_others_can_read_is_refused(store: OfflineStore) -> None:
    key = Path(store.folder) / "key"
    key.chmod(0o640)
    with pytest.raises(CannotSeal, match="chmod 600"):
        store.find(ASKED, HOUR)
    key.unlink()
    key.symlink_to(os.devnull)
    with pytest.raises(CannotSeal):
        store.find(ASKED, HOUR)


def test_without_any_copy_there_is_none(tmp_path: Path, clock: Clock) -> None:
    assert OfflineStore(str(tmp_path / "none"), clock, SystemEntropy()).find(ASKED, HOUR) is None


@given(st.binary(max_size=50), st.binary(max_size=20), st.binary(max_size=20))
def test_what_is_sealed_opens_for_what_it_is_about_alone(content: bytes, about: bytes, other: bytes) -> None:
    sealed = seal(bytes(32), content, about, SystemEntropy())
    assert unsealed(bytes(32), sealed, about) == content
    if about != other:
        with pytest.raises(NotTheCopy):
            unsealed(bytes(32), sealed, other)
