"""What is ours is found, wherever it stands and however it is written."""

from __future__ import annotations

import base64
import string
import zlib

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tests.scanner.known.conftest import Look, held, local, said
from tests.scanner.known.planting import PLACES, TIGHT_PLACES, WRITINGS, planted

from strongroom.scanner.known.forms import forms
from strongroom.scanner.known.held import strings_for
from strongroom.scanner.known.local import LocalValues

PASSWORD = b"Tr0ub4dor-and-3-more"
SIGNS = b"p4ss:w/rd&'x\"<\\>%+=#!~"
PEM = (
    b"-----BEGIN PRIVATE KEY-----\n"
    + b"\n".join(base64.b64encode(bytes(range(at, at + 48))) for at in range(0, 192, 48))
    + b"\n-----END PRIVATE KEY-----\n"
)

values = (
    st.text(string.ascii_letters + string.digits + "-_.", min_size=10, max_size=60)
    .map(str.encode)
    .filter(
        lambda value: len(set(value)) > 5 and value.strip(b"-_.") == value and any(48 <= code < 58 for code in value)
    )
)
signed = st.text(string.ascii_letters + string.digits + "!#$%&*+-/:;<=>?^_~", min_size=10, max_size=40).map(str.encode)


@pytest.mark.parametrize("place", [*PLACES, *TIGHT_PLACES])
@pytest.mark.parametrize("writing", WRITINGS)
def test_a_password_is_found_in_every_place_in_every_writing(writing: str, place: str, scan_for: Look) -> None:
    data = planted({**PLACES, **TIGHT_PLACES}[place], WRITINGS[writing](PASSWORD))

    assert said(scan_for(local(PASSWORD), data)), data


@pytest.mark.parametrize("place", ["double quotes", "json", "env", "yaml", "alone on a line", "whole file"])
@pytest.mark.parametrize("writing", [name for name in WRITINGS if name != "as it is"])
def test_a_value_full_of_signs_is_found_in_every_writing(writing: str, place: str, scan_for: Look) -> None:
    assert said(scan_for(local(SIGNS), planted(PLACES[place], WRITINGS[writing](SIGNS))))


@settings(max_examples=60, deadline=None)
@given(values, st.sampled_from(sorted(PLACES) + sorted(TIGHT_PLACES)), st.sampled_from(sorted(WRITINGS)))
@example(b"0000012345", "markdown", "hex with colons")
@example(b"0000012345", "address", "hex with colons")
@example(b"000001234A", "connection string", "hex with colons")
def test_every_value_is_found(scan_for: Look, value: bytes, place: str, writing: str) -> None:
    data = planted({**PLACES, **TIGHT_PLACES}[place], WRITINGS[writing](value))

    assert said(scan_for(local(value), data)), (value, data)


@settings(max_examples=60, deadline=None)
@given(signed, st.sampled_from(["double quotes", "json", "env", "alone on a line", "whole file", "properties"]))
def test_every_value_with_signs_is_found_where_it_may_stand(scan_for: Look, value: bytes, place: str) -> None:
    if len(set(value)) > 5:
        assert said(scan_for(local(value), planted(PLACES[place], value))), value


@settings(max_examples=60, deadline=None)
@given(st.binary(min_size=8, max_size=200))
@example(b"-----BEGIN A-----" * 3)
@example(b"{[" * 40)
@example(b"%00\\u0000\\xff&#0;&#x110000;")
def test_every_string_has_forms_and_is_one_of_them(data: bytes) -> None:
    made = forms(data)

    assert made[0].data == data
    assert len({form.data for form in made}) == len(made) <= 24


@pytest.mark.parametrize("stored", [base64.b64encode(PASSWORD), PASSWORD.hex().encode(), PASSWORD + b"\n"])
@pytest.mark.parametrize("leaked", [PASSWORD, base64.b64encode(PASSWORD), PASSWORD.hex().upper().encode()])
def test_what_is_stored_in_one_encoding_is_found_in_another(stored: bytes, leaked: bytes, scan_for: Look) -> None:
    assert said(scan_for(local(stored), b"key = '" + leaked + b"'\n"))


def test_a_key_of_random_bytes_is_found_as_base64_and_as_hex(scan_for: Look) -> None:
    key = bytes.fromhex("f3a1b2c4d5e697887960514233241506f7e8d9cabbac9d8e7f60514233241506")

    for leaked in (key.hex().encode(), base64.b64encode(key), base64.urlsafe_b64encode(key).rstrip(b"=")):
        assert said(scan_for(local(base64.b64encode(key)), b"KEY=" + leaked + b"\n"))


@pytest.mark.parametrize(
    "written",
    [
        PEM,
        PEM.replace(b"\n", b"\r\n"),
        b"key: |\n" + b"".join(b"    " + line + b"\n" for line in PEM.splitlines()) + b"other: 1\n",
        b'{"private_key": "' + PEM.replace(b"\n", b"\\n") + b'", "b": 1}',
        b"KEY=" + base64.b64encode(PEM) + b"\n",
        b"".join(b"# " + line + b"\n" for line in PEM.splitlines()),
        b'k = """' + PEM + b'"""\n',
        b"x" * 100 + b"\n" + PEM.replace(b"\n", b" ") + b"\n",
        base64.b64encode(zlib.compress(PEM)),
    ],
)
def test_a_private_key_is_found_however_it_is_wrapped(written: bytes, scan_for: Look) -> None:
    assert said(scan_for(local(PEM), b"a: 1\n" + written))


def test_the_key_in_a_bundle_is_found_by_itself(scan_for: Look) -> None:
    bundle = PEM.replace(b"PRIVATE KEY", b"CERTIFICATE") + PEM

    assert said(scan_for(local(bundle), b"a: 1\n" + PEM))
    assert not said(scan_for(local(bundle), b"a: 1\n" + PEM.replace(b"PRIVATE KEY", b"CERTIFICATE")))


@pytest.mark.parametrize("text", ["a: 1\nb: [x1, y2]\nc:\n  d: s3cr3t-value\n", '{"a": 1,\n  "b": "s3cr3t-value"}'])
def test_values_of_several_lines_are_found_in_blocks(text: str, scan_for: Look) -> None:
    value = text.encode()
    indented = b"".join(b"    " + line + b"\n" for line in value.splitlines())

    for data in (
        value,
        b"x: |\n" + indented + b"y: 1\n",
        b"cat <<'E'\n" + value + b"\nE\n",
        b'v = """\\\n' + value + b'"""',
    ):
        assert said(scan_for(local(value), data)), data


def test_json_is_recognised_however_it_is_laid_out(scan_for: Look) -> None:
    stored = b'{"id": "x1", "secret": "k9-f00-bar"}'
    leaked = b'{\n  "secret": "k9-f00-bar",\n  "id": "x1"\n}\n'

    assert said(scan_for(local(stored), leaked))


def test_the_place_of_a_value_is_where_it_stands(scan_for: Look) -> None:
    (plain,) = scan_for(local(PASSWORD), b"first\nx = '" + PASSWORD + b"'\n")
    (coded,) = scan_for(local(PASSWORD), b"first\nx = " + base64.b64encode(PASSWORD) + b"\n")

    assert (plain.line, plain.column, plain.end_column, plain.layers) == (2, 6, 26, ())
    assert (coded.line, coded.column, coded.layers, coded.value) == (2, 5, ("base64",), PASSWORD)


def test_every_place_of_a_value_is_found_once(scan_for: Look) -> None:
    hits = scan_for(local(PASSWORD), (b"a = '" + PASSWORD + b"'\n") * 50)

    assert [hit.line for hit in hits] == list(range(1, 51))


def test_the_longer_of_two_values_wins_where_one_holds_the_other(scan_for: Look) -> None:
    longer = b"postgres://app:" + PASSWORD + b"@db/app"
    hits = scan_for(local(PASSWORD, longer), b"url: " + longer + b"\n")

    assert [hit.value for hit in hits] == [longer]


def test_a_secret_that_several_hold_names_them_all_the_current_first(scan_for: Look) -> None:
    from strongroom.scanner.known.held import Held
    from strongroom.scanner.known.values import Holder

    known = LocalValues(
        [Held(Holder("secret/a", "K", 2, False), PASSWORD), Held(Holder("secret/b", "K", 3, True), PASSWORD)]
    )
    (hit,) = scan_for(known, b"x=" + PASSWORD + b"\n")

    assert hit.reasons == (
        "it is version 3 (the current one) of secret/b, key K",
        "it is version 2 (an old one) of secret/a, key K",
    )


def test_what_is_not_ours_is_not_found(scan_for: Look) -> None:
    other = PASSWORD[:-1] + b"X"

    assert scan_for(local(PASSWORD), b"x = '" + other + b"' " + base64.b64encode(other) + b"\n" + other[:-1]) == []


def test_a_value_that_crosses_two_windows_is_found_once(scan_for: Look) -> None:
    size = 4 * 1024 * 1024
    data = bytearray(b"-" * 99 + b"\n") * (size * 2 // 100)
    data[size - 5 : size + 17] = b" " + PASSWORD + b" "

    (hit,) = scan_for(local(PASSWORD), bytes(data))

    assert hit.line == (size - 5) // 100 + 1


def test_a_value_in_a_program_is_found(scan_for: Look) -> None:
    data = b"\x7fELF\0\0\x01\xff" * 200 + PASSWORD + b"\0" + b"\xfe\0\x01" * 100

    assert said(scan_for(local(PASSWORD), data))


def test_the_forms_of_a_value_are_worth_looking_for() -> None:
    assert set(strings_for(base64.b64encode(b"password"))) == {base64.b64encode(b"password")}
    assert PASSWORD in set(strings_for(base64.b64encode(PASSWORD)))
    assert [one.holder.place for one in held(b"x")] == ["secret/app1"]
