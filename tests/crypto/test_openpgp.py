from __future__ import annotations

import base64
import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.pgp import Person, gpg_keyring, needs_gpg, text_of

from strongroom.crypto.openpgp import TEXT_MOST, read_recipient, read_recipients
from strongroom.logical.ambient import SystemClock
from strongroom.logical.errors import InvalidRequest
from strongroom.logical.instant import NANOSECONDS

NOW = SystemClock().now_ns()
YEAR = 365 * 86400


@pytest.fixture(scope="module")
def ada() -> Person:
    return Person("ada")


def test_only_the_owner_of_the_key_reads_what_is_encrypted(ada: Person) -> None:
    recipient = read_recipient(ada.public, NOW)
    message = recipient.encrypt(b"for her eyes")
    assert ada.read(message) == b"for her eyes"
    assert recipient.fingerprint == ada.fingerprint
    assert recipient.encrypt(b"for her eyes") != message
    with pytest.raises(RuntimeError):
        Person("eve").read(message)


def test_a_key_is_read_armored_and_wrapped_to_lines_as_well(ada: Person) -> None:
    armored = str(ada.cert).encode()
    in_lines = base64.encodebytes(bytes(ada.cert)).decode()
    for text in (text_of(armored), in_lines):
        assert read_recipient(text, NOW).fingerprint == ada.fingerprint


def test_the_order_is_kept_and_the_one_that_is_wrong_is_named(ada: Person) -> None:
    ben = Person("ben")
    people = read_recipients([ben.public, ada.public, ben.public], NOW)
    assert [one.fingerprint for one in people] == [ben.fingerprint, ada.fingerprint, ben.fingerprint]
    with pytest.raises(InvalidRequest, match="PGP key 2 of 3 is revoked"):
        read_recipients([ben.public, ada.revoked(), ben.public], NOW)


def test_a_key_that_may_not_be_used_is_refused_with_the_reason(ada: Person) -> None:
    passing = Person("passing", validity_seconds=YEAR)
    assert read_recipient(passing.public, NOW).fingerprint == passing.fingerprint
    later = NOW + 2 * YEAR * NANOSECONDS
    refused = (
        (passing.public, later, "is expired; renew it"),
        (ada.revoked(), NOW, "is revoked; send the key that took its place"),
        (ada.for_signing_alone(), NOW, "cannot encrypt"),
        (text_of(ada.private), NOW, "is a private key"),
        ("keybase:ada", NOW, "Keybase"),
        ("", NOW, "is not one OpenPGP certificate"),
        ("not base64!", NOW, "is not base64"),
        ("ключ", NOW, "is not base64"),
        (text_of(b"no key"), NOW, "is not one OpenPGP certificate"),
        (text_of(bytes(ada.cert)[:100]), NOW, "is not one OpenPGP certificate"),
        (text_of(bytes(ada.cert) + bytes(passing.cert)), NOW, "is not one OpenPGP certificate"),
        ("A" * (TEXT_MOST + 1), NOW, "is larger than 256 KiB"),
    )
    for text, moment, reason in refused:
        with pytest.raises(InvalidRequest, match=reason) as caught:
            read_recipient(text, moment)
        assert "Stack backtrace" not in str(caught.value)


@settings(max_examples=30, deadline=None)
@given(st.binary(max_size=300), st.integers(0, 200))
def test_whatever_is_sent_is_a_key_or_a_clear_refusal(noise: bytes, at: int) -> None:
    whole = _WHOLE[:at] + noise + _WHOLE[at + len(noise) :]
    for content in (noise, whole):
        with contextlib.suppress(InvalidRequest):
            assert read_recipient(text_of(content), NOW).encrypt(b"")


_WHOLE = bytes(Person("whole").cert)


@needs_gpg
def test_the_real_gpg_reads_what_is_encrypted_and_its_expired_subkeys_are_not_used() -> None:
    with gpg_keyring() as gpg:
        for algorithm in ("future-default", "rsa2048"):
            name = algorithm.replace("-", "")
            if algorithm == "rsa2048":
                gpg.run("--quick-gen-key", f"{name}@example.com", algorithm, "sign,encrypt", "never")
                content = gpg.run("--export", f"{name}@example.com")
            else:
                content = gpg.new_key(name).read_bytes()
            message = read_recipient(text_of(content), NOW).encrypt(b"deadbeef")
            assert gpg.read(text_of(message)) == "deadbeef"
        past = ("--faked-system-time", "20200101T000000")
        gpg.run(*past, "--quick-gen-key", "old@example.com", "ed25519", "sign", "never")
        listed = gpg.run("--list-keys", "--with-colons", "old@example.com").decode()
        fingerprint = next(line.split(":")[9] for line in listed.splitlines() if line.startswith("fpr"))
        gpg.run(*past, "--quick-add-key", fingerprint, "cv25519", "encr", "1d")
        with pytest.raises(InvalidRequest, match="no encryption key that is not expired"):
            read_recipient(text_of(gpg.run("--export", "old@example.com")), NOW)
        gpg.run("--quick-add-key", fingerprint, "cv25519", "encr", "never")
        message = read_recipient(text_of(gpg.run("--export", "old@example.com")), NOW).encrypt(b"new")
        assert gpg.read(text_of(message)) == "new"
