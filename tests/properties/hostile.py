"""Values and names that somebody might send who means no good."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

CANARY = "canary-7f3a9c41d2"
MEBIBYTE = 1024 * 1024

NAMES = (
    CANARY,
    "sam",
    "\u017fam",
    "\ufb01ona",
    "ADM\u0130N",
    "\uff21\uff24\uff2d\uff29\uff2e",
    "admin\u200b",
    "admin\u00a0",
    "\u0430dmin",
    "a\u0301",
    "\u00e1",
    "\u202eadmin",
    "\u2066admin\u2069",
    "\ufeffadmin",
    "\u2028",
    "\ud83d\ude00".encode("utf-16", "surrogatepass").decode("utf-16"),
    " ",
    "root",
    "..",
    ".",
    "%2e%2e",
    "%2f",
    "%00",
    "a\x00b",
    "a\nb",
    "a\x1b[31mb",
    "a\\b",
    "a;b",
    "{{identity.entity.id}}",
    "${jndi:ldap://canary}",
    "../../sys/raw",
    "a" * 129,
    "-",
    "*",
    "+",
    "",
    "0",
    "-1",
    "nan",
    "true",
    "null",
)
"""Names of the kinds that have broken somebody: casing, composition, direction, separators, control characters, templates."""

NUMBERS = (
    0,
    1,
    -1,
    2**31,
    2**63 - 1,
    2**63,
    -(2**63) - 1,
    10**40,
    Decimal("0.5"),
    Decimal("-0.0"),
    Decimal("1e400"),
    Decimal("1e-400"),
    Decimal("1e999999999"),
    Decimal("9" * 300),
)
TEXTS = (
    "9" * 30,
    "1h",
    "-1h",
    "999999999999999999h",
    "290y",
    "5_0",
    "\uff15",
    "1e9",
    "a=b",
    "=",
    ",",
    ",,,",
    "10.0.0.0/8",
    "0.0.0.0/0",
    "300.1.1.1/99",
    "::/0",
    "fe80::1%eth0/64",
    "service",
    "batch",
    "default-batch",
    "unauth",
    "file",
    "kv",
    "2006-01-02T15:04:05Z",
    "aGVsbG8=",
    "not base64!",
    "00" * 33,
)

scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.sampled_from(NUMBERS),
    st.sampled_from(TEXTS),
    st.sampled_from(NAMES),
    st.integers(),
    st.text(max_size=12),
)
values: st.SearchStrategy[Any] = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(st.one_of(st.sampled_from(NAMES), st.text(max_size=6)), inner, max_size=4),
    ),
    max_leaves=8,
)
"""Any JSON value, mostly of the wrong type wherever it is put."""


def nested(depth: int) -> Any:
    """Lists and objects in each other."""
    value: Any = CANARY
    for level in range(depth):
        value = {"inner": value} if level % 2 else [value]
    return value


BIG: dict[str, Any] = {
    "long text": "x" * MEBIBYTE,
    "many items": ["x"] * 1_000,
    "many members": {f"key-{number}": number for number in range(1_000)},
    "deep": nested(60),
    "huge number": 10**1000,
    "long comma list": "a," * 1_000,
    "long duration": "1h" * 1_000,
}
"""Values that are large but within the limits of a body."""

BODIES: dict[str, bytes] = {
    "cut off": b'{"a":',
    "no object": b'["a"]',
    "a text": b'"canary-7f3a9c41d2"',
    "a number": b"7",
    "a name twice": b'{"policies":["canary-7f3a9c41d2"],"policies":["root"]}',
    "a name twice, spelled otherwise": b'{"ttl":1,"\\u0074tl":2}',
    "not a number": b'{"ttl":NaN}',
    "infinity": b'{"ttl":-Infinity}',
    "a lone surrogate": b'{"path":"\\ud800","data":{"a":"\\udfff"}}',
    "a lone surrogate as a name": b'{"\\ud800":1}',
    "too many digits": b'{"ttl":' + b"9" * 5_000 + b"}",
    "too deep": b'{"a":' + b"[" * 100_000,
    "too many values": b'{"a":[' + b"1," * 10_001 + b"1]}",
    "not text": b'{"a":"\xff\xfe"}',
    "overlong": b'{"a":"\xc0\xaf"}',
    "encoded surrogate": b'{"a":"\xed\xa0\x80"}',
    "a mark in front": b'\xef\xbb\xbf{"a":1}',
    "a control character": b'{"a":"\x01"}',
    "two documents": b'{"a":1}{"a":2}',
    "a comment": b'{"a":1/**/}',
    "utf-16": '{"a":1}'.encode("utf-16"),
}
"""Bodies that are no JSON object, or one that two readers would read in two ways."""
