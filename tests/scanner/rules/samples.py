"""Fills the sample templates of rules with random characters.

`{base62:36}` becomes 36 letters and digits, `{hex:20-40}` between 20 and 40 small hexadecimal digits; `{{` and `}}` are braces. Where
a format has a checksum, a placeholder for it computes it over the text since the last `{start}`, or since the start of the template:

    ghp_{start}{base62:30}{crc32_base62}

So no string in this repository looks like anybody's secret, and each run of the tests tries other ones.
"""

from __future__ import annotations

import base64
import json
import re
import zlib
from collections.abc import Callable
from random import Random

from strongroom.encoding import base62
from strongroom.scanner.rules import checksums

_DIGITS = "0123456789"
_LOWER = "abcdefghijklmnopqrstuvwxyz"
_UPPER = _LOWER.upper()

ALPHABETS = {
    "hex": _DIGITS + "abcdef",
    "HEX": _DIGITS + "ABCDEF",
    "digits": _DIGITS,
    "nonzero": "123456789",
    "lower": _LOWER,
    "upper": _UPPER,
    "letters": _LOWER + _UPPER,
    "base36": _DIGITS + _LOWER,
    "BASE36": _DIGITS + _UPPER,
    "base62": _DIGITS + _UPPER + _LOWER,
    "base32": _UPPER + "234567",
    "lower_base32": _LOWER + "234567",
    "base58": "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz",
    "bech32_letters": "qpzry9x8gf2tvdw0s3jn54khce6mua7l",
    "BECH32": "QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L",
    "base64": _UPPER + _LOWER + _DIGITS + "+/",
    "base64url": _UPPER + _LOWER + _DIGITS + "-_",
    "wpsalt": _LOWER + _UPPER + _DIGITS + "!@#$%^&*()-_ []<>~`+=,.;:/?|",
    "django": _LOWER + _DIGITS + "!@#$%^&*(-_=+)",
    "word": _LOWER + _UPPER + _DIGITS + "_",
}

_PLACE = re.compile(r"\{\{|\}\}|\{(?P<kind>[A-Za-z][\w]*)(?::(?P<least>\d+)(?:-(?P<most>\d+))?)?\}")


def expand(template: str, random: Random) -> str:
    """`template` with each placeholder filled from `random`. An unknown placeholder is a `ValueError`."""
    parts: list[str] = []
    start = position = 0
    for place in _PLACE.finditer(template):
        parts.append(template[position : place.start()])
        position = place.end()
        if place["kind"] is None:
            parts.append(place[0][0])
        elif place["kind"] == "start":
            start = len("".join(parts))
        else:
            parts.append(_filled(place, "".join(parts)[start:], random))
    return "".join(parts) + template[position:]


def _filled(place: re.Match[str], before: str, random: Random) -> str:
    kind, least = place["kind"], int(place["least"] or 1)
    length = random.randint(least, int(place["most"] or least))
    if kind in ALPHABETS:
        return "".join(random.choices(ALPHABETS[kind], k=length))
    if kind in _CHECKSUMS:
        return _CHECKSUMS[kind](before)
    if kind in _STRUCTURES:
        return _STRUCTURES[kind](random, length)
    raise ValueError(f"no placeholder is called {kind}")


def _jwt(random: Random, _: int) -> str:
    header = {"alg": random.choice(["HS256", "RS256", "ES256"]), "typ": "JWT"}
    payload = {"sub": str(random.getrandbits(40)), "iat": random.randint(1_500_000_000, 1_900_000_000)}
    parts = (_url64(json.dumps(part, separators=(",", ":")).encode()) for part in (header, payload))
    return ".".join([*parts, _url64(random.randbytes(32))])


def _nkey(random: Random, _: int) -> str:
    return checksums.nkey_seed(random.choice("OACUNX"), random.randbytes(32))


def _pypi(random: Random, _: int) -> str:
    identifier = json.dumps({"version": 1, "permissions": "user", "nonce": random.getrandbits(64)}).encode()
    fields = [(1, b"index.example"), (2, identifier)]
    body = b"\x02" + b"".join(bytes([kind, len(value)]) + value for kind, value in fields) + b"\x00\x00\x06\x20"
    return _url64(body + random.randbytes(32))


def _mapbox(random: Random, _: int) -> str:
    return _url64(json.dumps({"u": "user" + str(random.getrandbits(30)), "a": _letters(random, 25)}).encode())


def _sentry(random: Random, _: int) -> str:
    claims = {"iat": random.randint(1_600_000_000, 1_900_000_000), "url": "https://sentry.io", "org": "acme"}
    return base64.b64encode(json.dumps(claims).encode()).decode()


def _base64_of(random: Random, length: int) -> str:
    return base64.b64encode(random.randbytes(length)).decode()


def _pem_body(random: Random, length: int) -> str:
    return base64.encodebytes(b"\x30\x82" + random.randbytes(length - 2)).decode().rstrip("\n")


def _basic(random: Random, length: int) -> str:
    return base64.b64encode(f"service:{_letters(random, length)}".encode()).decode()


def _uuid(random: Random, _: int) -> str:
    digits = f"{random.getrandbits(128):032x}"
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-a{digits[17:20]}-{digits[20:]}"


def _letters(random: Random, length: int) -> str:
    return "".join(random.choices(ALPHABETS["base62"], k=length))


def _with_crc(body: str) -> str:
    return f"{body}_{zlib.crc32(body.encode()).to_bytes(4, 'little').hex()}"


def _cask_key(random: Random, length: int) -> str:
    body = (
        _letters(random, 52)
        + random.choice(["JQQJ99", "JQQJ9D"])
        + "BAAC"
        + _letters(random, 11)
        + "AXXX"
        + _letters(random, 3)
    )
    key = body + checksums.cask_tail(body)
    return key if key.isalnum() else _cask_key(random, length)  # its issuer draws again, too


def _iot_key(random: Random, _: int) -> str:
    body = base64.b64decode("".join(random.choices(ALPHABETS["base64"], k=33)) + "AIoTAAA")[:28]
    seed = int.from_bytes(b"Device00", "big")
    return base64.b64encode(body + checksums.marvin32(body, seed).to_bytes(4, "little")).decode()


def _url64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


_CHECKSUMS: dict[str, Callable[[str], str]] = {
    "crc32_base62": lambda before: base62.number(zlib.crc32(before.encode()), 6),
    "crc32_base62_short": lambda before: base62.number(zlib.crc32(before.encode()), 2),
    "crc32_base36": lambda before: checksums.base36(zlib.crc32(before.encode()), 7),
    "crc32_hex_le": lambda before: zlib.crc32(before.encode()).to_bytes(4, "little").hex(),
    "bech32": lambda before: checksums.bech32_tail(before.lower()).upper(),
    "base36_length": lambda before: checksums.base36(len(before), 2),
}
_STRUCTURES: dict[str, Callable[[Random, int], str]] = {
    "uuid": _uuid,
    "jwt": _jwt,
    "nkey": _nkey,
    "pypi": _pypi,
    "mapbox": _mapbox,
    "sentry": _sentry,
    "bytes64": _base64_of,
    "pem": _pem_body,
    "basic": _basic,
    "wif": lambda random, _: checksums.base58check(b"\x80" + random.randbytes(32) + b"\x01"),
    "xprv": lambda random, _: checksums.base58check(b"\x04\x88\xad\xe4" + random.randbytes(74)),
    "glsa": lambda random, _: _with_crc(f"glsa_{_letters(random, 32)}"),
    "iot": _iot_key,
    "cask": _cask_key,
    "discord_id": lambda random, _: _url64(str(random.randint(10**17, 10**18 - 1)).encode()),
}
