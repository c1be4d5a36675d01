"""Shamir's secret sharing over GF(2^8) (Shamir, "How to share a secret", CACM 22(11), 1979), byte-compatible with Vault's.

The field is that of AES (FIPS 197, section 4.2: x^8 + x^4 + x^3 + x + 1). Each byte of the secret is the constant term of a random
polynomial of its own. A share is the polynomials' values at one point, one byte each, followed by the point. No tables and no
branches on secret bytes, so that neither the cache nor the clock tells anything.
"""

from __future__ import annotations

from collections.abc import Sequence

from strongroom.crypto.aead import draw, wipe
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
    coefficients = [bytearray(draw(len(secret), entropy)) for _ in range(threshold - 1)]
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
        for index in range(length - 1):
            secret[index] ^= _multiply(share[index], weight)
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
    for index, constant in enumerate(secret):
        value = 0
        for coefficient in reversed(coefficients):
            value = _multiply(value, point) ^ coefficient[index]
        share[index] = _multiply(value, point) ^ constant
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


def _multiply(left: int, right: int) -> int:
    product = 0
    for bit in range(8):
        product ^= -(right >> bit & 1) & left
        left = (left << 1) ^ (-(left >> 7) & 0x11B)
    return product


def _inverse(number: int) -> int:
    """``number`` to the power of 254, which is its inverse, for the multiplicative group has 255 members."""
    result = 1
    power = number
    for _ in range(7):
        power = _multiply(power, power)
        result = _multiply(result, power)
    return result
