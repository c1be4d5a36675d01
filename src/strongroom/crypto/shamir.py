"""Shamir's secret sharing over GF(2^8) (Shamir, "How to share a secret", CACM 22(11), 1979), byte-compatible with Vault's.

The field is that of AES (FIPS 197, section 4.2: x^8 + x^4 + x^3 + x + 1). Each byte of the secret is the constant term of a random
polynomial of its own. A share is the polynomials' values at one point, one byte each, followed by the point. No tables and no
branches on secret bytes, so that neither the cache nor the clock tells anything.
"""

from __future__ import annotations

from collections.abc import Sequence

from strongroom.crypto.aead import draw, draw_secret, wipe
from strongroom.logical.ambient import Entropy

SHARES_MAX = 255
_DRAWS_MAX = 1000


def split(secret: bytes | bytearray, shares: int, threshold: int, entropy: Entropy) -> list[bytearray]:
    """``shares`` shares of ``secret``, any ``threshold`` of which give it back. Raises ValueError on impossible numbers."""
    if not secret:
        raise ValueError("an empty secret cannot be split")
    if not 2 <= threshold <= shares <= SHARES_MAX:
        raise ValueError("the threshold must be at least 2 and at most the number of shares, which is at most 255")
    # The coefficients of power 1, 2, ...; together as secret as the secret itself.
    coefficients = [draw_secret(len(secret), entropy) for _ in range(threshold - 1)]
    points = _draw_points(shares, entropy)
    try:
        return [_evaluate(secret, coefficients, point) for point in points]
    finally:
        wipe(*coefficients)


def combine(shares: Sequence[bytes | bytearray]) -> bytearray:
    """The secret that ``shares`` were made of, if there are enough of them and all are right; else some other bytes.

    Raises ValueError where they cannot belong together: fewer than two, unequal lengths, the same point twice.
    """
    if len(shares) < 2:
        raise ValueError("at least two shares are needed")
    length = len(shares[0])
    if length < 2 or any(len(share) != length for share in shares):
        raise ValueError("shares have the same length, of at least two bytes")
    points = [share[-1] for share in shares]
    if 0 in points or len(set(points)) != len(points):
        raise ValueError("each share has a point of its own, between 1 and 255")
    secret = bytearray(length - 1)
    for share, weight in zip(shares, _weights_at_zero(points), strict=True):
        multiples = _multiples(weight)
        for index in range(length - 1):
            secret[index] ^= _scale(share[index], multiples)
    return secret


def _draw_points(count: int, entropy: Entropy) -> list[int]:
    """Distinct points between 1 and 255, each set and order equally likely."""
    points: list[int] = []
    for _ in range(_DRAWS_MAX):
        for point in draw(32, entropy):
            if point and point not in points and len(points) < count:
                points.append(point)
        if len(points) == count:
            return points
    raise OSError("the random source repeats itself")


def _evaluate(secret: bytes | bytearray, coefficients: list[bytearray], point: int) -> bytearray:
    """The share at ``point``, by Horner's rule from the highest power down."""
    share = bytearray(len(secret) + 1)
    share[-1] = point
    multiples = _multiples(point)
    for index, constant in enumerate(secret):
        value = 0
        for coefficient in reversed(coefficients):
            value = _scale(value, multiples) ^ coefficient[index]
        share[index] = _scale(value, multiples) ^ constant
    return share


def _weights_at_zero(points: list[int]) -> list[int]:
    """Lagrange's weights for the value at zero: the products of b / (b - a) over the other points b."""
    weights = []
    for point in points:
        weight = 1
        for other in points:
            if other != point:
                weight = _multiply(weight, _multiply(other, _inverse(other ^ point)))
        weights.append(weight)
    return weights


def _multiples(number: int) -> tuple[int, ...]:
    """``number`` times 1, 2, 4 … 128: computed once for a point or a weight, which are no secrets."""
    multiples = []
    for _ in range(8):
        multiples.append(number)
        number = (number << 1) ^ (-(number >> 7) & 0x11B)
    return tuple(multiples)


def _scale(byte: int, multiples: tuple[int, ...]) -> int:
    """``byte``, which may be secret, times the number that ``multiples`` belongs to: the sum of those that its bits select."""
    m0, m1, m2, m3, m4, m5, m6, m7 = multiples
    low = (-(byte & 1) & m0) ^ (-(byte >> 1 & 1) & m1) ^ (-(byte >> 2 & 1) & m2) ^ (-(byte >> 3 & 1) & m3)
    high = (-(byte >> 4 & 1) & m4) ^ (-(byte >> 5 & 1) & m5) ^ (-(byte >> 6 & 1) & m6) ^ (-(byte >> 7) & m7)
    return low ^ high


def _multiply(left: int, right: int) -> int:
    return _scale(left, _multiples(right))


def _inverse(number: int) -> int:
    """``number`` to the power of 254, which is its inverse, for the multiplicative group has 255 members."""
    result = 1
    power = number
    for _ in range(7):
        power = _multiply(power, power)
        result = _multiply(result, power)
    return result
