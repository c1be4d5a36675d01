"""What a secret's own characters prove: checksums and structure that its issuer made public.

Each function takes the bytes of one secret and tells whether it can have been issued; it never asks anybody. A format is here only
where its checksum is public knowledge; that a checksum holds does not say that the secret still lives.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import zlib

from strongroom.encoding import base62

_BASE58 = b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_BECH32 = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_BECH32_TAPS = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)
_CASK_SEED = int.from_bytes(b"Default0", "big")
_IOT_SEEDS = tuple(int.from_bytes(name, "big") for name in (b"IoTHub00", b"DpsKey00", b"Device00"))
_WORD = 0xFFFFFFFF


def crc32_base62_of_body(token: bytes) -> bool:
    """GitHub's and npm's form: after the prefix, letters, and six of base62 with the CRC-32 of those letters alone."""
    body = token.rpartition(b"_")[2]
    return len(body) > 6 and _same(base62.number(zlib.crc32(body[:-6]), 6).encode(), body[-6:])


def strongroom_token(token: bytes) -> bool:
    """A service or root token of Strongroom: CRC-32 of all before it, in six letters, or in two where the token has 28."""
    width = 2 if len(token) == 28 else 6
    return _same(base62.number(zlib.crc32(token[:-width]), width).encode(), token[-width:])


def gitlab_routable(token: bytes) -> bool:
    """GitLab's routable tokens end in the CRC-32 of all before it, in seven digits of base 36."""
    return _same(base36(zlib.crc32(token[:-7]), 7).encode(), token[-7:])


def grafana_token(token: bytes) -> bool:
    """Grafana's tokens end in the CRC-32 of all before the last underscore, little end first, in hexadecimal."""
    body, _, tail = token.rpartition(b"_")
    return _same(zlib.crc32(body).to_bytes(4, "little").hex().encode(), tail)


def json_web_token(token: bytes) -> bool:
    """RFC 7519: the first part is a JSON object that names an algorithm, and the second a JSON object, or encrypted."""
    head, _, rest = token.partition(b".")
    header = _json_of(head)
    if not isinstance(header, dict) or not isinstance(header.get("alg"), str):
        return False
    return "enc" in header or isinstance(_json_of(rest.partition(b".")[0]), dict)


def base64_json_after_prefix(token: bytes) -> bool:
    """A token whose part between its first and its last mark (`_` or `.`) is a JSON object in base64: Sentry's, Mapbox's."""
    mark = b"." if token[:3] in {b"sk.", b"pk.", b"tk."} else b"_"
    return isinstance(_json_of(token.split(mark)[1]), dict)


def pypi_macaroon(token: bytes) -> bool:
    """A macaroon of version 2, as the Python package index issues them: location, identifier, end, and a signature of 32 bytes."""
    data = _bytes_of(token.partition(b"-")[2])
    return data[:2] == b"\x02\x01" and b"\x00\x06\x20" in data[3:]


def nkey(token: bytes) -> bool:
    """A seed of NATS: base32 whose first bytes name a seed and its kind, and whose last two are a CRC-16 of the others."""
    try:
        data = base64.b32decode(token + b"=" * (-len(token) % 8))
    except (ValueError, binascii.Error):
        return False
    is_canonical = _same(base64.b32encode(data).rstrip(b"="), token)
    return is_canonical and data[0] & 0xF8 == 0x90 and _same(crc16(data[:-2]).to_bytes(2, "little"), data[-2:])


def nkey_seed(kind: str, seed: bytes) -> str:
    """The text of a seed of the kind that one of the letters O, A, C, U, N and X names: its place in the alphabet of base32."""
    prefix = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".index(kind) << 3
    data = bytes([0x90 | prefix >> 5, (prefix & 31) << 3]) + seed
    return base64.b32encode(data + crc16(data).to_bytes(2, "little")).decode().rstrip("=")


def crc16(data: bytes) -> int:
    """CRC-16/XMODEM."""
    return binascii.crc_hqx(data, 0)


def age_key(token: bytes) -> bool:
    """A key of age: Bech32 (BIP 173) in capitals."""
    return _polymod("age-secret-key-", token.decode("ascii").lower().rpartition("1")[2]) == 1


def bech32_tail(text: str) -> str:
    """The six characters that end `text`, a prefix, the digit one, and data."""
    prefix, _, data = text.rpartition("1")
    value = _polymod(prefix, data + "qqqqqq") ^ 1
    return "".join(_BECH32[value >> 5 * (5 - place) & 31] for place in range(6))


def _polymod(prefix: str, data: str) -> int:
    values = [ord(letter) >> 5 for letter in prefix] + [0] + [ord(letter) & 31 for letter in prefix]
    checksum = 1
    for value in values + [_BECH32.find(letter) for letter in data]:
        top, checksum = checksum >> 25, (checksum & 0x1FFFFFF) << 5 ^ (value & 31)
        for bit, tap in enumerate(_BECH32_TAPS):
            checksum ^= tap if top >> bit & 1 else 0
    return checksum


def base58_checked(token: bytes) -> bool:
    """Base58Check, of Bitcoin's private keys (WIF) and extended keys: the last four bytes are of a double SHA-256."""
    number = 0
    for letter in token:
        digit = _BASE58.find(bytes([letter]))
        if digit < 0:
            return False
        number = number * 58 + digit
    data = number.to_bytes(max(5, (number.bit_length() + 7) // 8), "big")
    return _same(_double_sha256(data[:-4])[:4], data[-4:])


def base58check(payload: bytes) -> str:
    """`payload`, which begins with no zero, and its checksum, in base58."""
    number, letters = int.from_bytes(payload + _double_sha256(payload)[:4], "big"), b""
    while number:
        number, letter = divmod(number, 58)
        letters = _BASE58[letter : letter + 1] + letters
    return letters.decode()


def azure_cask(token: bytes) -> bool:
    """Azure's common annotated keys: the last four characters carry three bytes of a Marvin checksum of the bytes before them."""
    body = token[:84]
    return _same(cask_tail(body[:80].decode("ascii")).encode(), body[80:84])


def cask_tail(body: str) -> str:
    """The four characters that end a common annotated key of 84."""
    return base64.b64encode(marvin32(base64.b64decode(body), _CASK_SEED).to_bytes(4, "little")[:3]).decode()


def azure_iot_key(token: bytes) -> bool:
    """Azure's identifiable keys for IoT: the last four bytes are a Marvin checksum, seeded by the kind of the key."""
    data = _bytes_of(token)
    if not _same(base64.b64encode(data), token):
        return False
    return any(_same(marvin32(data[:-4], seed).to_bytes(4, "little"), data[-4:]) for seed in _IOT_SEEDS)


def marvin32(data: bytes, seed: int) -> int:
    """Marvin32, the checksum that Microsoft published with its identifiable keys."""
    low, high = seed & _WORD, seed >> 32
    padded = data + b"\x80" + bytes(-(len(data) + 1) % 4)
    for start in range(0, len(padded), 4):
        low, high = _marvin_round((low + int.from_bytes(padded[start : start + 4], "little")) & _WORD, high)
    low, high = _marvin_round(low, high)
    return low ^ high


def _marvin_round(low: int, high: int) -> tuple[int, int]:
    high ^= low
    low = (_rotated(low, 20) + high) & _WORD
    high = _rotated(high, 9) ^ low
    low = (_rotated(low, 27) + high) & _WORD
    return low, _rotated(high, 19)


def _rotated(word: int, bits: int) -> int:
    return (word << bits | word >> 32 - bits) & _WORD


def discord_token(token: bytes) -> bool:
    """The first part of a token of Discord is the account's number, in base64."""
    return _bytes_of(token.partition(b".")[0]).isdigit()


def _json_of(part: bytes) -> object:
    try:
        return json.loads(_bytes_of(part))
    except (ValueError, RecursionError):
        return None


def _bytes_of(part: bytes) -> bytes:
    """What base64 in either alphabet holds; nothing where it is none."""
    text = part.rstrip(b"=").translate(bytes.maketrans(b"-_", b"+/"))
    try:
        return base64.b64decode(text + b"=" * (-len(text) % 4), validate=True)
    except (ValueError, binascii.Error):
        return b""


def base36(value: int, width: int) -> str:
    """`value` in small base 36, in at least `width` digits."""
    digits = ""
    while value or len(digits) < width:
        value, digit = divmod(value, 36)
        digits = "0123456789abcdefghijklmnopqrstuvwxyz"[digit] + digits
    return digits


def _double_sha256(data: bytes) -> bytes:
    return hashlib.sha256(hashlib.sha256(data).digest()).digest()


def _same(expected: bytes, given: bytes) -> bool:
    return hmac.compare_digest(expected, given)
